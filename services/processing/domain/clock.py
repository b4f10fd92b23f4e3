"""Where the clock of one case stands. Overdue belongs to the clock, never to the status."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.processing.domain.case import Case
from shared.calendar import WorkingCalendar, local_date
from shared.contracts.words import ClockMode


class ClockState(StrEnum):
    """Not started before acceptance; ended by a resolution, and by a refusal before it ever ran."""

    NOT_STARTED = "not_started"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class AgencyClock:
    """An agency's business clock: real time, or a moment of the past. `sequence` counts its changes."""

    mode: ClockMode = ClockMode.LIVE
    at: datetime | None = None
    sequence: int = 0

    def time(self, now: datetime) -> datetime:
        """The business time while real time is `now`."""
        return self.at if self.mode is ClockMode.HISTORICAL and self.at is not None else now


@dataclass(frozen=True, slots=True)
class Reading:
    """The clock at one moment: `stands_at` is the end when it has ended. Working seconds: 8 hours make a working day."""

    state: ClockState
    stands_at: datetime | None
    working_seconds_used: float
    overdue: bool
    statutory_overdue: bool
    due_soon: bool


def read_clock(case: Case, business_now: datetime, days: WorkingCalendar) -> Reading:
    """The clock of a case at the business time, never before its acceptance and never after its end."""
    if case.accepted_at is None:
        return Reading(ClockState.NOT_STARTED, None, 0.0, overdue=False, statutory_overdue=False, due_soon=False)
    state = ClockState.RUNNING if case.resolved_at is None else ClockState.ENDED
    stands_at = case.resolved_at or max(business_now, case.accepted_at)
    running = state is ClockState.RUNNING
    return Reading(
        state=state,
        stands_at=stands_at,
        working_seconds_used=days.working_seconds(case.accepted_at, stands_at),
        overdue=_is_past(case.due_at, stands_at, days),
        statutory_overdue=_is_past(case.statutory_due_at, stands_at, days),
        due_soon=running and case.due_at is not None and days.is_due_soon(local_date(case.due_at), stands_at),
    )


def _is_past(due_at: datetime | None, at: datetime, days: WorkingCalendar) -> bool:
    """Whether the due date had passed at a moment, by local dates."""
    return due_at is not None and days.is_overdue(local_date(due_at), at)
