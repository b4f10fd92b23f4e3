"""A year seen as one line of working seconds, from its first midnight to the closing instant.

Adding to a position keeps every time inside counter hours without looking at the calendar again; the
calendar alone says which position is which instant.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shared.calendar import ZONE, WorkingCalendar


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """Positions are whole working seconds since the start of the year; `total` is the closing instant's."""

    calendar: WorkingCalendar
    opened_at: datetime
    closing_at: datetime
    days: tuple[date, ...]
    per_day: int
    total: int

    def instant(self, position: int) -> datetime:
        """The earliest instant at this position, in ZONE."""
        return self.calendar.add_working_seconds(self.opened_at, position)

    def day_start(self, position: int) -> int:
        """The position at which this position's day opens; also the close of the working day before."""
        return (position - 1) // self.per_day * self.per_day

    def closed_span(self, position: int) -> tuple[datetime, datetime]:
        """From the close before this position's day, or the year's start, to the opening of that day."""
        start = self.day_start(position)
        return self.instant(start), self.instant(start + 1) - timedelta(seconds=1)


def make_working_time(calendar: WorkingCalendar, closing_on: date) -> WorkingTime:
    """The year of `closing_on`, up to that day's counter close."""
    first = date(closing_on.year, 1, 1)
    opened_at = datetime.combine(first, datetime.min.time(), tzinfo=ZONE)
    closing_at = datetime.combine(closing_on, calendar.hours.closes_at, tzinfo=ZONE)
    span = (first + timedelta(days=passed) for passed in range((closing_on - first).days + 1))
    return WorkingTime(
        calendar=calendar,
        opened_at=opened_at,
        closing_at=closing_at,
        days=tuple(day for day in span if calendar.is_working_day(day)),
        per_day=int(calendar.hours.seconds_per_day),
        total=int(calendar.working_seconds(opened_at, closing_at)),
    )
