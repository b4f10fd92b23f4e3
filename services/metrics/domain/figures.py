"""The figures of an agency, their meaning, and the arithmetic of business time.

Settled readings: received is the first acceptance; open is received, not resolved, and not out of the backlog
by a withdrawal or a termination; overdue begins at 00:00 local time after the due date; due soon is the due date itself.
So `received = resolved + open + left` at every moment. A clock that stands still makes no case late: it is overdue if it was
when it stopped, and never due soon. Tasks, which the city assigns, are told apart and never added to what citizens filed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.metrics.domain.case import Case
from shared.calendar import local_date
from shared.contracts.words import ClockMode, Timeliness

PERCENTILES = (0.5, 0.9, 0.99)


class Window(StrEnum):
    """How far back from the agency's business clock a turnaround looks."""

    DAYS_30 = "30d"
    DAYS_365 = "365d"
    ALL = "all"


class Standing(StrEnum):
    """Where a case stands at a moment."""

    NOT_RECEIVED = "not_received"
    OPEN = "open"
    RESOLVED = "resolved"
    LEFT = "left"


def standing(case: Case, at: datetime | None = None) -> Standing:
    """Where the case stands: now, or at a moment of the past as its latest facts tell it."""
    if not _by(case.received_at, at):
        return Standing.NOT_RECEIVED
    if _by(case.resolved_at, at):
        return Standing.RESOLVED
    return Standing.LEFT if _by(case.left_at, at) else Standing.OPEN


def _by(moment: datetime | None, at: datetime | None) -> bool:
    return moment is not None and (at is None or moment <= at)


def is_overdue(due_at: datetime | None, clock: datetime, stopped_at: datetime | None = None) -> bool:
    """Whether the due date's last day is over (Civil Code 2015, art. 148.6), or was when the clock stopped."""
    judged = clock if stopped_at is None else min(clock, stopped_at)
    return due_at is not None and local_date(due_at) < local_date(judged)


def is_due_soon(due_at: datetime | None, clock: datetime, stopped_at: datetime | None = None) -> bool:
    """Whether the last day is today, under a running clock."""
    runs = stopped_at is None or local_date(stopped_at) > local_date(clock)
    return due_at is not None and runs and local_date(due_at) == local_date(clock)


@dataclass(frozen=True, slots=True)
class AgencyClock:
    """Where an agency's business clock stands; a live one has no moment of its own."""

    mode: ClockMode = ClockMode.LIVE
    at: datetime | None = None

    def business(self, now: datetime, as_of: datetime | None = None) -> datetime:
        """The moment that the agency's legal rules use, not later than `as_of`."""
        clock = now if self.mode is ClockMode.LIVE or self.at is None else self.at
        return clock if as_of is None else min(clock, as_of)


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time over several cases, in seconds; mean and percentiles are None without a case."""

    cases: int
    mean_seconds: float | None
    percentiles: dict[str, float]

    @classmethod
    def of(cls, cases: int, mean: float | None, shares: Sequence[float | None] | None) -> Span:
        """The span of a count, a mean and the values at PERCENTILES, which are null without a case."""
        known = zip(PERCENTILES, shares or (), strict=bool(shares))
        return cls(cases, mean, {str(share): value for share, value in known if value is not None})


NO_SPAN = Span(0, None, {})


@dataclass(frozen=True, slots=True)
class Stock:
    """How many cases came, went and stay. `on_time` holds the resolved by timeliness."""

    received: int
    resolved: int
    returned: int
    left: int
    open: int
    overdue: int
    overdue_statutory: int
    due_soon: int
    without_due_date: int
    timeliness: dict[str, int]
    turnaround: Span
    working_turnaround: Span


NO_STOCK = Stock(0, 0, 0, 0, 0, 0, 0, 0, 0, dict.fromkeys(Timeliness, 0), NO_SPAN, NO_SPAN)


@dataclass(frozen=True, slots=True)
class Tasks:
    """Tasks of one field: assigned ones, key tasks, or programmes. assigned = done + open + left.

    `scheduled` have a deadline; of them `on_schedule` were done by it, or are open and it has not passed.
    """

    field: str
    assigned: int
    done: int
    left: int
    open: int
    overdue: int
    without_due_date: int
    milestones: int
    scheduled: int
    on_schedule: int

    @property
    def on_schedule_ratio(self) -> float | None:
        """Of those with a deadline; None where no deadline is known."""
        return self.on_schedule / self.scheduled if self.scheduled else None


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """What citizens said of the answers that they got: how often, and the mean of 1 (not at all content) to 5."""

    ratings: int
    mean_score: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """An agency's figures at a moment; `total` and `log_span` (first to last fact of a case) are those of applicants' cases.

    `steps` is how many internal steps were completed on all of them. `satisfaction` is known of now only.
    """

    agency: str
    as_of: datetime | None
    clock: AgencyClock
    business_at: datetime
    origins: dict[str, int]
    total: Stock
    by_kind: dict[str, Stock]
    tasks: tuple[Tasks, ...]
    log_span: Span
    steps: int
    satisfaction: Satisfaction | None = None

    @property
    def simulated(self) -> bool:
        """Whether any of it is a replayed year."""
        return bool(self.origins.get("replay"))
