"""The file form of the table of days: CSV with a header, one row per exceptional day, every fault named by its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, TypeVar

from shared.calendar.days import CalendarDay, DayKind, DayStatus, pair_faults
from shared.calendar.errors import DaysFileError

COLUMNS: Final = ("date", "weekday", "kind", "name_vi", "name_en", "status", "swap")
"""`swap` may be left out where no Saturday is worked: it names the other day of an exchange, or nothing."""
LONGEST_NAME: Final = 200
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class DayFault:
    """A line of a file, counted from 1, and the rule that it breaks."""

    line: int
    rule: str


def parse_days(lines: Iterable[str], origin: str = "days.csv") -> tuple[CalendarDay, ...]:
    """Read CSV lines (header first) into days sorted by date.

    DaysFileError names `origin`, and of every fault the line and the rule.
    """
    days, faults = read_days(lines)
    if faults:
        raise DaysFileError("\n".join(f"{origin}, line {fault.line}: {fault.rule}" for fault in faults))
    return days


def read_days(lines: Iterable[str]) -> tuple[tuple[CalendarDay, ...], tuple[DayFault, ...]]:
    """The days of a whole file sorted by date, and all its faults; exchanges are judged where every row is readable."""
    reader = csv.DictReader(lines)
    try:
        header = tuple(reader.fieldnames or ())
    except csv.Error as error:
        return (), (DayFault(1, f"not readable as CSV: {error}"),)
    if header not in {COLUMNS, COLUMNS[:-1]}:
        return (), (DayFault(1, f"the header must be {','.join(COLUMNS)}"),)
    places: dict[date, int] = {}
    days: list[CalendarDay] = []
    faults: list[DayFault] = []
    for line, row in _rows(reader):
        try:
            days.append(_day(row, line, len(header), places))
        except DaysFileError as error:
            faults.append(DayFault(line, str(error)))
    if not faults:
        faults = [DayFault(places[on], rule) for on, rule in pair_faults(days)]
    return tuple(sorted(days, key=lambda day: day.on)), tuple(faults)


def format_days(days: Iterable[CalendarDay]) -> str:
    """The file of a table; `parse_days` reads the same table from it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for day in days:
        writer.writerow(
            (day.on, _WEEKDAYS[day.on.weekday()], day.kind, day.name_vi, day.name_en, day.status, day.swap or "")
        )  # fmt: skip
    return text.getvalue()


def check_name(name: str) -> str:
    """Give a day's name back, or DaysFileError: citizens read it, so it is printable, not empty and not long."""
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        message = f"a day has a printable name of 1 to {LONGEST_NAME} characters in both languages"
        raise DaysFileError(message)
    return name


def _rows(reader: csv.DictReader[str]) -> Iterator[tuple[int, dict[str, str] | csv.Error]]:
    """Each row with its line; what the reader itself refuses ends the file."""
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        yield reader.line_num + 1, error


def _day(row: dict[str, str] | csv.Error, line: int, width: int, places: dict[date, int]) -> CalendarDay:
    """One row, or a DaysFileError with the rule that it breaks."""
    if isinstance(row, csv.Error):
        message = f"not readable as CSV: {row}"
        raise DaysFileError(message)
    if None in row or None in row.values():
        message = f"a row has {width} columns"
        raise DaysFileError(message)
    on = _date(row["date"])
    if row["weekday"] != (expected := _WEEKDAYS[on.weekday()]):
        message = f"{on} is a {expected}, not {_shown(row['weekday'])}"
        raise DaysFileError(message)
    if on in places:
        message = f"{on} is already in line {places[on]}; a date may stand once"
        raise DaysFileError(message)
    places[on] = line
    kind, status = _choice(DayKind, row["kind"]), _choice(DayStatus, row["status"])
    swap = _date(row["swap"]) if row.get("swap") else None
    return CalendarDay(on, kind, check_name(row["name_vi"]), check_name(row["name_en"]), status, swap)


def _shown(text: str) -> str:
    """What stands in the file, as far as a person needs it to find the slip."""
    return repr(text[:30])


def _date(text: str) -> date:
    try:
        on = date.fromisoformat(text)
    except ValueError:
        on = None
    if on is None or on.isoformat() != text:
        message = f"{_shown(text)} is not a date; write YYYY-MM-DD"
        raise DaysFileError(message)
    return on


def _choice(choices: type[_Choice], text: str) -> _Choice:
    try:
        return choices(text)
    except ValueError:
        message = f"{_shown(text)} is not one of {', '.join(choices)}"
        raise DaysFileError(message) from None
