"""A case's history as its clock sees it: when it ran and stood still, and what set each due date.

A correction replaces the time of the fact that it corrects; the due dates that follow from it are stated by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.processing.domain.counting import Span
from shared.contracts.events import (
    CaseAccepted,
    CaseCorrected,
    CaseEvent,
    CaseExtended,
    CaseRefused,
    CaseReopened,
    CaseResolved,
    CaseResumed,
    CaseStopped,
    CaseSubmitted,
    DueDateRecalculated,
    PaymentReceived,
    PaymentRequested,
    SupplementReceived,
    SupplementRequested,
    WithdrawalRequested,
)
from shared.contracts.words import Regime, StopKind, Timeliness

CLOCK_STOPPED = "clock_stopped"
"""Why a due date is counted again when a case is resolved while its clock stands still."""


class Recorded(NamedTuple):
    """A fact of the history with its id and when it happened, as it was stated."""

    id: UUID
    event: CaseEvent
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that moves the clock; `at` is when it really happened, `stated_at` what was said first."""

    id: UUID
    event: CaseEvent
    at: datetime
    stated_at: datetime


@dataclass(frozen=True, slots=True)
class Mark:
    """From here on the clock runs, or stands still. `count` is the number of the count, `regime` what ended a supplement."""

    fact: Fact
    running: bool
    count: int
    regime: Regime | None = None


@dataclass(frozen=True, slots=True)
class DueChange:
    """Due dates that a fact set, and those before it; `stop` is the standstill that moved them."""

    fact: Fact
    due_at: datetime | None
    statutory_due_at: datetime | None
    old_due_at: datetime | None
    regime: Regime | None = None
    stop: Span | None = None


@dataclass(slots=True)
class Timeline:
    """Where the clock has been. `ended` is the resolution, or the stop for good, as long as nobody took it back.

    `count_from` is where the present count began; `moves` are the standstills that moved its due date, and the appointment
    that an officer set instead, in order.
    """

    submitted: Fact | None = None
    refused: Fact | None = None
    accepted: Fact | None = None
    ended: Fact | None = None
    marks: list[Mark] = field(default_factory=list)
    changes: list[DueChange] = field(default_factory=list)
    due_at: datetime | None = None
    statutory_due_at: datetime | None = None
    count: int = 1
    count_from: datetime | None = None
    stopped_at: datetime | None = None
    moves: list[Span | datetime] = field(default_factory=list)
    timeliness: Timeliness | None = None
    statutory_timeliness: Timeliness | None = None

    def mark(self, fact: Fact, *, running: bool, regime: Regime | None = None) -> None:
        """The clock runs, or stands still, from this fact on."""
        self.marks.append(Mark(fact, running, self.count, regime))

    def set_due(
        self,
        fact: Fact,
        due_at: datetime | None,
        statutory_due_at: datetime | None,
        regime: Regime | None = None,
        stop: Span | None = None,
    ) -> None:
        """Other due dates. What stays the same is no change, unless it was counted from the start."""
        anew = regime is Regime.RESTART
        if (due_at, statutory_due_at) != (self.due_at, self.statutory_due_at) or (anew and due_at is not None):
            self.changes.append(DueChange(fact, due_at, statutory_due_at, self.due_at, regime, stop))
        self.due_at, self.statutory_due_at = due_at, statutory_due_at


def read_timeline(history: Iterable[Recorded]) -> Timeline:
    """Fold a history, in its order. Facts that say nothing about time are passed over."""
    timeline = Timeline()
    for fact in _corrected(list(history)):
        if timeline.accepted is not None:
            if (note := NOTES.get(type(fact.event))) is not None:
                note(timeline, fact)
        elif isinstance(fact.event, CaseAccepted):
            _accepted(timeline, fact)
        elif isinstance(fact.event, CaseRefused):
            timeline.refused = fact
        elif isinstance(fact.event, CaseSubmitted):
            timeline.submitted = fact
    return timeline


def _corrected(history: list[Recorded]) -> list[Fact]:
    """The facts at the times at which they really happened: the last correction of each one holds."""
    times = {each.event.event_id: each.event.occurred_at for each in history if isinstance(each.event, CaseCorrected)}
    return [Fact(each.id, each.event, times.get(each.id) or each.occurred_at, each.occurred_at) for each in history]


def _accepted(timeline: Timeline, fact: Fact) -> None:
    event = fact.event
    if isinstance(event, CaseAccepted):
        timeline.accepted, timeline.count_from = fact, fact.at
        timeline.mark(fact, running=True)
        timeline.set_due(fact, event.due_at, event.statutory_due_at)


def _stood_still(timeline: Timeline, fact: Fact) -> None:
    timeline.stopped_at = timeline.stopped_at or fact.at
    timeline.mark(fact, running=False)


def _stopped(timeline: Timeline, fact: Fact) -> None:
    """A suspension stands still; a withdrawal and a termination end the clock as well."""
    _stood_still(timeline, fact)
    if isinstance(fact.event, CaseStopped) and fact.event.stop_kind is not StopKind.SUSPENDED:
        timeline.ended = fact


def _went_on(timeline: Timeline, fact: Fact) -> None:
    """The due dates moved by the standstill."""
    event = fact.event
    if isinstance(event, PaymentReceived | CaseResumed):
        _go(timeline, fact, Regime.EXTEND, (event.due_at, event.statutory_due_at))


def _supplemented(timeline: Timeline, fact: Fact) -> None:
    event = fact.event
    if isinstance(event, SupplementReceived):
        _go(timeline, fact, event.regime or Regime.RESTART, (event.due_at, event.statutory_due_at))


def _go(timeline: Timeline, fact: Fact, regime: Regime, due: tuple[datetime | None, datetime | None]) -> None:
    timeline.ended = None
    since, timeline.stopped_at = timeline.stopped_at, None
    stop = (since, max(since, fact.at)) if since is not None else None
    if regime is Regime.RESTART:
        timeline.count += 1
        timeline.count_from = fact.at
        timeline.moves.clear()
    elif regime is Regime.EXTEND and stop is not None:
        timeline.moves.append(stop)
    supplement = regime if isinstance(fact.event, SupplementReceived) else None
    timeline.mark(fact, running=True, regime=supplement)
    timeline.set_due(fact, due[0] or timeline.due_at, due[1] or timeline.statutory_due_at, supplement, stop)


def _extended(timeline: Timeline, fact: Fact) -> None:
    if isinstance(fact.event, CaseExtended):
        timeline.moves.append(fact.event.new_due_at)
        timeline.set_due(fact, fact.event.new_due_at, timeline.statutory_due_at)


def _recalculated(timeline: Timeline, fact: Fact) -> None:
    event = fact.event
    if isinstance(event, DueDateRecalculated):
        named = event.old_statutory_due_at is not None or event.new_statutory_due_at is not None
        stop = None
        if event.reason == CLOCK_STOPPED and timeline.stopped_at is not None:
            stop = timeline.stopped_at, fact.at
            timeline.moves.append(stop)
        statutory_due_at = event.new_statutory_due_at if named else timeline.statutory_due_at
        timeline.set_due(fact, event.new_due_at, statutory_due_at, stop=stop)


def _resolved(timeline: Timeline, fact: Fact) -> None:
    """The end; what follows it is of interest only when the case is reopened, and then it counts."""
    if isinstance(fact.event, CaseResolved):
        timeline.ended, timeline.stopped_at = fact, None
        timeline.mark(fact, running=True)
        timeline.timeliness, timeline.statutory_timeliness = fact.event.timeliness, fact.event.statutory_timeliness


def _reopened(timeline: Timeline, fact: Fact) -> None:
    timeline.ended = None
    timeline.timeliness = timeline.statutory_timeliness = None
    timeline.mark(fact, running=True)


def _corrects(timeline: Timeline, fact: Fact) -> None:
    """What follows from another moment of acceptance or of resolution."""
    event = fact.event
    if not isinstance(event, CaseCorrected) or event.occurred_at is None:
        return
    if event.corrected == CaseAccepted.type:
        timeline.set_due(fact, event.due_at, event.statutory_due_at)
    if timeline.timeliness is not None:
        timeline.timeliness = event.timeliness or timeline.timeliness
        timeline.statutory_timeliness = event.statutory_timeliness or timeline.statutory_timeliness


NOTES: Mapping[type[CaseEvent], Callable[[Timeline, Fact], Any]] = {
    SupplementRequested: _stood_still,
    PaymentRequested: _stood_still,
    WithdrawalRequested: _stood_still,
    CaseStopped: _stopped,
    SupplementReceived: _supplemented,
    PaymentReceived: _went_on,
    CaseResumed: _went_on,
    CaseExtended: _extended,
    DueDateRecalculated: _recalculated,
    CaseResolved: _resolved,
    CaseReopened: _reopened,
    CaseCorrected: _corrects,
}
"""Event type → what it does to the clock of an accepted case."""

CLOCK_FACTS = (CaseSubmitted.type, CaseRefused.type, CaseAccepted.type, *(event.type for event in NOTES))
"""The types of the facts that are read here."""
