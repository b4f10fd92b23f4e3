"""Feedback through the four services: filed, forwarded, answered, published, opened again and rated; dates counted by hand.

Saturday 22 August 2026 was worked; 31 August to 2 September 2026 were days off.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from shared.calendar import ZONE
from shared.contracts import commands as ask
from shared.contracts.commands import Command
from shared.contracts.envelope import Envelope
from shared.contracts.topics import CASE_COMMANDS
from shared.contracts.words import ContactVia, Origin
from shared.messaging.kafka import make_producer
from shared.security.tokens import Role
from tests.support.installation import Installation, installed
from tests.support.servers import Servers
from tests.support.waiting import eventually

AGENCY = "tong-dai-1022"
FEEDBACK = {"kind": "feedback", "procedure": "feedback.other", "channel": "hotline", "matter": "environment"}
OF_TIME = ("case.due_soon", "case.overdue", "case.escalated")
WAY: tuple[tuple[str, dict[str, Any]], ...] = (
    ("2026-08-20 10:00", {"type": "accept"}),
    ("2026-08-26 16:00", {"type": "forward", "to_agency": "so-tnmt"}),
    ("2026-08-28 09:00", {"type": "forward", "to_agency": AGENCY}),
    ("2026-08-28 16:00", {"type": "resolve", "outcome": "answered"}),
    ("2026-09-03 09:00", {"type": "complete_step", "step": "publish"}),
    ("2026-09-03 10:00", {"type": "rate", "score": 1}),
    ("2026-09-04 09:00", {"type": "reopen", "reason": "reopened_by_citizen"}),
    ("2026-09-15 09:00", {"type": "resolve", "outcome": "answered"}),
    ("2026-09-15 10:00", {"type": "rate", "score": 4}),
)


def moment(text: str) -> str:
    """A moment of Viet Nam's time as HTTP has it."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).isoformat()


def local(text: str) -> str:
    """A time of an answer, in Viet Nam."""
    return datetime.fromisoformat(text).astimezone(ZONE).strftime("%Y-%m-%d %H:%M")


@dataclass
class Hotline:
    """The agency that takes feedback, a replayed autumn long."""

    city: Installation

    async def say(
        self, service: str, method: str, path: str, expected: int = 200, role: Role = Role.IMPORTER, **more: Any
    ) -> Any:
        """One HTTP request; the JSON answer."""
        headers = self.city.headers(role, AGENCY) | more.pop("headers", {})
        answer = await self.city.http.request(method, self.city.url(service, path), headers=headers, **more)
        assert answer.status_code == expected, answer.text
        return answer.json()

    async def file(self, at: str, **body: Any) -> str:
        """A case, once processing has it."""
        filing = {"agency": AGENCY, "filed_at": moment(at), "origin": "replay", **body}
        made = await self.say("intake", "POST", "/v1/cases", 201, json=filing, headers={"Idempotency-Key": uuid4().hex})
        case_id = str(made["case_id"])

        async def known() -> bool:
            path = self.city.url("processing", f"/v1/cases/{case_id}")
            return (await self.city.http.get(path, headers=self.city.headers(Role.OFFICER, AGENCY))).status_code == 200

        await eventually("processing has the case", known)
        return case_id

    async def command(self, case_id: str, at: str, **body: Any) -> Any:
        """One command of the past."""
        body |= {"occurred_at": moment(at), "origin": "replay"}
        return await self.say("processing", "POST", f"/v1/cases/{case_id}/commands", json=body)

    async def from_intake(self, case_id: str, command: Command) -> None:
        """A command as intake sends it when a call centre named the case."""
        now = datetime.now(UTC)
        envelope = Envelope(str(uuid4()), command.type, "/intake", case_id, AGENCY, now, now, Origin.LIVE)
        producer = make_producer(self.city.kafka, "intake")
        await producer.start()
        try:
            topic = f"{self.city.run}-{CASE_COMMANDS.name}"
            value = command.model_dump_json().encode()
            await producer.send_and_wait(topic, value, key=case_id.encode(), headers=envelope.to_headers())
        finally:
            await producer.stop()

    async def stand_at(self, at: str) -> None:
        """Set the business clock."""
        body = {"mode": "historical", "at": moment(at)}
        await self.say("processing", "PUT", f"/v1/agencies/{AGENCY}/clock", json=body)

    async def case(self, case_id: str) -> Any:
        """A case as an officer sees it."""
        return await self.say("processing", "GET", f"/v1/cases/{case_id}", role=Role.OFFICER)

    async def history(self, case_id: str) -> list[dict[str, Any]]:
        """Its facts."""
        page = await self.say("processing", "GET", f"/v1/cases/{case_id}/history", role=Role.OFFICER)
        return list(page["items"])

    async def listed(self, **filters: str) -> set[str]:
        """The cases of a list."""
        page = await self.say("processing", "GET", "/v1/cases", role=Role.OFFICER, params=filters)
        return {item["case_id"] for item in page["items"]}


@pytest.fixture(scope="module")
async def hotline(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hotline]:
    folder: Path = tmp_path_factory.mktemp("city")
    async with installed(servers, folder, extra={"MOTCUA_TIMER_SECONDS": "0.2", "MOTCUA_TIMER_GRACE_SECONDS": "0"}) as city:
        yield Hotline(city)


async def test_feedback_lives_from_its_filing_to_the_citizens_rating_under_the_limits_of_law(hotline: Hotline) -> None:
    await hotline.stand_at("2026-08-19 09:00")
    case_id = await hotline.file("2026-08-19 09:00", **FEEDBACK)
    answers = [await hotline.command(case_id, at, **body) for at, body in WAY]
    assert answers[-1]["status"] == 9

    history = [each for each in await hotline.history(case_id) if each["type"] not in OF_TIME]
    said = {(each["type"], number): each["data"] for number, each in enumerate(history)}
    assert [kind.removeprefix("case.") for kind, _ in said] == [
        "submitted", "accepted", "forwarded", "forwarded", "resolved", "step_completed", "rated", "reopened", "resolved", "rated",
    ]  # fmt: skip
    accepted, answered, again = said["case.accepted", 1], said["case.resolved", 4], said["case.resolved", 8]
    assert said["case.submitted", 0]["matter"] == "environment"
    assert (local(accepted["due_at"]), local(accepted["hand_over_by"])) == ("2026-09-14 17:00", "2026-08-26 17:00")
    assert (answered["timeliness"], answered["duty"], local(answered["duty_by"])) == ("early", "publish", "2026-09-04 17:00")
    assert said["case.step_completed", 5]["after_result"]
    assert (again["timeliness"], local(again["duty_by"])) == ("late", "2026-09-17 17:00")

    seen = await hotline.case(case_id)
    assert (seen["matter"], seen["score"], seen["reopenings"], seen["contacts"]) == ("environment", 4, 1, 0)
    clock = await hotline.say("processing", "GET", f"/v1/cases/{case_id}/clock", role=Role.OFFICER)
    assert "Quyết định 766/QĐ-TTg, mục 5.2" in str(clock)


async def test_what_citizens_said_of_the_answers_is_a_mean_of_the_agency(hotline: Hotline) -> None:
    async def counted() -> bool:
        figures = await hotline.say("metrics", "GET", "/v1/figures", role=Role.AUDITOR, params={"agency": AGENCY})
        return bool(figures["satisfaction"] == {"ratings": 2, "mean_score": 2.5})

    await eventually("metrics has both ratings", counted)
    past = {"agency": AGENCY, "as_of": moment("2026-09-01 00:00")}
    assert (await hotline.say("metrics", "GET", "/v1/figures", role=Role.AUDITOR, params=past))["satisfaction"] is None


async def test_feedback_that_nobody_decides_about_is_raised_after_two_working_days(hotline: Hotline) -> None:
    await hotline.stand_at("2026-08-21 23:00")
    case_id = await hotline.file("2026-08-19 09:00", **FEEDBACK | {"matter": "traffic"})
    assert len(await hotline.history(case_id)) == 1
    await hotline.stand_at("2026-08-22 08:00")

    async def raised() -> bool:
        return len(await hotline.history(case_id)) == 2

    await eventually("the head of the one-stop unit is told", raised)
    escalated = (await hotline.history(case_id))[1]
    assert (escalated["type"], escalated["data"]["reason"], local(escalated["occurred_at"])) == (
        "case.escalated", "undecided", "2026-08-22 00:00",
    )  # fmt: skip
    await hotline.command(case_id, "2026-08-24 09:00", type="refuse", reason="not_accepted_feedback")
    assert (await hotline.history(case_id))[-1]["data"]["late"] is True
    assert await hotline.listed(kind="feedback", matter="traffic") == {case_id}


async def test_two_tickets_of_one_matter_are_tied_in_both_histories(hotline: Hotline) -> None:
    first = await hotline.file("2026-08-19 09:00", **FEEDBACK)
    second = await hotline.file("2026-08-19 10:00", **FEEDBACK)
    for one, other in ((first, second), (second, first)):
        await hotline.command(one, "2026-08-19 10:00", type="link", other_case_id=other, reason="same_matter")
        tie = (await hotline.history(one))[-1]
        assert (tie["type"], tie["data"]["other_case_id"]) == ("case.linked", other)


async def test_the_officer_of_a_late_dossier_sees_that_its_citizen_called(hotline: Hotline) -> None:
    await hotline.stand_at("2026-08-19 09:00")
    late, quiet = [
        await hotline.file("2026-08-19 09:00", kind="dossier", procedure="1.001806", channel="counter") for _ in range(2)
    ]
    for case_id in (late, quiet):
        await hotline.command(case_id, "2026-08-19 10:00", type="accept", unit="labour")
    called_at = datetime(2026, 9, 10, 2, 11, tzinfo=UTC)
    await hotline.from_intake(late, ask.RecordContact(via=ContactVia.CALL, source="stringee", at=called_at))
    ticket = uuid4()
    await hotline.from_intake(
        late, ask.RecordContact(via=ContactVia.TICKET, source="ticket-1022", at=called_at, other_case_id=ticket)
    )

    async def contacted() -> bool:
        return bool((await hotline.case(late))["contacts"] == 2)

    await eventually("both contacts are counted", contacted)
    assert datetime.fromisoformat((await hotline.case(late))["contacted_at"]) == called_at
    assert (await hotline.history(late))[-1]["data"] == {
        "agency": AGENCY, "kind": "dossier", "via": "ticket", "source": "ticket-1022", "at": "2026-09-10T02:11:00Z",
        "other_case_id": str(ticket),
    }  # fmt: skip
    await hotline.stand_at("2026-09-20 09:00")
    assert await hotline.listed(kind="dossier", overdue="true") == {late, quiet}
    assert await hotline.listed(kind="dossier", overdue="true", contacted="true") == {late}
    assert await hotline.listed(kind="dossier", contacted="false") == {quiet}
