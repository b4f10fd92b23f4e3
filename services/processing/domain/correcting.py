"""What a correction of the past states. History keeps both; what follows from the true time is counted again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.processing.domain.acts import about, timeliness
from services.processing.domain.case import Case
from services.processing.domain.context import Context, Decision, Rejected
from services.processing.domain.limits import Due, count_from, moved, supplemented, version_of
from services.processing.domain.timeline import Recorded
from shared.calendar import WorkingCalendar
from shared.catalogue import LimitVersion
from shared.contracts import commands as ask
from shared.contracts import events as fact
from shared.contracts.events import CaseEvent
from shared.contracts.words import Regime, Rejection

STOPS = frozenset({fact.SupplementRequested, fact.PaymentRequested, fact.WithdrawalRequested, fact.CaseStopped})
"""Facts with which a clock stands still."""
IN_ORDER = STOPS | {
    fact.CaseSubmitted, fact.CaseAccepted, fact.SupplementReceived, fact.PaymentReceived, fact.CaseResumed, fact.CaseExtended,
    fact.CaseResolved, fact.CaseReturned, fact.CaseReopened,
}  # fmt: skip
"""Facts that a clock is made of: a corrected one keeps its place among them."""

Told = list[tuple[CaseEvent, datetime]]
"""Facts with the times at which they really happened, in the order of the history."""


def correct(case: Case, command: ask.Correct, context: Context) -> Decision:
    """Say that a fact was wrong, or when it really happened; only the end points of the clock can be moved."""
    history = context.history
    place = next((place for place, each in enumerate(history) if each.id == command.event_id), None)
    if place is None:
        return Rejected(Rejection.UNKNOWN_EVENT)
    event = history[place].event
    said: dict[str, Any] = {**about(case), "event_id": command.event_id, "reason": command.reason, "corrected": event.type}
    if command.occurred_at is None:
        return [fact.CaseCorrected(**said)]
    told = really(history)
    fault = _fault(case, told, place, command.occurred_at, context)
    if fault is not None:
        return Rejected(Rejection.NOT_CORRECTABLE, fault)
    told[place] = (event, command.occurred_at)
    follows = _follows(case, event, told, command.occurred_at, context)
    return [fact.CaseCorrected(**said, occurred_at=command.occurred_at, **follows)]


def really(history: Sequence[Recorded]) -> Told:
    """The facts with the times that hold: the last correction of each."""
    times = {each.event.event_id: each.event.occurred_at for each in history if isinstance(each.event, fact.CaseCorrected)}
    return [(each.event, times.get(each.id) or each.occurred_at) for each in history]


def _fault(case: Case, told: Told, place: int, at: datetime, context: Context) -> str | None:
    """Why this fact cannot be said to have happened then."""
    event = told[place][0]
    holds = {
        fact.CaseAccepted: case.accepted_at,
        fact.CaseResolved: case.resolved_at,
        fact.CaseReturned: case.returned_at,
    }.get(type(event))
    if holds is None or any(isinstance(each, type(event)) for each, _ in told[place + 1 :]):
        return "only the acceptance, the resolution and the return that hold have another time"
    before = [each for each in told[:place] if _is_in_order(each[0])]
    if isinstance(event, fact.CaseResolved) and before and type(before[-1][0]) in STOPS:
        return "it was resolved while its clock stood still"
    earliest = before[-1][1] if before else at
    latest = next((when for each, when in told[place + 1 :] if _is_in_order(each)), context.occurred_at)
    return None if earliest <= at <= min(latest, context.occurred_at) else "it would not be in the order of the facts"


def _is_in_order(event: CaseEvent) -> bool:
    """A completion that came with the acceptance, not under a running clock, has no place of its own."""
    return type(event) in IN_ORDER and not (isinstance(event, fact.SupplementReceived) and event.regime is None)


def _follows(case: Case, event: CaseEvent, told: Told, at: datetime, context: Context) -> dict[str, Any]:
    """What the true time changes: due dates, timeliness, and the time of the duty after the result."""
    days = context.calendar
    version = version_of(case, at, context.catalogue)
    due, resolved_at = (case.due_at, case.statutory_due_at), case.resolved_at
    follows: dict[str, Any] = {}
    if isinstance(event, fact.CaseAccepted):
        due = recount(told, version, days)
        follows = {"due_at": due[0], "statutory_due_at": due[1], "duty_by": case.duty_by}
    elif isinstance(event, fact.CaseResolved):
        resolved_at = at
        duty = version.after_result if version and case.duty else None
        follows = {"duty_by": days.due_at(at, duty.limit) if duty else None}
    if resolved_at is not None and follows:
        follows["timeliness"] = timeliness(due[0], resolved_at, days)
        follows["statutory_timeliness"] = timeliness(due[1], resolved_at, days)
    return follows


ENDS_OF_STOPS = (fact.SupplementReceived, fact.PaymentReceived, fact.CaseResumed, fact.CaseResolved)
"""Facts with which it runs again, and the end, up to which a standstill lasted."""


def recount(told: Told, version: LimitVersion | None, days: WorkingCalendar) -> Due:
    """The due dates of a whole history, counted again by the version that the case keeps.

    An appointment that an officer set stays; without a known limit, so does every due date that was stated.
    """
    due: Due = (None, None)
    stopped_at: datetime | None = None
    for event, at in told:
        if type(event) in STOPS:
            stopped_at = stopped_at or at
        elif isinstance(event, fact.CaseExtended):
            due = event.new_due_at, due[1]
        elif isinstance(event, fact.CaseAccepted):
            due, stopped_at = _first_due(event, at, version, days), None
        elif stopped_at is not None and isinstance(event, ENDS_OF_STOPS):
            due, stopped_at = _due_after(event, due, version, (stopped_at, at), days), None
    return due


def _first_due(event: fact.CaseAccepted, at: datetime, version: LimitVersion | None, days: WorkingCalendar) -> Due:
    counted = event.committed is not None or event.statutory is not None
    return count_from(at, version, days) if counted and version else (event.due_at, event.statutory_due_at)


def _due_after(
    event: CaseEvent, due: Due, version: LimitVersion | None, stop: tuple[datetime, datetime], days: WorkingCalendar
) -> Due:
    if isinstance(event, fact.SupplementReceived):
        return supplemented(due, event.regime or Regime.RESTART, version, stop, days)
    return moved(due, version, stop, days)
