"""What is there after a call centre's load, measured by what it was answered: each 200 has its effect once, nothing is twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer

from shared.contracts.envelope import Envelope, from_headers
from shared.contracts.events import CallEnded, CaseSubmitted, FeedObserved
from shared.contracts.topics import CASE_EVENTS
from tests.support.chaos.history import Offsets, places
from tests.support.hotline_load import AGENCY, CallCentre, Sent
from tests.support.installation import Installation
from tests.support.switchboard import SOURCE
from tests.support.waiting import eventually

DONE = """
select not exists (select from outbox) and not exists (select from calls where stated_at is null and end_heard_at is not null)
  and not exists (select from feeds where changed)
"""


@dataclass(frozen=True, slots=True)
class Remains:
    """The rows of intake's tables, and each fact on the topic once."""

    events: dict[str, tuple[str, str | None]]
    """Outcome and case by event."""
    cases: list[str]
    tickets: dict[str, str]
    calls: dict[str, bool]
    """By call, whether its end was stated."""
    feed: dict[str, Any]
    facts: dict[str, tuple[Envelope, bytes]]

    def of(self, kind: str) -> list[tuple[Envelope, bytes]]:
        """The facts of one type."""
        return [each for each in self.facts.values() if each[0].type == kind]


async def compare(centre: CallCentre) -> list[str]:
    """What is wrong; nothing when every promise was kept."""
    remains = await _look(centre.installed)
    kept = [each for each in centre.sent if each.event_id in remains.events]
    wrong = list(centre.odd)
    wrong += _of_answers(centre, remains)
    wrong += _of_tickets(kept, remains)
    wrong += _of_calls(kept, remains)
    return wrong + _of_feed(centre, kept, remains)


def _of_answers(centre: CallCentre, remains: Remains) -> list[str]:
    wrong = []
    for each in centre.answered:
        outcome, case_id = remains.events.get(each.event_id, ("", None))
        told = each.answer or {}
        if outcome != "accepted" or told["outcome"] not in {"accepted", "duplicate"} or told.get("case_id") != case_id:
            wrong.append(f"{each.number}: answered {told}, kept {outcome} {case_id}")
    unknown = remains.events.keys() - {each.event_id for each in centre.sent}
    left = [each.number for each in centre.sent if each.answer is None and not each.gives_up]
    return wrong + _unless("events that nobody sent", unknown, set()) + _unless("never answered", left, [])


def _of_tickets(kept: list[Sent], remains: Remains) -> list[str]:
    """One case for each ticket that was kept, and one `case.submitted` for each case."""
    opened = {each.ticket: remains.events[each.event_id][1] for each in kept if each.ticket is not None}
    submitted = Counter(envelope.subject for envelope, _ in remains.of(CaseSubmitted.type))
    return (
        _unless("tickets", remains.tickets, opened)
        + _unless("cases", sorted(remains.cases), sorted(remains.tickets.values()))
        + _unless("submissions stated", submitted, Counter(remains.cases))
    )


def _of_calls(kept: list[Sent], remains: Remains) -> list[str]:
    """One row for each call of which anything was kept, and one `hotline.call_ended` for each whose end was."""
    told = {each.call for each in kept if each.ticket is None}
    ended = {each.call for each in kept if each.ticket is None and each.state == "ended"}
    return _unless("calls", remains.calls, {call: call in ended for call in told}) + _unless(
        "ends of calls stated", len(remains.of(CallEnded.type)), len(ended)
    )


def _of_feed(centre: CallCentre, kept: list[Sent], remains: Remains) -> list[str]:
    """Totals, missing numbers and the numbers of facts; what was lost on the way may have been sent again, and counts twice."""
    numbers = {each.number for each in kept}
    missing = [number for number in range(max(numbers)) if number not in numbers]
    facts = [each for each in remains.facts.values() if each[0].subject == SOURCE]
    heard = [envelope.sequence for envelope, _ in facts]
    last = max(remains.of(FeedObserved.type), key=lambda each: each[0].sequence)[1]
    stated, feed = FeedObserved.model_validate_json(last), remains.feed
    wrong = _unless("accepted", (stated.accepted, feed["accepted"]), (len(kept), len(kept)))
    told = sum(each.answer["outcome"] == "duplicate" for each in centre.answered if each.answer)
    if not told <= feed["duplicate"] == stated.duplicate <= centre.broken:
        wrong.append(f"duplicates: {told} answered, {feed['duplicate']} counted, {stated.duplicate} stated")
    named = {each.number for each in stated.missing_numbers}
    wrong += _unless("missing", (stated.missing, len(named)), (len(missing), min(20, len(missing))))
    wrong += _unless("named as missing, and kept", named - {*missing}, set())
    return wrong + _unless("facts of the source are numbered", sorted(heard), list(range(1, len(heard) + 1)))


def _unless(what: str, found: Any, expected: Any) -> list[str]:
    if found == expected:
        return []
    return [f"{what}: {str(found)[:300]} and not {str(expected)[:300]}"]


async def _look(city: Installation) -> Remains:
    """Wait until every call that has ended is stated, and everything is sent; then read it all."""

    async def done() -> bool:
        return bool((await city.query("intake", DONE))[0][0])

    await eventually("every call and feed is stated and everything is sent", done, within=120)
    events = await city.query("intake", "select event_id, outcome, case_id::text from hotline_events where source = $1", SOURCE)
    tickets = await city.query("intake", "select ticket_id, case_id::text from tickets where source = $1", SOURCE)
    calls = await city.query("intake", "select call_id, stated_at is not null from calls where source = $1", SOURCE)
    cases = await city.query("intake", "select case_id::text from submissions where agency = $1", AGENCY)
    (feed,) = await city.query("intake", "select * from feeds where source = $1", SOURCE)
    return Remains(
        {row[0]: (row[1], row[2]) for row in events},
        [row[0] for row in cases],
        {row[0]: row[1] for row in tickets},
        {row[0]: row[1] for row in calls},
        dict(feed),
        await _facts(city),
    )


async def _facts(city: Installation) -> dict[str, tuple[Envelope, bytes]]:
    """Every fact on the topic by its id: who dies between publishing and forgetting publishes the same fact again."""
    client, found = AIOKafkaConsumer(bootstrap_servers=city.bootstrap), dict[str, tuple[Envelope, bytes]]()
    await client.start()
    try:
        end: Offsets = await client.end_offsets(places(city, CASE_EVENTS))
        left = [place for place, offset in end.items() if offset]
        client.assign(left)
        for place in left:
            client.seek(place, 0)
        while left:
            for records in (await client.getmany(*left, timeout_ms=500)).values():
                for record in records:
                    envelope = from_headers(record.headers)
                    found[envelope.id] = envelope, record.value
            left = [place for place in left if await client.position(place) < end[place]]
        return found
    finally:
        await client.stop()
