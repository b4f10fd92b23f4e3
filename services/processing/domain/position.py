"""Where the clock of one case stands. Overdue belongs to the clock, never to the status."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.processing.domain.clock import ClockState
from services.processing.domain.limits import hand_over_by, regime_of
from services.processing.domain.timeline import Mark, Timeline
from shared.calendar import LimitUnit, WorkingCalendar, local_date
from shared.catalogue import LimitVersion
from shared.contracts.events import CaseAccepted, CaseStopped, Limit, SupplementRequested
from shared.contracts.words import Kind, Regime, StopKind, Timeliness


@dataclass(frozen=True, slots=True)
class Position:
    """The clock at one moment, which is never before the last fact that moved it.

    `stands_at` is that moment; of a clock that stands still, since when it does, and of one that has ended, the end. The
    turnaround goes from `accepted_at` to `to_at`; `stop_kind` says how it was stopped for good. `limit` is the one that makes
    the due date, `promised_due_at` the first appointment. `regime` is what will become of the limit when a clock that stands
    still goes on. `working_left` and `working_over` are microseconds of working time until the due date and since it, only
    while the clock runs; of a limit in hours `elapsed_left` is what is left by the wall clock.
    """

    state: ClockState
    kind: Kind | None
    code: str | None
    business_now: datetime
    refused: bool = False
    stop_kind: StopKind | None = None
    stands_at: datetime | None = None
    accepted_at: datetime | None = None
    to_at: datetime | None = None
    ended_at: datetime | None = None
    due_at: datetime | None = None
    statutory_due_at: datetime | None = None
    promised_due_at: datetime | None = None
    hand_over_by: datetime | None = None
    limit: Limit | None = None
    committed: Limit | None = None
    statutory: Limit | None = None
    overdue: bool = False
    statutory_overdue: bool = False
    due_soon: bool = False
    timeliness: Timeliness | None = None
    statutory_timeliness: Timeliness | None = None
    regime: Regime | None = None
    working_left: int | None = None
    working_over: int | None = None
    elapsed_left: int | None = None


def make_position(
    timeline: Timeline, version: LimitVersion | None, calendar: WorkingCalendar, business_now: datetime
) -> Position:
    """Read the clock. A case that was never accepted has none that runs."""
    accepted = timeline.accepted
    if accepted is None or not isinstance(accepted.event, CaseAccepted):
        first = timeline.submitted or timeline.refused
        kind = first.event.kind if first is not None else None
        return Position(ClockState.NOT_STARTED, kind, None, business_now, refused=timeline.refused is not None)
    event = accepted.event
    state, stands_at, to_at = _standing(timeline, business_now)
    running = state is ClockState.RUNNING
    due_at, statutory_due_at = timeline.due_at, timeline.statutory_due_at
    overdue = _is_past(due_at, stands_at, calendar)
    limit = event.committed or event.statutory
    return Position(
        state=state,
        kind=event.kind,
        code=event.code,
        business_now=business_now,
        stop_kind=_stop_kind(timeline),
        stands_at=stands_at,
        accepted_at=accepted.at,
        to_at=to_at,
        ended_at=to_at if state is ClockState.ENDED else None,
        due_at=due_at,
        statutory_due_at=statutory_due_at,
        promised_due_at=event.due_at,
        hand_over_by=event.hand_over_by if accepted.at == accepted.stated_at else hand_over_by(accepted.at, calendar),
        limit=limit,
        committed=event.committed,
        statutory=event.statutory,
        overdue=overdue,
        statutory_overdue=_is_past(statutory_due_at, stands_at, calendar),
        due_soon=running and due_at is not None and calendar.is_due_soon(local_date(due_at), stands_at),
        timeliness=timeline.timeliness,
        statutory_timeliness=timeline.statutory_timeliness,
        regime=_coming_regime(timeline.marks[-1], event.kind, version) if state is ClockState.STOPPED else None,
        working_left=left_until(due_at, stands_at, calendar) if running and not overdue else None,
        working_over=calendar.working_microseconds(due_at, stands_at) if running and overdue and due_at else None,
        elapsed_left=elapsed_until(due_at, stands_at) if running and limit and limit.unit == LimitUnit.HOURS else None,
    )


def _standing(timeline: Timeline, business_now: datetime) -> tuple[ClockState, datetime, datetime]:
    """The state, where the clock stands, and where the turnaround ends so far; never before what happened."""
    accepted_at = timeline.marks[0].fact.at
    if timeline.ended is not None:
        end = max(timeline.ended.at, accepted_at)
        return ClockState.ENDED, end, end
    now = max(business_now, *(mark.fact.at for mark in timeline.marks), accepted_at)
    if timeline.stopped_at is not None:
        return ClockState.STOPPED, max(timeline.stopped_at, accepted_at), now
    return ClockState.RUNNING, now, now


def _stop_kind(timeline: Timeline) -> StopKind | None:
    """How it was stopped for good, if that is how it ended."""
    event = timeline.ended.event if timeline.ended else None
    return event.stop_kind if isinstance(event, CaseStopped) else None


def _coming_regime(last: Mark, kind: Kind, version: LimitVersion | None) -> Regime:
    """What ends a supplement follows the procedure; every other standstill moves the due dates by its length."""
    return regime_of(kind, version) if isinstance(last.fact.event, SupplementRequested) else Regime.EXTEND


def left_until(due_at: datetime | None, at: datetime, calendar: WorkingCalendar) -> int | None:
    """Working microseconds from a moment to the due date; 0 after it."""
    if due_at is None:
        return None
    return calendar.working_microseconds(at, due_at) if due_at > at else 0


def elapsed_until(due_at: datetime | None, at: datetime) -> int | None:
    """Microseconds by the wall clock from a moment to the due date; 0 after it."""
    if due_at is None:
        return None
    left = due_at - at
    return max(left.days * 86_400_000_000 + left.seconds * 1_000_000 + left.microseconds, 0)


def _is_past(due_at: datetime | None, at: datetime, days: WorkingCalendar) -> bool:
    """Whether the due date had passed at a moment, by local dates."""
    return due_at is not None and days.is_overdue(local_date(due_at), at)
