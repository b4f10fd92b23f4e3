"""Intake's vault on real servers: who is shown what, what is logged, and who is found."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.contracts.envelope import from_headers
from shared.security.key_ring import KeyRing
from shared.security.tokens import Role
from tests.support.intake import AGENCY, Office, open_office
from tests.support.servers import Servers
from tests.support.vault import FULL, PERSON, TEXT, WHY, file, rows


@pytest.fixture(scope="module")
async def office(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with open_office(servers, tmp_path_factory.mktemp("vault")) as running:
        yield running


@pytest.fixture
async def officer(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    async with office.client() as client:
        yield client


async def log_of(office: Office, case_id: str) -> list[tuple[Any, ...]]:
    """The access log of a case, the oldest line first."""
    statement = (
        "select role, asker_agency, agency, action, purpose, outcome, found from access_log where case_id = $1 order by id"
    )
    return await rows(office, statement, UUID(case_id))


async def test_its_agency_is_shown_who_filed_a_case_and_the_look_is_logged(office: Office, officer: httpx.AsyncClient) -> None:
    case_id = await file(officer, FULL)
    answer = await officer.get(f"/v1/cases/{case_id}/applicant", params=WHY)
    assert answer.json() == {
        "case_id": case_id,
        "people": {"applicant": PERSON, "representative": FULL["representative"]},
        "note": TEXT,
    }
    assert answer.headers["cache-control"] == "no-store"
    assert await log_of(office, case_id) == [("officer", AGENCY, AGENCY, "applicant", "handle_case", "shown", 1)]


async def test_what_is_kept_is_sealed_in_every_table(office: Office, officer: httpx.AsyncClient) -> None:
    await file(officer, FULL)
    words = [word for word in (*PERSON.values(), TEXT, "Trần Văn Thay", "0900000000", "mau.nguyen") if word != "vi"]
    tables = [name for (name,) in await rows(office, "select tablename from pg_tables where schemaname = 'public'")]
    assert {"applicants", "persons", "access_log", "outbox"} <= set(tables)
    for table in tables:
        text = "\n".join(str(row[0]) for row in await rows(office, f"select t::text from {table} t"))
        found = [word for word in words if word in text or word.encode().hex() in text]
        assert not found, (table, found)


@pytest.mark.parametrize(
    ("role", "agency", "status", "outcome"),
    [
        (Role.COUNTER, AGENCY, 200, "shown"),
        (Role.ADMIN, None, 200, "shown"),
        (Role.OFFICER, None, 200, "shown"),
        (Role.OFFICER, "other", 404, "other_agency"),
        (Role.ADMIN, "other", 404, "other_agency"),
        (Role.AUDITOR, AGENCY, 403, "not_allowed"),
        (Role.IMPORTER, AGENCY, 403, "not_allowed"),
        (Role.INTEGRATOR, None, 403, "not_allowed"),
    ],
)
async def test_every_look_leaves_its_line_refused_or_not(
    role: Role, agency: str | None, status: int, outcome: str, office: Office, officer: httpx.AsyncClient
) -> None:
    case_id = await file(officer, FULL)
    async with office.client(role, agency) as client:
        answer = await client.get(f"/v1/cases/{case_id}/applicant", params=WHY)
    assert answer.status_code == status
    assert (PERSON["name"] in answer.text) is (status == 200)
    assert await log_of(office, case_id) == [
        (role.value, agency, AGENCY, "applicant", "handle_case", outcome, int(status == 200))
    ]


async def test_a_case_of_another_agency_looks_like_one_that_is_not_there(office: Office, officer: httpx.AsyncClient) -> None:
    case_id, unknown = await file(officer, FULL), str(uuid4())
    async with office.client(Role.OFFICER, "other") as other:
        theirs, nobodys = [await other.get(f"/v1/cases/{each}/applicant", params=WHY) for each in (case_id, unknown)]
    assert (theirs.status_code, theirs.content) == (nobodys.status_code, nobodys.content)
    assert [line[5] for line in await log_of(office, unknown)] == ["unknown_case"]


async def test_without_a_purpose_of_the_list_or_a_token_nobody_looks(office: Office, officer: httpx.AsyncClient) -> None:
    case_id = await file(officer, FULL)
    for params in ({}, {"purpose": "curiosity"}, {"purpose": ""}):
        assert (await officer.get(f"/v1/cases/{case_id}/applicant", params=params)).status_code == 422
    async with office.client(None) as nobody:
        assert (await nobody.get(f"/v1/cases/{case_id}/applicant", params=WHY)).status_code == 401
        assert (await nobody.get("/v1/access-log")).status_code == 401
    assert await log_of(office, case_id) == []


async def test_nothing_is_shown_when_its_line_cannot_be_written(office: Office, officer: httpx.AsyncClient) -> None:
    case_id = await file(officer, FULL)
    await rows(office, "alter table access_log rename to put_away")
    try:
        looked = await officer.get(f"/v1/cases/{case_id}/applicant", params=WHY)
        searched = await officer.post("/v1/applicants/search", json={"id_number": PERSON["id_number"], **WHY})
    finally:
        await rows(office, "alter table put_away rename to access_log")
    for answer in (looked, searched):
        assert answer.status_code == 500
        assert not [word for word in (*PERSON.values(), case_id) if len(word) > 2 and word in answer.text]


@pytest.mark.parametrize(
    "wanted",
    [
        {"id_number": "031090000000"},
        {"phone": "0900000000"},
        {"phone": "84900000000"},
        {"email": "mau.nguyen@EXAMPLE.com"},
    ],
)
async def test_a_person_is_found_by_any_identifier_in_the_askers_agency(
    wanted: dict[str, str], office: Office, officer: httpx.AsyncClient
) -> None:
    ours = await file(officer, FULL)
    async with office.client(Role.OFFICER, "other") as other:
        theirs = await file(other, {**FULL, "agency": "other"})
        found = [(await each.post("/v1/applicants/search", json={**wanted, **WHY})).json() for each in (officer, other)]
    async with office.client(Role.ADMIN, None) as city:
        both = (await city.post("/v1/applicants/search", json={**wanted, **WHY})).json()
    ids = [[case["case_id"] for case in each["items"]] for each in (*found, both)]
    assert ids[0][0] == ours
    assert theirs not in ids[0]
    assert ids[1][0] == theirs
    assert ours not in ids[1]
    assert {ours, theirs} <= {*ids[2]}
    assert set(found[0]["items"][0]) == {"case_id", "procedure", "filed_at"}


async def test_a_search_is_logged_without_whom_it_was_for(office: Office, officer: httpx.AsyncClient) -> None:
    await file(officer, FULL)
    statement = (
        "select role, action, purpose, outcome, found, case_id from access_log where action = 'search' order by id desc limit 1"
    )
    await officer.post("/v1/applicants/search", json={"id_number": "999999999", "purpose": "inspection"})
    assert await rows(office, statement) == [("officer", "search", "inspection", "nothing_kept", 0, None)]
    async with office.client(Role.AUDITOR) as auditor:
        assert (await auditor.post("/v1/applicants/search", json={"phone": "0900000000", **WHY})).status_code == 403
    assert await rows(office, statement) == [("auditor", "search", "handle_case", "not_allowed", 0, None)]


async def test_a_search_leaves_a_line_for_each_case_that_it_shows(office: Office, officer: httpx.AsyncClient) -> None:
    somebody = {"phone": "0912345670"}
    filed = {await file(officer, FULL | {"applicant": PERSON | somebody}) for _ in range(3)}
    found = (await officer.post("/v1/applicants/search", json=somebody | WHY)).json()["items"]
    assert {each["case_id"] for each in found} == filed
    lines = await rows(
        office, "select case_id, agency, outcome, found from access_log where action = 'search' order by id desc limit 3"
    )
    assert {str(line[0]) for line in lines} == filed
    assert {tuple(line[1:]) for line in lines} == {(AGENCY, "shown", 1)}


async def test_a_search_names_one_identifier_and_a_purpose(officer: httpx.AsyncClient) -> None:
    for body in (
        {**WHY},
        {"phone": "0900000000"},
        {"phone": "0900000000", "email": "a@example.com", **WHY},
        {"phone": "x", **WHY},
    ):
        answer = await officer.post("/v1/applicants/search", json=body)
        assert answer.status_code == 422
        assert "0900000000" not in answer.text


async def test_auditors_read_the_lines_that_concern_them_page_by_page(office: Office, officer: httpx.AsyncClient) -> None:
    case_id = await file(officer, FULL)
    for _ in range(5):
        await officer.get(f"/v1/cases/{case_id}/applicant", params=WHY)
    async with office.client(Role.OFFICER, "other") as other:
        await other.get(f"/v1/cases/{case_id}/applicant", params=WHY)
    assert (await officer.get("/v1/access-log")).status_code == 403
    seen: list[dict[str, Any]] = []
    async with office.client(Role.AUDITOR) as auditor:
        cursor: int | None = None
        while not seen or cursor is not None:
            more = {} if cursor is None else {"cursor": str(cursor)}
            page = (await auditor.get("/v1/access-log", params={"limit": "4", "case_id": case_id, **more})).json()
            seen, cursor = seen + page["items"], page["next"]
    assert [line["outcome"] for line in seen] == ["other_agency"] + 5 * ["shown"]
    assert seen == sorted(seen, key=lambda line: -line["id"])
    async with office.client(Role.AUDITOR, "other") as elsewhere, office.client(Role.AUDITOR, None) as city:
        of_the_case = f"/v1/access-log?case_id={case_id}"
        assert (await elsewhere.get(of_the_case)).json()["items"] == []
        assert len((await city.get(of_the_case)).json()["items"]) == 6
        assert PERSON["name"] not in (await city.get("/v1/access-log", params={"limit": 500})).text


async def test_note_and_contact_travel_sealed_under_keys_that_name_them(office: Office, officer: httpx.AsyncClient) -> None:
    case_id, keys = await file(officer, FULL), KeyRing.from_file(office.settings.private_key_file)
    records = {record.key.decode().partition("/")[2]: record for record in await office.records(case_id, 3)}
    note = records["note"]
    assert from_headers(note.headers).type == "private.note"
    assert json.loads(keys.open(note.value, UUID(case_id), "note")) == {"text": TEXT}
    assert set(json.loads(keys.open(records["contact"].value, UUID(case_id), "contact"))) == {
        "name",
        "email",
        "phone",
        "language",
    }
