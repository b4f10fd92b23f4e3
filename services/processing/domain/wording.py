"""Words for officers: dates, spans of working time, limits and days off, Vietnamese first and English second."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, NamedTuple

from shared.calendar import ZONE, CalendarDay, DayKind, LimitUnit
from shared.contracts.events import Limit

_MINUTE: Final = 60_000_000
_HOUR: Final = 60 * _MINUTE
_FIRST_WEEKEND_DAY: Final = 5


class Text(NamedTuple):
    """The same words twice."""

    vi: str
    en: str


WEEKDAYS: Final = (
    Text("Thứ Hai", "Monday"),
    Text("Thứ Ba", "Tuesday"),
    Text("Thứ Tư", "Wednesday"),
    Text("Thứ Năm", "Thursday"),
    Text("Thứ Sáu", "Friday"),
    Text("Thứ Bảy", "Saturday"),
    Text("Chủ nhật", "Sunday"),
)
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_UNITS: Final = {
    LimitUnit.WORKING_DAYS: Text("ngày làm việc", "working day"),
    LimitUnit.CALENDAR_DAYS: Text("ngày", "calendar day"),
    LimitUnit.HOURS: Text("giờ", "hour"),
}


def joined(*parts: Text | None, mark: str = " ") -> Text:
    """Words one after another."""
    said = [part for part in parts if part is not None]
    return Text(mark.join(part.vi for part in said), mark.join(part.en for part in said))


def plural(count: int, noun: str) -> str:
    """`1 hour`, `2 hours`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def on(day: date) -> Text:
    """A local date with its weekday."""
    name = WEEKDAYS[day.weekday()]
    return Text(f"{name.vi} {day.day:02}/{day.month:02}/{day.year}", f"{name.en} {day.day} {_MONTHS[day.month - 1]} {day.year}")


def at(moment: datetime) -> Text:
    """A moment in Viet Nam's time, to the minute."""
    local = moment.astimezone(ZONE)
    day = on(local.date())
    return Text(f"{local:%H:%M} {day.vi}", f"{local:%H:%M} on {day.en}")


def limit_words(limit: Limit) -> Text:
    """`10 ngày làm việc`."""
    unit = _UNITS[LimitUnit(limit.unit)]
    return Text(f"{limit.count} {unit.vi}", plural(limit.count, unit.en))


def working_span(microseconds: int, per_day: int) -> Text:
    """Working time, `2 ngày 3 giờ làm việc`: a day is what the counter is open on one; parts of a minute are dropped."""
    days, rest = divmod(microseconds, per_day)
    hours, rest = divmod(rest, _HOUR)
    parts = _parts(days, hours, rest // _MINUTE)
    if not parts:
        return Text("chưa đến 1 phút làm việc", "less than a minute of working time")
    return Text(joined(*parts).vi + " làm việc", joined(*parts).en + " of working time")


def elapsed_span(microseconds: int) -> Text:
    """Time by the wall clock, `1 ngày 5 giờ`."""
    days, rest = divmod(microseconds, 24 * _HOUR)
    hours, rest = divmod(rest, _HOUR)
    parts = _parts(days, hours, rest // _MINUTE)
    return joined(*parts) if parts else Text("chưa đến 1 phút", "less than a minute")


def _parts(days: int, hours: int, minutes: int) -> list[Text]:
    named = ((days, "ngày", "day"), (hours, "giờ", "hour"), (minutes, "phút", "minute"))
    return [Text(f"{count} {vi}", plural(count, en)) for count, vi, en in named if count]


def name_of(row: CalendarDay) -> Text:
    """What a row of the table of days is called; an English name in brackets is not Vietnamese."""
    return Text(row.name_vi.removesuffix(f"({row.name_en})").rstrip() or row.name_en, row.name_en or row.name_vi)


def day_off(day: date, row: CalendarDay | None) -> Text:
    """Why nobody works on a day: the weekend, a row of the table, or both."""
    weekday = WEEKDAYS[day.weekday()] if day.weekday() >= _FIRST_WEEKEND_DAY else None
    named = name_of(row) if row is not None and row.kind is DayKind.OFF else None
    return joined(weekday, named, mark=", ")
