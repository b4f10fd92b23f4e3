"""The working-day calendar: due dates, timeliness and working time.

Rules (Civil Code 2015, Labour Code 2019):
- the day of acceptance is not counted, counting starts the next day: Civil Code art. 147.2-3;
- a period ends at the end of its last day, and a last day off moves to the end of the next working day:
  art. 148.1, 148.5-6;
- a period in hours starts at its fixed moment and is not moved: art. 147.1;
- "ngày làm việc" counts working days only, "ngày" counts calendar days and moves the end alone;
- a working day is no Saturday, Sunday or day off of the table, plus the table's make-up Saturdays; days off
  in lieu of a holiday on a weekend (Labour Code art. 111.3) are rows of the table.
The anchor is the acceptance of the complete dossier, not its submission. Years without rows know weekends
only: a due date there is provisional, and `covers` says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import MAXYEAR, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from importlib import resources

from shared.calendar.counter_hours import CounterHours
from shared.calendar.day_count import DayCount
from shared.calendar.days import CalendarDay, DayKind, DayStatus
from shared.calendar.days_file import parse_days
from shared.calendar.errors import DaysFileError, LimitError, NotADateError, ReversedIntervalError
from shared.calendar.limits import Limit, LimitUnit, check_count
from shared.calendar.zone import ZONE, local_date, local_instant, local_position

_SECOND = 1_000_000
_LAST_ORDINAL = date.max.toordinal()
_LONGEST_SECONDS = 1e12
_REMEMBERED = 4096


class Timeliness(StrEnum):
    """A resolved case against its due date, comparing local dates."""

    EARLY = "early"
    ON_TIME = "on_time"
    LATE = "late"
    NO_DUE_DATE = "no_due_date"


def _ordinal(on: date) -> int:
    """Ordinal of a plain date; an instant is refused because its wall date may be another zone's."""
    if isinstance(on, datetime):
        message = f"{on.isoformat()} is an instant where a local date is meant; use local_date()"
        raise NotADateError(message)
    return on.toordinal()


def _check_reach(ordinal: int) -> int:
    if ordinal > _LAST_ORDINAL:
        message = f"the time limit ends after year {MAXYEAR}"
        raise LimitError(message)
    return ordinal


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Immutable; made of the table's days and the counter's hours. DaysFileError for a date given twice."""

    days: tuple[CalendarDay, ...]
    hours: CounterHours = field(default_factory=CounterHours)
    years: frozenset[int] = field(init=False, repr=False, compare=False)
    provisional_years: frozenset[int] = field(init=False, repr=False, compare=False)
    _count: DayCount = field(init=False, repr=False, compare=False)
    _known: dict[tuple[date, int, LimitUnit], date] = field(init=False, repr=False, compare=False, default_factory=dict)
    """Due dates as counted before: the cases of a day ask for the same few."""

    def __post_init__(self) -> None:
        """Index the days once."""
        table = {day.on.toordinal(): day.kind is DayKind.WORK for day in self.days}
        if len(table) != len(self.days):
            message = "a date stands twice in the table of days; each date may stand once"
            raise DaysFileError(message)
        object.__setattr__(self, "years", frozenset(day.on.year for day in self.days))
        provisional = frozenset(day.on.year for day in self.days if day.status is DayStatus.PROVISIONAL)
        object.__setattr__(self, "provisional_years", provisional)
        object.__setattr__(self, "_count", DayCount(table))

    def covers(self, on: date) -> bool:
        """Whether the table knows the year; outside it only weekends are off."""
        return on.year in self.years

    def is_provisional(self, on: date) -> bool:
        """Whether a due date in this year may still move: the year has no rows, or some that are not announced yet."""
        return on.year not in self.years or on.year in self.provisional_years

    def is_working_day(self, on: date) -> bool:
        """Whether state agencies work on this local date."""
        return self._count.is_working(_ordinal(on))

    def roll_forward(self, on: date) -> date:
        """Return the date itself when it is a working day, else the next one (Civil Code art. 148.5)."""
        return date.fromordinal(self._roll(_ordinal(on)))

    def working_days_between(self, start: date, end: date) -> int:
        """Working days after `start` up to and including `end`; negative when `end` comes first."""
        return self._count.through(_ordinal(end)) - self._count.through(_ordinal(start))

    def due_date(self, accepted_on: date, count: int, unit: LimitUnit) -> date:
        """Last day of a limit in days, always a working day.

        Raises LimitError for a count below 1, a limit in hours, or an end after year 9999.
        """
        asked = accepted_on, count, unit
        known = self._known.get(asked)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[asked] = self._due_date(*asked)
        return known

    def _due_date(self, accepted_on: date, count: int, unit: LimitUnit) -> date:
        check_count(count)
        accepted = _ordinal(accepted_on)
        if unit is LimitUnit.WORKING_DAYS:
            last = self._count.day_of_rank(self._count.through(accepted) + count)
        elif unit is LimitUnit.CALENDAR_DAYS:
            last = self._roll(accepted + count)
        else:
            message = "a limit in hours runs from the moment of acceptance; use due_at() or due_on()"
            raise LimitError(message)
        return date.fromordinal(_check_reach(last))

    def due_at(self, accepted_at: datetime, limit: Limit) -> datetime:
        """Appointment, in ZONE: counter close of the due date, or the exact moment of a limit in hours."""
        if limit.unit is LimitUnit.HOURS:
            return self._after_hours(accepted_at, limit.count)
        last = self.due_date(local_date(accepted_at), limit.count, limit.unit)
        return datetime.combine(last, self.hours.closes_at, tzinfo=ZONE)

    def due_on(self, accepted_at: datetime, limit: Limit) -> date:
        """Local date of `due_at`, for any unit."""
        return local_date(self.due_at(accepted_at, limit))

    def is_overdue(self, due_date: date, now: datetime) -> bool:
        """Overdue begins at 00:00 local time after the due date (art. 148.6: the period ends at 24:00)."""
        return local_position(now)[0] > _ordinal(due_date)

    def is_due_soon(self, due_date: date, now: datetime) -> bool:
        """Due soon is the last working day, which is the due date itself."""
        return local_position(now)[0] == _ordinal(due_date)

    def timeliness(self, due_date: date | None, resolved_at: datetime) -> Timeliness:
        """Early, on time or late by local dates; a case without a due date is a bucket of its own."""
        if due_date is None:
            return Timeliness.NO_DUE_DATE
        resolved, due = local_position(resolved_at)[0], _ordinal(due_date)
        if resolved == due:
            return Timeliness.ON_TIME
        return Timeliness.EARLY if resolved < due else Timeliness.LATE

    def working_microseconds(self, start_at: datetime, end_at: datetime) -> int:
        """Microseconds of [start, end) inside counter hours of working days; exactly additive.

        Raises ReversedIntervalError when the end comes first, NaiveInstantError without a zone.
        """
        worked = self._worked_until(end_at) - self._worked_until(start_at)
        if worked <= 0 and end_at < start_at:
            message = f"the interval ends ({end_at.isoformat()}) before it starts ({start_at.isoformat()})"
            raise ReversedIntervalError(message)
        return worked

    def working_seconds(self, start_at: datetime, end_at: datetime) -> float:
        """Return the same in seconds; add whole seconds or microseconds when sums must be exact."""
        return self.working_microseconds(start_at, end_at) / _SECOND

    def add_working_seconds(self, start_at: datetime, seconds: float) -> datetime:
        """Earliest instant, in ZONE, by which so many working seconds have passed, to the microsecond.

        Raises LimitError for a negative or endless amount, NaiveInstantError without a zone.
        """
        if not 0 <= seconds <= _LONGEST_SECONDS:
            message = f"working time to add must be zero or more and end before year {MAXYEAR}, not {seconds}"
            raise LimitError(message)
        amount = round(seconds * _SECOND)
        if amount == 0:
            return local_instant(*local_position(start_at))
        whole, rest = divmod(self._worked_until(start_at) + amount - 1, self.hours.microseconds_per_day)
        day = _check_reach(self._count.day_of_rank(whole + 1))
        return local_instant(day, self.hours.moment_of(rest + 1))

    def _worked_until(self, at: datetime) -> int:
        """Working microseconds since ordinal 1; differences of it are working time."""
        day, microseconds = local_position(at)
        worked = self._count.through(day - 1) * self.hours.microseconds_per_day
        return worked + self.hours.open_until(microseconds) if self._count.is_working(day) else worked

    def _roll(self, ordinal: int) -> int:
        """Return the same day when worked, else the working day that follows."""
        return _check_reach(self._count.day_of_rank(self._count.through(ordinal - 1) + 1))

    @staticmethod
    def _after_hours(accepted_at: datetime, count: int) -> datetime:
        check_count(count)
        day, microseconds = local_position(accepted_at)
        try:
            return local_instant(day, microseconds) + timedelta(hours=count)
        except OverflowError:
            message = f"the time limit ends after year {MAXYEAR}"
            raise LimitError(message) from None


@lru_cache(maxsize=1)
def load_calendar() -> WorkingCalendar:
    """The packaged table with the default counter hours; read once."""
    text = resources.files("shared.calendar").joinpath("days.csv").read_text(encoding="utf-8")
    return WorkingCalendar(parse_days(text.splitlines(keepends=True)))
