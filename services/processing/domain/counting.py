"""A due date explained day by day: which days count towards the limit, and why each other one does not.

The first day is not counted (Civil Code 2015, art. 147.2). A standstill that began on or before the due date takes the days
after its first through its last out of the count; a later one changes nothing. An extension adds days after the limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from services.processing.domain.wording import Text, day_off, joined, name_of
from shared.calendar import CalendarDay, DayKind, DayStatus, LimitUnit, WorkingCalendar, local_date
from shared.contracts.events import Limit

LISTED = 400
"""Days that are listed one by one; a count beyond that says how many there are."""
LONGEST = timedelta(days=15_000)
"""A longer count, such as a task's until the next century, is not stepped through."""
_DAY = timedelta(days=1)
_STOOD = Text("đồng hồ dừng", "the clock stood still")
_MOVED = Text("ngày cuối là ngày nghỉ: hạn lùi đến ngày làm việc này", "the last day was off: moved to this working day")
_RESUMED = Text("ngày làm việc khi đồng hồ chạy lại", "the working day on which the clock went on")
_EXTENDED = Text("ngày thêm vì hẹn lại", "added by the new appointment")

Span = tuple[datetime, datetime]
"""From a moment to a later one."""


class DayState(StrEnum):
    """What a day is to the count: of the limit; nobody works; the clock stands still; after the limit; until a working day."""

    COUNTED = "counted"
    OFF = "off"
    STOPPED = "stopped"
    ADDED = "added"
    ROLLED = "rolled"


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a count; `number` is its place in the limit."""

    date: date
    state: DayState
    number: int | None
    words: Text


@dataclass(frozen=True, slots=True)
class SkippedDay:
    """A day of a running clock that is no working day."""

    date: date
    words: Text


@dataclass(frozen=True, slots=True)
class Count:
    """How a due date comes about; `number` is that of the count, since a completion may have started a new one.

    `counted` days of the limit and `added` ones after it; `complete`: the limit is counted out exactly.
    `days` lists them one by one, the first LISTED of them. A limit in hours has no days: `stopped_microseconds` is what was
    added to it for stops. `provisional`: a year without announced days off lies in it.
    """

    number: int
    from_at: datetime
    limit: Limit | None
    due_at: datetime
    counted: int
    added: int
    stopped_microseconds: int
    complete: bool
    provisional: bool
    days: tuple[Day, ...]


def count_out(
    number: int,
    from_at: datetime,
    limit: Limit | None,
    due_at: datetime,
    stops: Sequence[Span],
    calendar: WorkingCalendar,
    *,
    extended: bool = False,
) -> Count:
    """The count from a moment to a due date; `stops` are those that take their days out of it.

    `extended`: the due date is a new appointment, not the end of the limit.
    """
    first, last = local_date(from_at), local_date(due_at)
    provisional = is_provisional(first, last, calendar)
    empty = Count(number, from_at, limit, due_at, 0, 0, 0, complete=limit is None, provisional=provisional, days=())
    if limit is not None and limit.unit == LimitUnit.HOURS:
        stopped = sum(((end - start) for start, end in stops), timedelta())
        complete = extended or from_at + timedelta(hours=limit.count) + stopped == due_at
        return replace(empty, counted=limit.count, stopped_microseconds=stopped // timedelta(microseconds=1), complete=complete)
    if last - first > LONGEST:
        return replace(empty, counted=calendar.working_days_between(first, last))
    spans = [(local_date(start), local_date(end)) for start, end in stops]
    days = _days(first, last, limit, spans, calendar, _EXTENDED if extended else _RESUMED)
    counted = sum(day.state is DayState.COUNTED for day in days)
    added = sum(day.state is DayState.ADDED for day in days)
    complete = limit is None or counted == limit.count
    return replace(empty, counted=counted, added=added, complete=complete, days=tuple(days[:LISTED]))


def _days(
    first: date, last: date, limit: Limit | None, stops: Sequence[tuple[date, date]], calendar: WorkingCalendar, beyond: Text
) -> list[Day]:
    """Every day after the first through the due date."""
    plain = limit is not None and limit.unit == LimitUnit.CALENDAR_DAYS
    most = limit.count if limit is not None else None
    rows = rows_between(calendar, first, last)
    days: list[Day] = []
    number, rolling = 0, False
    for day in days_between(first, last):
        works, row = calendar.is_working_day(day), rows.get(day)
        if any(start < day <= end for start, end in stops) and not (day == last and works and number == most):
            days.append(Day(day, DayState.STOPPED, None, _STOOD if works else joined(_STOOD, day_off(day, row), mark=", ")))
        elif number != most and (works or plain):
            number += 1
            rolling = not works
            days.append(Day(day, DayState.COUNTED, number, _nth(number, day, row, works=works)))
        elif not works:
            days.append(Day(day, DayState.OFF, None, day_off(day, row)))
        else:
            days.append(Day(day, DayState.ROLLED, None, _MOVED) if rolling else Day(day, DayState.ADDED, None, beyond))
            rolling = False
    return days


def _nth(number: int, day: date, row: CalendarDay | None, *, works: bool) -> Text:
    """The place of a day in the limit; a day off that counts is named, and a make-up Saturday says what it makes up for."""
    place = Text(f"ngày thứ {number}", f"day {number}")
    if not works:
        return joined(place, day_off(day, row), mark=", ")
    return joined(place, name_of(row), mark=", ") if row is not None and row.kind is DayKind.WORK else place


def days_between(after: date, through: date) -> Iterator[date]:
    """The days after one through another."""
    day = after
    while day < through:
        day += _DAY
        yield day


def skipped_days(after: date, through: date, calendar: WorkingCalendar) -> tuple[SkippedDay, ...]:
    """The days on which nobody works, named; the first LISTED of them."""
    rows = rows_between(calendar, after, through)
    skipped: list[SkippedDay] = []
    for day in days_between(after, through):
        if not calendar.is_working_day(day):
            skipped.append(SkippedDay(day, day_off(day, rows.get(day))))
            if len(skipped) == LISTED:
                break
    return tuple(skipped)


def rows_between(calendar: WorkingCalendar, after: date, through: date) -> dict[date, CalendarDay]:
    """The rows of the table in a span of days, by date."""
    return {row.on: row for row in calendar.days if after < row.on <= through}


def is_provisional(start: date, end: date, calendar: WorkingCalendar) -> bool:
    """Whether the days off of these days are not all announced: a year without rows, or rows that are only expected."""
    if not all(calendar.covers(date(year, 1, 1)) for year in {start.year, end.year}):
        return True
    return any(row.status is DayStatus.PROVISIONAL for row in rows_between(calendar, start, end).values())
