"""What the hotline notes at intake, before anyone files, on real Kafka and PostgreSQL, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.contracts.events import CaseSubmitted
from tests.support.intake import AGENCY, Office, open_office
from tests.support.servers import Servers

BODY: dict[str, Any] = {"agency": AGENCY, "kind": "dossier", "procedure": "1.001806", "channel": "counter"}
LICENCE = "1.001865"
PAPERS = ["request-form", "premises-proof", "deposit-certificate", "representative-cv", "criminal-record", "qualification-proof"]


@pytest.fixture(scope="module")
async def office(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with open_office(servers, tmp_path_factory.mktemp("hotline")) as running:
        yield running


@pytest.fixture
async def officer(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    async with office.client() as client:
        yield client


async def test_a_pre_intake_is_kept_listed_and_named_by_the_filing_that_comes_of_it(
    office: Office, officer: httpx.AsyncClient
) -> None:
    draft = {
        "agency": AGENCY,
        "procedure": LICENCE,
        "documents": PAPERS[1:],
        "call": "c-1",
        "callback_at": "2026-03-01T01:00:00Z",
    }
    before = await office.count("cases")
    kept = await officer.post("/v1/cases/pre-intake", json=draft)
    assert (kept.status_code, kept.json()["complete"], kept.json()["missing"]) == (201, False, PAPERS[:1])
    named = kept.json()["pre_intake_id"]
    assert await office.count("cases") == before
    assert await waiting(officer) == [named]
    body = {**BODY, "procedure": LICENCE, "documents": PAPERS, "pre_intake_id": named}
    filed = await officer.post("/v1/cases", json=body, headers={"Idempotency-Key": str(uuid4())})
    case_id = filed.json()["case_id"]
    (record,) = [each for each in await office.records(case_id, 2) if each.key.decode() == case_id]
    event = CaseSubmitted.model_validate_json(record.value)
    assert (str(event.pre_intake_id), event.national_channel) == (named, 1)
    assert await waiting(officer) == []


async def test_guidance_is_kept_longer_than_keys(office: Office, officer: httpx.AsyncClient) -> None:
    kept = await officer.post("/v1/cases/pre-intake", json={"agency": AGENCY, "procedure": LICENCE})
    made = UUID(kept.json()["pre_intake_id"])
    runtime = office.app.state.runtime
    async with runtime.database.transaction() as tx:
        await tx.driver.execute("update pre_intakes set created_at = now() - interval '400 days' where id = $1", made)
    (job,) = [each for each in runtime.jobs if each.name == "forget old keys"]
    await job.run()
    async with runtime.database.transaction() as tx:
        assert await tx.driver.fetchval("delete from pre_intakes where id = $1 returning 1", made)


async def waiting(client: httpx.AsyncClient) -> list[str]:
    """The pre-intakes that no filing has named."""
    answer = await client.get("/v1/cases/pre-intake", params={"agency": AGENCY})
    assert answer.status_code == 200, answer.text
    return [each["pre_intake_id"] for each in answer.json()["items"]]


async def test_a_filing_names_a_pre_intake_of_its_own_agency_only(office: Office, officer: httpx.AsyncClient) -> None:
    async with office.client(agency="other") as other:
        kept = await other.post("/v1/cases/pre-intake", json={"agency": "other", "procedure": LICENCE})
        elsewhere = await other.get("/v1/cases/pre-intake", params={"agency": AGENCY})
    assert elsewhere.status_code == 403
    for unknown in (kept.json()["pre_intake_id"], str(uuid4())):
        body = {**BODY, "pre_intake_id": unknown}
        answer = await officer.post("/v1/cases", json=body, headers={"Idempotency-Key": str(uuid4())})
        assert (answer.status_code, [each["pointer"] for each in answer.json()["errors"]]) == (422, ["/pre_intake_id"])


async def test_a_pre_intake_has_no_field_for_a_person_and_lists_its_faults(officer: httpx.AsyncClient) -> None:
    body = {"agency": AGENCY, "kind": "feedback", "procedure": "9.9", "applicant": {"phone": "0912345678"}, "note": "x"}
    answer = await officer.post("/v1/cases/pre-intake", json=body)
    assert answer.status_code == 422
    assert {each["pointer"] for each in answer.json()["errors"]} == {"/kind", "/procedure", "/applicant", "/note"}
