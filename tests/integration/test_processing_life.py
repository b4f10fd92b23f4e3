"""The whole state machine on real Kafka and PostgreSQL: standstills, other agencies, corrections, and what forbids them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.contracts import commands as ask
from shared.contracts.commands import Command
from shared.contracts.words import Channel, Origin, Outcome, StopKind
from shared.security.tokens import Role
from tests.support.life import local
from tests.support.office import AGENCY, Office, running_office
from tests.support.servers import Servers
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
async def office(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with running_office(servers, tmp_path_factory.mktemp("office")) as made:
        yield made


async def opened(office: Office, **changes: Any) -> UUID:
    """A live case that was just submitted."""
    case_id = uuid4()
    await office.submit(case_id, **changes)

    async def there() -> bool:
        return bool(await office.query("select 1 from cases where case_id = $1 and status = 1", case_id))

    await eventually("the case is there", there)
    return case_id


async def said(http: httpx.AsyncClient, case_id: UUID, type_: str, expected: int = 200, **body: Any) -> dict[str, Any]:
    """One command over HTTP."""
    answer = await http.post(f"/v1/cases/{case_id}/commands", json={"type": type_} | body)
    assert answer.status_code == expected, answer.text
    content: dict[str, Any] = answer.json()
    return content


WAY: tuple[tuple[str, Command], ...] = (
    ("2020-12-17 09:00", ask.Accept(unit="one-stop")),
    ("2020-12-18 09:00", ask.RequestSupplement(documents=("request",), reason="incomplete")),
    ("2020-12-22 09:00", ask.ReceiveSupplement()),  # counted again: due 2021-01-06, by law 2021-01-13
    ("2020-12-23 09:00", ask.RequestPayment(amount_vnd=600_000)),
    ("2020-12-25 09:00", ask.ReceivePayment(amount_vnd=600_000)),  # two working days later
    ("2020-12-28 09:00", ask.Stop(stop_kind=StopKind.SUSPENDED, reason="awaiting_court_decision")),
    ("2020-12-31 09:00", ask.Resume(reason="court_decided")),  # three more
    ("2021-01-04 09:00", ask.Forward(to_agency="tax", share_half_days=2)),
    ("2021-01-05 09:00", ask.Forward(to_unit="labour")),
    ("2021-01-06 09:00", ask.RequestWithdrawal()),
    ("2021-01-07 09:00", ask.Resume(reason="withdrawal_taken_back")),  # one more: due 2021-01-14, by law 2021-01-21
    ("2021-01-08 09:00", ask.Extend(new_due_at=local("2021-01-20 17:00"), reason="complex", apology="apology_form_04")),
    ("2021-01-11 09:00", ask.Escalate(level=1)),
    ("2021-01-12 09:00", ask.Link(other_case_id=uuid4(), reason="same_applicant")),
    ("2021-01-15 09:00", ask.Resolve(outcome=Outcome.REFUSED, reason="not_eligible")),
    ("2021-01-15 10:00", ask.Return(channel=Channel.POST)),
    ("2021-01-18 09:00", ask.Reopen(reason="wrong_result")),
    ("2021-01-19 09:00", ask.RecordCause(cause="officer_error")),
    ("2021-01-21 09:00", ask.Resolve(outcome=Outcome.GRANTED)),
)


async def test_a_case_goes_through_everything_by_commands_from_kafka(office: Office) -> None:
    case_id = uuid4()
    await office.submit(case_id, local("2020-12-17 08:00"), Origin.IMPORT)
    for at, command in WAY:
        await office.command(case_id, command, local(at), Origin.IMPORT)
    facts = await office.facts(case_id, len(WAY))
    bodies = [json.loads(body) for _, body in facts]
    assert [envelope.type for envelope, _ in facts] == [
        "case.accepted", "case.supplement_requested", "case.supplement_received", "case.payment_requested",
        "case.payment_received", "case.stopped", "case.resumed", "case.forwarded", "case.forwarded", "case.withdrawal_requested",
        "case.resumed", "case.extended", "case.escalated", "case.linked", "case.resolved", "case.returned", "case.reopened",
        "case.cause_recorded", "case.resolved",
    ]  # fmt: skip
    due = [body.get("due_at") or body.get("new_due_at") for body in bodies]
    dates = [each and f"{datetime.fromisoformat(each).astimezone(local('2021-01-01 00:00').tzinfo):%m-%d %H:%M}" for each in due]
    assert (dates[0], dates[2], dates[4], dates[6], dates[10], dates[11]) == (
        "12-31 17:00", "01-06 17:00", "01-08 17:00", "01-13 17:00", "01-14 17:00", "01-20 17:00",
    )  # fmt: skip
    assert (bodies[-1]["timeliness"], bodies[-1]["statutory_timeliness"]) == ("late", "on_time")
    async with office.client() as http:
        seen = (await http.get(f"/v1/cases/{case_id}")).json()
    assert (seen["status"], seen["outcome"], seen["holder"], seen["answer_by"]) == (9, "granted", "tax", None)


async def test_a_live_dossier_is_accepted_with_the_documents_that_its_procedure_requires(office: Office) -> None:
    case_id = await opened(office, procedure="2.000189")
    async with office.client() as http:
        missing = (await http.get(f"/v1/cases/{case_id}")).json()["missing"]
        assert missing
        refused = await said(http, case_id, "accept", 409)
        assert (refused["reason"], refused["detail"]) == ("documents_missing", " ".join(missing))
        assert refused["words"]["vi"] != "documents_missing"
        await said(http, case_id, "accept", documents=missing)
        assert (await http.get(f"/v1/cases/{case_id}")).json()["missing"] == []


async def test_the_agency_that_a_case_went_to_sees_it_and_works_on_it_until_it_comes_back(office: Office) -> None:
    case_id = await opened(office)
    async with office.client() as owner, office.client(Role.OFFICER, "police") as other:
        await said(owner, case_id, "accept")
        assert (await other.get(f"/v1/cases/{case_id}")).status_code == 404
        await said(owner, case_id, "forward", to_agency="police", share_half_days=2)
        assert (await other.get(f"/v1/cases/{case_id}")).json()["answer_by"] is not None
        assert [item["case_id"] for item in (await other.get("/v1/cases?holder=police")).json()["items"]] == [str(case_id)]
        assert (await owner.get("/v1/cases?holder=police")).status_code == 403
        assert (await other.get("/v1/cases")).json()["items"] == []
        assert (await said(other, case_id, "resolve", 409, outcome="granted"))["reason"] == "wrong_agency"
        await said(other, case_id, "complete_step", step="assess")
        await said(other, case_id, "forward", to_agency=AGENCY)
        assert (await other.get(f"/v1/cases/{case_id}")).status_code == 404
        await said(owner, case_id, "resolve", outcome="granted")


async def test_an_officer_corrects_when_a_case_was_accepted_and_resolved(office: Office) -> None:
    case_id, filed = uuid4(), datetime.now(UTC) - timedelta(days=10)
    await office.submit(case_id, filed)
    await office.command(case_id, ask.Accept())
    await office.command(case_id, ask.Resolve(outcome=Outcome.GRANTED))
    await office.facts(case_id, 2)
    async with office.client() as http:
        _, accepted, resolved = (await http.get(f"/v1/cases/{case_id}/history")).json()["items"]
        really = (filed + timedelta(hours=1)).isoformat()
        correction = {"event_id": accepted["id"], "reason": "wrong_date_entered"}
        done = await said(http, case_id, "correct", **correction, occurred_at=really)
        assert done["due_at"] != accepted["data"]["due_at"]
        seen = (await http.get(f"/v1/cases/{case_id}")).json()
        assert datetime.fromisoformat(seen["accepted_at"]) == filed + timedelta(hours=1)
        assert seen["due_at"] == done["due_at"]
        early = await said(http, case_id, "correct", 409, **correction, occurred_at=(filed - timedelta(days=1)).isoformat())
        assert early["reason"] == "not_correctable"
        strange = await said(http, case_id, "correct", 409, event_id=str(uuid4()), reason="wrong_date_entered")
        assert strange["reason"] == "unknown_event"
        assert (await said(http, case_id, "correct", event_id=resolved["id"], reason="noted"))["status"] == 9
        far = await said(http, case_id, "correct", 422, **correction, occurred_at="0001-01-01T00:00:00+14:00")
        assert far["errors"][0]["code"] == "time_range"
    facts = await office.facts(case_id, 4)
    assert json.loads(facts[2][1])["corrected"] == "case.accepted"


async def test_a_correction_counts_with_what_its_own_batch_states(office: Office) -> None:
    case_id, filed = uuid4(), local("2021-03-01 08:00")
    await office.submit(case_id, filed, Origin.IMPORT)
    await office.command(case_id, ask.Accept(), local("2021-03-02 09:00"), Origin.IMPORT)
    accepted, _ = (await office.facts(case_id, 1))[0]
    correction = ask.Correct(event_id=UUID(accepted.id), reason="wrong_date_entered", occurred_at=local("2021-03-01 09:00"))
    wrong = correction.model_copy(update={"occurred_at": local("2021-03-04 09:00")})
    for command in (ask.Resolve(outcome=Outcome.GRANTED), wrong, correction):
        await office.command(case_id, command, local("2021-03-03 09:00"), Origin.IMPORT)
    facts = await office.facts(case_id, 4)
    assert [envelope.type for envelope, _ in facts[1:]] == ["case.resolved", "case.command_rejected", "case.corrected"]
    assert json.loads(facts[3][1])["due_at"].startswith("2021-03-15")
