"""Channels, pre-check and possible duplicates at intake, on real Kafka and PostgreSQL, over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.intake import duplicates
from services.intake.duplicates import Looked, flag_duplicates
from shared.contracts.envelope import Envelope, from_headers
from shared.contracts.events import CaseSubmitted, DuplicateSuspected
from shared.contracts.words import Lane, OnlineLevel
from shared.persistence.work import Work
from shared.security.tokens import Role
from tests.support.intake import AGENCY, Office, open_office
from tests.support.servers import Servers

BODY: dict[str, Any] = {"agency": AGENCY, "kind": "dossier", "procedure": "1.001806", "channel": "counter"}
LICENCE = "1.001865"
PAPERS = ["request-form", "premises-proof", "deposit-certificate", "representative-cv", "criminal-record", "qualification-proof"]
TABLES = ("cases", "submissions", "idempotency", "applicants", "persons", "outbox")
MONTH = timedelta(days=30)


@pytest.fixture(scope="module")
async def office(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with open_office(servers, tmp_path_factory.mktemp("channels")) as running:
        yield running


@pytest.fixture
async def officer(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    async with office.client() as client:
        yield client


async def file(client: httpx.AsyncClient, **body: Any) -> str:
    """File a case; its id."""
    answer = await client.post("/v1/cases", json={**BODY, **body}, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text
    case_id: str = answer.json()["case_id"]
    return case_id


async def facts_about(office: Office, case_id: str, count: int) -> list[Any]:
    """The records about a case that are on `case-events`, of the first `count` on all topics."""
    return [record for record in await office.records(case_id, count) if record.key.decode() == case_id]


async def test_a_postal_dossier_says_its_record_and_is_filed_when_it_was_handed_over(
    office: Office, officer: httpx.AsyncClient
) -> None:
    at = (datetime.now(UTC) - timedelta(hours=5)).replace(microsecond=0)
    person = {"name": "Trần Thị B", "document": "GUQ-7/2026"}
    case_id = await file(
        officer, channel="post", postal_record="BBGN-9", handed_over_at=at.isoformat(), representative=person,
        procedure=LICENCE, documents=PAPERS[1:],
    )  # fmt: skip
    (record,) = await facts_about(office, case_id, 2)
    event, envelope = CaseSubmitted.model_validate_json(record.value), from_headers(record.headers)
    assert (event.national_channel, event.postal_record, event.authorised, event.documents_complete) == (3, "BBGN-9", True, False)
    assert event.filed_at == envelope.occurred_at == at
    assert "Trần" not in record.value.decode()
    assert "GUQ" not in record.value.decode()


async def test_an_officers_code_is_kept_and_not_told(office: Office, officer: httpx.AsyncClient) -> None:
    case_id = await file(officer, counter="quay-2", officer="cb-77", procedure=LICENCE, documents=PAPERS)
    (record,) = await facts_about(office, case_id, 2)
    event = CaseSubmitted.model_validate_json(record.value)
    assert (event.national_channel, event.counter, event.documents_complete) == (1, "quay-2", True)
    assert "cb-77" not in record.value.decode()
    async with office.app.state.runtime.database.transaction() as tx:
        kept = await tx.driver.fetchval("select facts from submissions where case_id = $1", UUID(case_id))
    assert kept == {"counter": "quay-2", "officer": "cb-77"}


async def test_a_bulk_line_has_the_same_facts(office: Office) -> None:
    line = {**BODY, "channel": "online", "online_level": "partial", "portal_account": "vneid:1", "idempotency_key": str(uuid4())}
    async with office.client() as client:
        answer = await client.post("/v1/cases/bulk", content=json.dumps(line).encode() + b"\n")
    case_id = json.loads(answer.content)["case_id"]
    (record,) = await facts_about(office, case_id, 2)
    event = CaseSubmitted.model_validate_json(record.value)
    assert (event.lane, event.online_level, event.national_channel) == (Lane.BULK, OnlineLevel.PARTIAL, 2)
    assert "vneid" not in record.value.decode()


async def counts(office: Office) -> list[int]:
    return [await office.count(table) for table in TABLES]


async def test_the_pre_check_tells_what_is_missing_and_stores_nothing(office: Office, officer: httpx.AsyncClient) -> None:
    before = await counts(office)
    answer = await officer.post("/v1/cases/pre-check", json={**BODY, "procedure": LICENCE, "documents": [*PAPERS[2:], "photo"]})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["complete"], [each["code"] for each in told["missing"]], told["unlisted"]) == (False, PAPERS[:2], ["photo"])
    assert told["missing"][0]["name"] == {"vi": "Văn bản đề nghị (Mẫu 02)", "en": "Request (form 02)"}
    nobody_knows = (await officer.post("/v1/cases/pre-check", json=BODY)).json()
    assert nobody_knows == {"complete": None, "missing": [], "unlisted": [], "return_needs": None}
    assert await counts(office) == before


async def test_the_pre_check_lists_every_fault_and_every_missing_document(officer: httpx.AsyncClient) -> None:
    body = {**BODY, "procedure": LICENCE, "documents": PAPERS[1:], "counter": "Quầy 1", "postal_record": "B-1", "colour": 1}
    answer = await officer.post("/v1/cases/pre-check", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    errors = answer.json()["errors"]
    assert [each["pointer"] for each in errors] == ["/counter", "/postal_record", "/colour", "/documents"]
    assert errors[-1]["code"] == "document_missing"
    filed = await officer.post("/v1/cases", json=body, headers={"Idempotency-Key": str(uuid4())})
    assert filed.json()["errors"] == errors[:-1]


async def test_a_way_of_return_without_a_place_is_a_finding_of_the_pre_check_and_no_fault_of_a_filing(
    officer: httpx.AsyncClient,
) -> None:
    for way in ("post", "online"):
        told = await officer.post("/v1/cases/pre-check", json={**BODY, "return_channel": way})
        assert (told.status_code, "`return_" in told.json()["return_needs"]) == (200, True)
        assert await file(officer, return_channel=way)


async def test_the_pre_check_has_the_limits_of_a_filing(office: Office, officer: httpx.AsyncClient) -> None:
    assert (await officer.post("/v1/cases/pre-check", content=b"{" * 70_000)).status_code == 413
    twice = json.dumps(BODY)[:-1] + ', "channel": "post"}'
    assert (await officer.post("/v1/cases/pre-check", content=twice)).status_code == 422
    other = await officer.post("/v1/cases/pre-check", json={**BODY, "agency": "other"})
    assert (other.status_code, other.json()["type"]) == (403, "urn:motcua:problem:wrong-agency")
    async with office.client(Role.AUDITOR) as auditor:
        assert (await auditor.post("/v1/cases/pre-check", json=BODY)).status_code == 403


async def flag(office: Office, within: timedelta = MONTH) -> Looked:
    """Look for duplicates of everything that was filed by now."""
    return await flag_duplicates(
        office.app.state.runtime.store, datetime.now(UTC) + timedelta(milliseconds=5), within, timedelta()
    )


async def suspicions_of(office: Office, case_id: str, count: int) -> list[tuple[Envelope, DuplicateSuspected]]:
    """What was stated after the submission."""
    records = await facts_about(office, case_id, count)
    return [(from_headers(each.headers), DuplicateSuspected.model_validate_json(each.value)) for each in records[1:]]


def somebody(**more: str) -> dict[str, str]:
    """An applicant whom nobody else is."""
    return {"name": "Phạm Văn C", "id_number": f"{uuid4().int % 10**12:012d}", **more}


async def test_the_same_person_and_procedure_is_flagged_once_and_filed_all_the_same(
    office: Office, officer: httpx.AsyncClient
) -> None:
    applicant = somebody()
    first, other_procedure = await file(officer, applicant=applicant), await file(officer, applicant=applicant, procedure=LICENCE)
    second = await file(officer, applicant={**applicant, "name": "Pham Van C"})
    looked = await asyncio.gather(flag(office), flag(office))
    assert sum(each.flagged for each in looked) == 1
    ((envelope, event),) = await suspicions_of(office, second, 3)
    assert (str(event.other_case_id), event.reason) == (first, "same_person_and_procedure")
    assert (envelope.source, envelope.sequence, envelope.agency) == ("/intake", 2, AGENCY)
    assert (await flag(office)).flagged == 0
    assert {case_id: await stated_of(office, case_id) for case_id in (first, other_procedure)} == {first: 1, other_procedure: 1}


async def stated_of(office: Office, case_id: str) -> int:
    """How many facts intake has stated about a case."""
    async with office.app.state.runtime.database.transaction() as tx:
        return int(await tx.driver.fetchval("select stated from cases where case_id = $1", UUID(case_id)))


async def test_a_bulk_case_is_flagged_in_its_own_lane_behind_its_submission(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    lanes: list[Lane] = []
    emit = Work.emit

    def listening(work: Work[Any], *args: Any, **kwargs: Any) -> Envelope:
        lanes.append(kwargs["lane"])
        return emit(work, *args, **kwargs)

    monkeypatch.setattr(Work, "emit", listening)
    line = {**BODY, "applicant": somebody()}
    lines = b"".join(json.dumps({**line, "idempotency_key": str(uuid4())}).encode() + b"\n" for _ in range(2))
    async with office.client() as client:
        answer = await client.post("/v1/cases/bulk", content=lines)
    cases = sorted(json.loads(each)["case_id"] for each in answer.content.splitlines())
    assert (await flag(office)).flagged == 1
    ((envelope, event),) = await suspicions_of(office, cases[1], 3)
    assert (str(event.other_case_id), envelope.sequence, lanes) == (cases[0], 2, [Lane.BULK])


PEOPLE = [
    ({"phone": "0912000001"}, {"phone": "+84912000001"}, True),
    ({"phone": "0912000002", "id_number": "012345678"}, {"phone": "0912000002", "id_number": "012345679"}, False),
    ({"phone": "0912000003", "id_number": "112345678"}, {"phone": "0912000003"}, True),
    ({"email": "Khai@example.vn"}, {"email": "khai@example.vn"}, True),
    ({"name": "Nguyễn Thị Minh Khai"}, {"name": "Nguyễn Thị Minh Khai"}, False),
]


@pytest.mark.parametrize(("one", "two", "same"), PEOPLE)
async def test_who_is_the_same_person(
    office: Office, officer: httpx.AsyncClient, one: dict[str, str], two: dict[str, str], same: bool
) -> None:
    await file(officer, applicant=one)
    await file(officer, applicant=two)
    assert (await flag(office)).flagged == int(same)


async def test_neither_another_agency_nor_an_import_nor_a_filing_of_long_ago_is_a_duplicate(
    office: Office, officer: httpx.AsyncClient
) -> None:
    applicant = somebody()
    long_ago = (datetime.now(UTC) - timedelta(days=31)).isoformat()
    async with office.client(Role.IMPORTER) as importer, office.client(agency="other") as other:
        await file(importer, applicant=applicant, filed_at=long_ago)
        await file(importer, applicant=applicant, filed_at=long_ago, origin="import")
        await file(other, applicant=applicant, agency="other")
    await file(officer, applicant=applicant)
    assert (await flag(office)).flagged == 0
    assert (await flag(office)).cases == 0


async def test_a_person_who_was_erased_between_the_two_looks_is_not_spoken_of(
    office: Office, officer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    applicant = somebody()
    await file(officer, applicant=applicant)
    case_id = await file(officer, applicant=applicant)
    state = duplicates._state

    async def erased_before(store: Any, others: Any) -> int:
        async with store.database.transaction() as tx:
            await tx.driver.execute("delete from persons where case_id = $1", UUID(case_id))
        return await state(store, others)

    monkeypatch.setattr(duplicates, "_state", erased_before)
    assert (await flag(office)).flagged == 0
    assert await stated_of(office, case_id) == 1


async def test_nor_is_the_case_of_the_other_person_who_was_erased_meanwhile_named(
    office: Office, officer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    applicant = somebody()
    first, second, third = [await file(officer, applicant=applicant) for _ in range(3)]
    state = duplicates._state

    async def erased_before(store: Any, others: Any) -> int:
        async with store.database.transaction() as tx:
            await tx.driver.execute("delete from persons where case_id = $1", UUID(second))
        return await state(store, others)

    with monkeypatch.context() as patch:
        patch.setattr(duplicates, "_state", erased_before)
        assert (await flag(office)).flagged == 0, "of the first case the second is erased; of the third the other was"
    assert await stated_of(office, third) == 1
    assert (await flag(office)).flagged == 1
    ((_, event),) = await suspicions_of(office, third, 3)
    assert str(event.other_case_id) == first


async def test_an_agency_that_is_none_is_refused_before_it_is_looked_for(officer: httpx.AsyncClient) -> None:
    for agency in ("%00", "A", "x" * 65):
        assert (await officer.get(f"/v1/cases/pre-intake?agency={agency}")).status_code == 422
