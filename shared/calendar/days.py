"""The table of exceptional days: public holidays, days off in lieu, and make-up working Saturdays.

The packaged `days.csv` keeps for every row the mark of its source: `verified` (announcement quoted),
`library` (a holiday package, matching common knowledge) or `provisional` (not announced yet).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, TypeVar

from shared.calendar.errors import DaysFileError

_COLUMNS: Final = ("date", "weekday", "kind", "name_vi", "name_en", "status")
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SATURDAY: Final = 5
_Choice = TypeVar("_Choice", bound=StrEnum)


class DayKind(StrEnum):
    """OFF: nobody works. WORK: a Saturday or Sunday worked in exchange for a day off."""

    OFF = "OFF"
    WORK = "WORK"


class DayStatus(StrEnum):
    """How sure the row is."""

    VERIFIED = "verified"
    LIBRARY = "library"
    PROVISIONAL = "provisional"


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One exceptional day, by its local date; DaysFileError for a make-up day that is no weekend day."""

    on: date
    kind: DayKind
    name_vi: str
    name_en: str
    status: DayStatus

    def __post_init__(self) -> None:
        """Refuse a WORK row on a weekday: it is worked anyway, so the row is a slip of the pen."""
        if self.kind is DayKind.WORK and self.on.weekday() < _SATURDAY:
            message = f"{self.on} is a weekday: only a Saturday or Sunday can be a make-up working day (WORK)"
            raise DaysFileError(message)


def parse_days(lines: Iterable[str], origin: str = "days.csv") -> tuple[CalendarDay, ...]:
    """Read CSV lines (header first) into days sorted by date.

    DaysFileError names `origin`, the line and the rule.
    """
    reader = csv.DictReader(lines)
    if tuple(reader.fieldnames or ()) != _COLUMNS:
        message = f"{origin}, line 1: the header must be {','.join(_COLUMNS)}"
        raise DaysFileError(message)
    seen: dict[date, int] = {}
    days = []
    for row in _rows(reader, origin):
        place = f"{origin}, line {reader.line_num}"
        day = _parse_row(row, place)
        if day.on in seen:
            message = f"{place}: {day.on} is already in line {seen[day.on]}; a date may stand once"
            raise DaysFileError(message)
        seen[day.on] = reader.line_num
        days.append(day)
    return tuple(sorted(days, key=lambda day: day.on))


def _rows(reader: csv.DictReader[str], origin: str) -> Iterator[dict[str, str]]:
    """The reader's rows, its own refusals made ours."""
    try:
        yield from reader
    except csv.Error as error:
        message = f"{origin}, line {reader.line_num + 1}: not readable as CSV: {error}"
        raise DaysFileError(message) from None


def _parse_row(row: dict[str, str], place: str) -> CalendarDay:
    """One row, or a DaysFileError naming its place."""
    if None in row or None in row.values():
        message = f"{place}: a row has {len(_COLUMNS)} columns"
        raise DaysFileError(message)
    on = _parse_date(row["date"], place)
    expected = _WEEKDAYS[on.weekday()]
    if row["weekday"] != expected:
        message = f"{place}: {on} is a {expected}, not {row['weekday']!r}"
        raise DaysFileError(message)
    kind, status = _choice(DayKind, row["kind"], place), _choice(DayStatus, row["status"], place)
    try:
        return CalendarDay(on, kind, row["name_vi"], row["name_en"], status)
    except DaysFileError as error:
        message = f"{place}: {error}"
        raise DaysFileError(message) from None


def _parse_date(text: str, place: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"{place}: {text!r} is not a date; write YYYY-MM-DD"
        raise DaysFileError(message) from None


def _choice(choices: type[_Choice], text: str, place: str) -> _Choice:
    try:
        return choices(text)
    except ValueError:
        message = f"{place}: {text!r} is not one of {', '.join(choices)}"
        raise DaysFileError(message) from None
