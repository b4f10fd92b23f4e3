"""Taking events: in one transaction everything that they mean. What is answered is committed, and the other way round.

Locks are taken in one order by whoever comes: ids of events, keys of tickets, matters, calls, feeds; each kind in the order of
its keys. So two transactions cannot deadlock.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from services.intake.domain.submission import FilingRules
from services.intake.hotline import calls, feeds
from services.intake.hotline.arrivals import Arrival, Taken
from services.intake.hotline.cases import open_cases
from services.intake.hotline.event import Event, EventKey, event_of
from services.intake.hotline.heard import Heard
from services.intake.hotline.inbox import Claim, claim, find_known, give_back, settle
from services.intake.hotline.links import name_dossiers, send_commands
from services.intake.hotline.payloads import Position, keep_refused
from services.intake.hotline.receipts import give_receipts
from services.intake.hotline.series import HotlineSeries
from services.intake.metrics import IntakeMetrics
from services.intake.opening import Outcome
from shared.catalogue import Catalogue
from shared.contracts.hotline import EventOutcome
from shared.contracts.words import Lane
from shared.persistence.work import Work
from shared.security.key_ring import KeyRing

MOST_AT_ONCE: Final = 5_000
"""Events that share one transaction, unless one payload alone holds more: what takes too long would be tried in vain for ever."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Taking:
    """What taking needs beside the transaction."""

    keys: KeyRing
    catalogue: Catalogue
    metrics: IntakeMetrics
    series: HotlineSeries

    async def take(
        self, work: Work[Any], arrivals: Sequence[Arrival], *, again: bool = False, trial: bool = False
    ) -> list[list[Taken]]:
        """Take the events of these payloads; what became of each, payload by payload.

        With `again` they were refused before: what is refused still is told, and not kept or counted a second time. A `trial`
        is not committed, and its events may be of any age.
        """
        now = None if trial else work.now
        groups = [[event_of(arrival, understood, now) for understood in arrival.understood] for arrival in arrivals]
        claimed = await _claim(work, [event for group in groups for event in group])
        opened = await open_cases(work, self.keys, FilingRules(self.catalogue, work.now), claimed)
        await name_dossiers(work.tx, claimed)
        send_commands(work, claimed)
        await _settle(work, claimed)
        for event in (event for group in groups for event in group):
            event.follow_first()
        answers = [[event.answer() for event in group] for group in groups]
        known = _refused(answers) if again else await keep_refused(work.tx, self.keys, arrivals, answers)
        told = [*zip(arrivals, _without(answers, known), strict=True)]
        for arrival, taken in told:
            give_receipts(work, arrival, taken)
        heard = [_heard(work, event) for group in _without(groups, known) for event in group]
        await calls.fold(work.tx, heard)
        await feeds.note(work.tx, heard)
        work.after_commit.append(partial(self._count, told, opened))
        return answers

    def _count(self, told: Sequence[tuple[Arrival, Sequence[Taken]]], opened: int) -> None:
        for arrival, taken in told:
            self.series.count(arrival, taken)
        for _ in range(opened):
            self.metrics.count(Lane.INTERACTIVE, Outcome.OPENED)


async def _claim(work: Work[Any], events: Sequence[Event]) -> list[Event]:
    """The events that are new, each once; the others learn what they repeat."""
    first: dict[EventKey, Event] = {}
    for event in events:
        if event.said is not None and first.setdefault(event.key, event) is not event:
            event.first = first[event.key]
    ours = await claim(work.tx, [_claim_of(event) for event in first.values()])
    known = await find_known(work.tx, first.keys() - ours)
    for key, event in first.items():
        if key not in ours:
            event.repeat(known.get(key))
    return [event for key, event in first.items() if key in ours]


def _claim_of(event: Event) -> Claim:
    said = event.said
    assert said is not None  # noqa: S101 - only what was understood is claimed
    kind = None if said.body is None else said.body.type
    return Claim(
        *event.key, event.agency, said.occurred_at, event.arrival.door.value, kind, event.outcome.value, event.note or None
    )  # fmt: skip


async def _settle(work: Work[Any], claimed: Sequence[Event]) -> None:
    """Write what came of the events that are ours, where that is more than that they were taken."""
    refused = [event.key for event in claimed if event.outcome is EventOutcome.REFUSED]
    await give_back(work.tx, refused)
    changed = [
        event for event in claimed if event.outcome is EventOutcome.DUPLICATE or (event.body and (event.case_id or event.note))
    ]
    await settle(work.tx, [(*event.key, event.outcome.value, event.case_id, event.note or None) for event in changed])


def _refused(answers: Sequence[Sequence[Taken]]) -> set[Position]:
    return {
        (payload, number)
        for payload, taken in enumerate(answers)
        for number, each in enumerate(taken)
        if each.outcome is EventOutcome.REFUSED
    }


def _without(groups: Sequence[Sequence[T]], known: Container[Position]) -> list[list[T]]:
    """What is told of each payload: all but what was told before."""
    return [[each for number, each in enumerate(group) if (payload, number) not in known] for payload, group in enumerate(groups)]


def _heard(work: Work[Any], event: Event) -> Heard:
    return Heard(event.source, event.agency, event.outcome, event.said, work.now, event.sequence, event.sequence_scope)
