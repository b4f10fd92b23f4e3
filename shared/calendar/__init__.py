"""Working days, due dates and working time in Viet Nam; pure, without a clock."""

from __future__ import annotations

from shared.calendar.counter_hours import CounterHours, parse_hours
from shared.calendar.days import CalendarDay, DayKind, DayStatus, pair_faults
from shared.calendar.days_file import DayFault, check_name, format_days, parse_days, read_days
from shared.calendar.errors import (
    CalendarError,
    CounterHoursError,
    DaysFileError,
    LimitError,
    NaiveInstantError,
    NotADateError,
    ReversedIntervalError,
)
from shared.calendar.limits import Limit, LimitUnit, TimeLimit
from shared.calendar.working_calendar import Timeliness, WorkingCalendar, load_calendar
from shared.calendar.zone import ZONE, local_date

__all__ = [
    "ZONE",
    "CalendarDay",
    "CalendarError",
    "CounterHours",
    "CounterHoursError",
    "DayFault",
    "DayKind",
    "DayStatus",
    "DaysFileError",
    "Limit",
    "LimitError",
    "LimitUnit",
    "NaiveInstantError",
    "NotADateError",
    "ReversedIntervalError",
    "TimeLimit",
    "Timeliness",
    "WorkingCalendar",
    "check_name",
    "format_days",
    "load_calendar",
    "local_date",
    "pair_faults",
    "parse_days",
    "parse_hours",
    "read_days",
]
