"""Intake on real Kafka and PostgreSQL, over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from services.intake import repository
from services.intake.repository import FiledRow
from shared.contracts.envelope import from_headers
from shared.contracts.events import CaseAccepted, CaseResolved, CaseReturned, CaseSubmitted
from shared.contracts.private import Contact
from shared.contracts.words import Channel, Kind, Lane, Outcome, Timeliness
from shared.security.key_ring import KeyRing
from shared.security.tokens import Role
from tests.support.intake import AGENCY, Office, open_office
from tests.support.servers import Servers
from tests.support.waiting import eventually

BODY: dict[str, Any] = {
    "agency": AGENCY,
    "kind": "dossier",
    "procedure": "1.001806",
    "channel": "counter",
    "documents": ["don-xin"],
}
PERSON = {"name": "Nguyễn Thị Minh Khai", "email": "khai@example.vn", "phone": "0912345678", "language": "vi"}
WHO: dict[str, Any] = {"agency": AGENCY, "kind": Kind.DOSSIER}


@pytest.fixture(scope="module")
async def office(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with open_office(servers, tmp_path_factory.mktemp("intake")) as running:
        yield running


@pytest.fixture
async def officer(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    async with office.client() as client:
        yield client


@pytest.fixture
async def anybody(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    async with office.client(None) as client:
        yield client


def new_key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def lines(bodies: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(body).encode() + b"\n" for body in bodies)


async def begin_upload(office: Office) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A bulk upload whose end stays open; its body is sent in chunks."""
    reader, writer = await asyncio.open_connection("127.0.0.1", office.port)
    head = (
        "POST /v1/cases/bulk HTTP/1.1",
        "host: x",
        f"authorization: Bearer {office.token()}",
        "transfer-encoding: chunked",
    )
    writer.write("\r\n".join([*head, "", ""]).encode())
    return reader, writer


async def test_a_case_is_filed_once_however_often_it_is_sent(office: Office, officer: httpx.AsyncClient) -> None:
    key = new_key()
    first = await officer.post("/v1/cases", json=BODY, headers=key)
    again = await officer.post("/v1/cases", json=BODY, headers=key)
    other = await officer.post("/v1/cases", json={**BODY, "channel": "post"}, headers=key)
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.content == again.content
    assert first.headers["location"] == f"/v1/cases/{first.json()['case_id']}/status"
    assert other.headers["content-type"] == "application/problem+json"
    for table in ("cases", "submissions", "idempotency"):
        assert await office.count(table, {first.json()["case_id"]}) == 1


async def test_many_at_once_with_one_key_open_one_case(officer: httpx.AsyncClient) -> None:
    key = new_key()
    answers = await asyncio.gather(*(officer.post("/v1/cases", json=BODY, headers=key) for _ in range(40)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 39}
    assert len({answer.content for answer in answers}) == 1


async def test_the_same_key_of_two_agencies_is_two_keys(office: Office, officer: httpx.AsyncClient) -> None:
    key = new_key()
    async with office.client(agency="other") as other:
        answers = [await officer.post("/v1/cases", json=BODY, headers=key)]
        answers.append(await other.post("/v1/cases", json={**BODY, "agency": "other"}, headers=key))
    assert [answer.status_code for answer in answers] == [201, 201]


async def test_the_event_says_what_was_filed_and_nothing_personal(office: Office, officer: httpx.AsyncClient) -> None:
    body = {**BODY, "applicant": PERSON, "return_channel": "post", "return_address": "1 Lạch Tray"}
    case_id = (await officer.post("/v1/cases", json=body, headers=new_key())).json()["case_id"]
    records = await office.records(case_id, 2)
    by_key = {record.key.decode(): record for record in records}
    submitted, private = by_key[case_id], by_key[f"{case_id}/contact"]
    envelope, event = from_headers(submitted.headers), CaseSubmitted.model_validate_json(submitted.value)
    assert (envelope.type, envelope.source, envelope.sequence, envelope.agency) == (
        "case.submitted",
        "/intake",
        1,
        AGENCY,
    )
    assert (event.procedure, event.channel, event.documents, event.lane) == (
        "1.001806",
        Channel.COUNTER,
        ("don-xin",),
        Lane.INTERACTIVE,
    )
    assert event.filed_at == envelope.occurred_at
    everything = b"".join([submitted.value, private.value, *(value for _, value in [*submitted.headers, *private.headers])])
    assert not [word for word in PERSON.values() if len(word) > 2 and word.encode() in everything]
    opened = KeyRing.from_file(office.settings.private_key_file).open(private.value, UUID(case_id), "contact")
    assert Contact.model_validate_json(opened) == Contact(**PERSON)
    assert await office.count("applicants", {case_id}) == 1


async def test_a_live_case_without_a_contact_says_so_and_a_replayed_one_publishes_nothing_private(
    office: Office, officer: httpx.AsyncClient
) -> None:
    case_id = (await officer.post("/v1/cases", json=BODY, headers=new_key())).json()["case_id"]
    by_key = {record.key.decode(): record for record in await office.records(case_id, 2)}
    keys = KeyRing.from_file(office.settings.private_key_file)
    opened = keys.open(by_key[f"{case_id}/contact"].value, UUID(case_id), "contact")
    assert Contact.model_validate_json(opened) == Contact()
    assert await office.count("applicants", {case_id}) == 1  # a rotation of keys must find what was published

    importer = {**new_key(), "Authorization": f"Bearer {office.keys.token(Role.IMPORTER)}"}
    past = {**BODY, "origin": "replay", "filed_at": "2020-03-02T08:00:00+07:00"}
    case_id = (await officer.post("/v1/cases", json=past, headers=importer)).json()["case_id"]
    assert [record.key.decode() for record in await office.records(case_id, 1)] == [case_id]
    assert await office.count("applicants", {case_id}) == 0


async def test_every_fault_of_header_and_body_is_told_at_once(officer: httpx.AsyncClient) -> None:
    answer = await officer.post("/v1/cases", json={"agency": "A B", "kind": "dossier", "channel": "hotline", "colour": 1})
    assert answer.status_code == 422
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    assert pointers == ["/header/Idempotency-Key", "/agency", "/procedure", "/channel", "/colour"]
    assert "A B" not in answer.text


async def test_access_is_denied_by_default(office: Office, anybody: httpx.AsyncClient) -> None:
    assert (await anybody.post("/v1/cases", json=BODY, headers=new_key())).status_code == 401
    assert (await anybody.post("/v1/cases/bulk", content=b"")).status_code == 401
    for role, agency, body in (
        (Role.AUDITOR, AGENCY, BODY),
        (Role.OFFICER, "other", BODY),
        (Role.OFFICER, AGENCY, {**BODY, "origin": "replay"}),
        (Role.OFFICER, AGENCY, {**BODY, "filed_at": "2020-03-02T08:00:00+07:00"}),
    ):
        async with office.client(role, agency) as client:
            assert (await client.post("/v1/cases", json=body, headers=new_key())).status_code == 403
    async with office.client(Role.IMPORTER) as importer:
        past = {**BODY, "filed_at": "2020-03-02T08:00:00+07:00", "origin": "import"}
        assert (await importer.post("/v1/cases", json=past, headers=new_key())).status_code == 201


async def test_a_body_over_64_kib_is_refused(officer: httpx.AsyncClient) -> None:
    assert (await officer.post("/v1/cases", content=b"x" * 70_000, headers=new_key())).status_code == 413


async def test_the_public_follows_a_case_by_id_and_by_code(
    office: Office, officer: httpx.AsyncClient, anybody: httpx.AsyncClient
) -> None:
    case_id = (await officer.post("/v1/cases", json=BODY, headers=new_key())).json()["case_id"]
    by_id = f"/v1/cases/{case_id}/status"
    first = (await anybody.get(by_id)).json()
    assert first == {"code": None, "completion": {"degree": "registered", "vi": "Mới đăng ký", "en": "Registered"}}
    code = f"000.00.07.H24-201217-{UUID(case_id).int % 10**6:06d}"
    facts = [
        CaseAccepted(**WHO, code=code, procedure="1.001806", field="social-protection", channel=Channel.COUNTER),
        CaseResolved(**WHO, outcome=Outcome.GRANTED, timeliness=Timeliness.EARLY),
        CaseReturned(**WHO, channel=Channel.COUNTER),
    ]
    for sequence, (fact, degree) in enumerate(zip(facts, ("in_process", "resolved", "returned"), strict=True), 1):
        await office.tell(case_id, fact, sequence)

        async def moved(degree: str = degree) -> bool:
            return bool((await anybody.get(by_id)).json()["completion"]["degree"] == degree)

        await eventually(f"the public sees {degree}", moved)
    by_code = (await anybody.get(f"/v1/cases/by-code/{code}/status")).json()
    assert by_code == {
        "code": code,
        "completion": {"degree": "returned", "vi": "Đã trả kết quả", "en": "Result returned"},
    }


@pytest.mark.parametrize(
    "path", ["00000000-0000-4000-8000-000000000000", "nonsense", "by-code/H24-1", "by-code/a%00b", "by-code/%FF", "by-code/a/b"]
)
async def test_unknown_cases_all_look_alike(anybody: httpx.AsyncClient, path: str) -> None:
    answer = await anybody.get(f"/v1/cases/{path}/status")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:motcua:problem:unknown-case"


async def test_the_catalogue_comes_in_pages(anybody: httpx.AsyncClient) -> None:
    codes: list[str] = []
    cursor = ""
    while True:
        page = (await anybody.get("/v1/procedures", params={"limit": 40, "cursor": cursor})).json()
        codes += [item["code"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = page["next"]
    assert len(codes) >= 98
    assert codes == sorted(set(codes))
    one = (await anybody.get("/v1/procedures/1.001806")).json()
    assert (one["field"], one["limits"][-1]["committed"]) == (
        "social-protection",
        {"count": 10, "unit": "working_days"},
    )
    assert (await anybody.get("/v1/procedures/unknown")).status_code == 404
    assert (await anybody.get("/v1/procedures", params={"limit": 0})).status_code == 422


async def test_a_bulk_upload_is_answered_line_by_line(office: Office, officer: httpx.AsyncClient) -> None:
    keys = [str(uuid4()) for _ in range(1500)]
    bodies = [{**BODY, "idempotency_key": key} for key in keys]
    content = lines(bodies[:700]) + b"\nnot json\n" + b"x" * 70_000 + b"\n" + lines(bodies[700:]) + lines(bodies[:1])
    answer = await officer.post("/v1/cases/bulk", content=content)
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.status_code == 200
    assert Counter(each["status"] for each in told) == {201: 1500, 422: 1, 413: 1, 200: 1}
    assert [each["line"] for each in told] == [*range(1, 701), *range(702, 1505)]
    assert told[-1]["case_id"] == told[0]["case_id"]
    assert await office.count("cases", {each["case_id"] for each in told if "case_id" in each}) == 1500


async def test_a_single_filing_and_a_bulk_line_share_their_keys(officer: httpx.AsyncClient) -> None:
    key = str(uuid4())
    single = await officer.post("/v1/cases", json=BODY, headers={"Idempotency-Key": key})
    bulk = await officer.post("/v1/cases/bulk", content=lines([{**BODY, "idempotency_key": key}]))
    assert bulk.json() == {"line": 1, "status": 200, "case_id": single.json()["case_id"]}


async def test_what_was_answered_before_the_line_was_cut_is_committed(office: Office) -> None:
    reader, writer = await begin_upload(office)
    content = lines([{**BODY, "idempotency_key": str(uuid4())} for _ in range(800)])
    writer.write(b"%x\r\n%s\r\n" % (len(content), content))
    answered = set[str]()
    while len(answered) < 300:
        line = await reader.readline()
        if line.startswith(b'{"line"'):
            answered.add(json.loads(line)["case_id"])
    writer.transport.abort()
    assert await office.count("cases", answered) == len(answered)


async def test_answers_come_while_the_upload_is_still_open(office: Office) -> None:
    reader, writer = await begin_upload(office)
    for number in (1, 2):
        content = lines([{**BODY, "idempotency_key": str(uuid4())}])
        writer.write(b"%x\r\n%s\r\n" % (len(content), content))
        answer = b""
        while not answer.startswith(b'{"line"'):
            answer = await asyncio.wait_for(reader.readline(), 10)
        assert json.loads(answer)["line"] == number
    writer.transport.abort()


async def test_a_case_that_can_never_be_committed_is_500_without_details_and_its_neighbours_are_filed(
    office: Office, officer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_new = repository.open_new

    async def break_one(driver: asyncpg.Connection, rows: Sequence[FiledRow]) -> Collection[UUID]:
        broken = [row._replace(documents="no array") if "poison" in row.documents else row for row in rows]
        return await open_new(driver, broken)

    monkeypatch.setattr(repository, "open_new", break_one)
    bodies = [BODY] * 20 + [{**BODY, "documents": ["poison"]}] + [BODY] * 20
    answers = await asyncio.gather(*(officer.post("/v1/cases", json=body, headers=new_key()) for body in bodies))
    assert [answer.status_code for answer in answers] == [201] * 20 + [500] + [201] * 20
    assert answers[20].json()["type"] == "urn:motcua:problem:internal"
    assert "poison" not in answers[20].text
    assert await office.count("cases", {answer.json()["case_id"] for answer in answers if answer.status_code == 201}) == 40


async def test_a_database_that_is_away_is_503_and_the_same_key_works_afterwards(servers: Servers, tmp_path: Path) -> None:
    async with open_office(servers, tmp_path, intake_bulk_patience=30.0) as office, office.client() as officer:
        keys = [new_key() for _ in range(3)]
        uploading = asyncio.create_task(_bulk(officer, 4000))
        servers.postgres.kill()
        try:
            away = [await officer.post("/v1/cases", json=BODY, headers=key) for key in keys]
        finally:
            await asyncio.to_thread(servers.postgres.start)
        assert [answer.status_code for answer in away] == [503] * 3
        assert all(answer.headers["retry-after"] for answer in away)

        async def works() -> bool:
            return all([(await officer.post("/v1/cases", json=BODY, headers=key)).status_code in {200, 201} for key in keys])

        await eventually("the same keys work", works)
        statuses = await uploading
        assert set(statuses) <= {200, 201}, "a patient upload outlasts the outage"
        assert statuses.total() == 4000
        assert await office.count("cases") == 4003


async def _bulk(client: httpx.AsyncClient, count: int) -> Counter[int]:
    content = lines([{**BODY, "idempotency_key": str(uuid4())} for _ in range(count)])
    answer = await client.post("/v1/cases/bulk", content=content)
    return Counter(json.loads(line)["status"] for line in answer.text.splitlines())
