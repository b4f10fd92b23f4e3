"""Facts that are only counted: what the counters and the histogram of the limit's use are made of.

A tally counts a fact once and never falls, whatever becomes of the case afterwards.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from services.metrics.domain.case import Case
from shared.calendar import WorkingCalendar, load_calendar
from shared.contracts.events import (
    CaseAccepted,
    CaseCorrected,
    CaseEvent,
    CaseRated,
    CaseReopened,
    CaseResolved,
    CaseReturned,
    DuplicateSuspected,
    NotificationEvent,
)

RATIO_BUCKETS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Upper limits of the histogram: shares of the time limit that a resolution used."""

MILLIONTHS = 1_000_000
OTHER = "other"


PLAIN: dict[type[CaseEvent], str] = {CaseReopened: "reopened", CaseCorrected: "corrected", DuplicateSuspected: "duplicate"}
"""Fact → series, of facts that are only counted."""
LABELLED: dict[type[CaseEvent], tuple[str, str]] = {
    CaseAccepted: ("received", "channel"),
    CaseResolved: ("resolved", "timeliness"),
    CaseReturned: ("returned", "channel"),
    CaseRated: ("rated", "score"),
}
"""Fact → series, and the fact's field that is its label. An acceptance counts once."""


class TallyKey(NamedTuple):
    """What is counted: a series, its labels, and for a histogram the bucket's upper limit."""

    series: str
    agency: str
    kind: str
    field: str
    label: str = ""
    bucket: str = ""


@dataclass(slots=True)
class Tallies:
    """Counts by key, and for a histogram the sum of what was measured, in millionths so that any order adds up alike."""

    counts: Counter[TallyKey]
    sums: Counter[TallyKey]

    @classmethod
    def empty(cls) -> Tallies:
        """Nothing counted yet."""
        return cls(Counter(), Counter())

    def add(self, before: Case, after: Case, event: CaseEvent, calendar: WorkingCalendar | None = None) -> None:
        """Count one fact; `before` and `after` are the case on its two sides."""
        kind = type(event)
        if kind in PLAIN:
            self._count(PLAIN[kind], event, after)
        elif isinstance(event, NotificationEvent):
            self._count("notifications", event, after, f"{event.channel}/{event.type.removeprefix('notification.')}")
        elif kind in LABELLED and (kind is not CaseAccepted or before.field is None):
            series, label = LABELLED[kind]
            self._count(series, event, after, str(getattr(event, label)))
            if isinstance(event, CaseResolved):
                self._measure(event, after, calendar or load_calendar())

    def _count(self, series: str, event: CaseEvent, case: Case, label: str = "") -> None:
        self.counts[TallyKey(series, event.agency, event.kind, case.field or OTHER, label)] += 1

    def _measure(self, event: CaseResolved, case: Case, calendar: WorkingCalendar) -> None:
        for label, due_at in (("committed", case.due_at), ("statutory", case.statutory_due_at)):
            share = used_share(case, due_at, calendar)
            if share is not None:
                bucket = next((str(limit) for limit in RATIO_BUCKETS if share <= limit), "+Inf")
                key = TallyKey("limit_ratio", event.agency, event.kind, case.field or OTHER, label, bucket)
                self.counts[key] += 1
                self.sums[key] += round(share * MILLIONTHS)


def used_share(case: Case, due_at: datetime | None, calendar: WorkingCalendar) -> float | None:
    """Working time used over working time given: 1 is the appointment itself, and all of the due date's evening.

    None when either end is unknown, or when the limit holds no working time (some hours over a night).
    """
    start, end = case.received_at, case.resolved_at
    if start is None or end is None or due_at is None or not start <= end or due_at <= start:
        return None
    given = calendar.working_microseconds(start, due_at)
    return calendar.working_microseconds(start, end) / given if given else None
