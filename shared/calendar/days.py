"""Exceptional days: public holidays, days off in lieu, and make-up working Saturdays with the day that each replaces.

A row keeps the mark of its source: `verified` (announcement quoted), `library` (a holiday package, matching common
knowledge) or `provisional` (not announced yet).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from shared.calendar.errors import DaysFileError

_SATURDAY: Final = 5


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
    """One exceptional day, by its local date; `swap` is the other day of an exchange of working days.

    DaysFileError for a make-up day that is no weekend day, and for a swapped day off that nobody works anyway.
    """

    on: date
    kind: DayKind
    name_vi: str
    name_en: str
    status: DayStatus
    swap: date | None = None

    def __post_init__(self) -> None:
        """Refuse what is a slip of the pen: an exchange gives a weekday for a day of a weekend."""
        weekend = self.on.weekday() >= _SATURDAY
        if self.kind is DayKind.WORK and not weekend:
            message = f"{self.on} is a weekday: only a Saturday or Sunday can be a make-up working day (WORK)"
            raise DaysFileError(message)
        if self.kind is DayKind.OFF and weekend and self.swap is not None:
            message = f"{self.on} is on a weekend: only a weekday can be given for a make-up working day"
            raise DaysFileError(message)


def pair_faults(days: Iterable[CalendarDay]) -> list[tuple[date, str]]:
    """What is wrong with the exchanges of a whole table: each has exactly one OFF and one WORK row, which name each other."""
    table = {day.on: day for day in days}
    found = ((day, _pair_fault(day, table)) for day in table.values())
    return [(day.on, fault) for day, fault in found if fault is not None]


def _pair_fault(day: CalendarDay, table: dict[date, CalendarDay]) -> str | None:
    if day.swap is None:
        needs = f"{day.on} is a make-up working day (WORK): `swap` must name the day off that it replaces"
        return needs if day.kind is DayKind.WORK else None
    other = table.get(day.swap)
    if other is None:
        return f"{day.on} is swapped with {day.swap}, which has no row"
    if other.kind is day.kind:
        return f"{day.on} and {other.on} are both {day.kind}; of two swapped days one is OFF and one is WORK"
    if other.swap != day.on:
        return f"{day.on} is swapped with {other.on}, which is swapped with {other.swap or 'no day'}"
    return None
