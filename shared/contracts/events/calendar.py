"""What processing states about the calendar that every agency counts by."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from pydantic import Field, PositiveInt, StringConstraints

from shared.contracts.events.base import PROCESSING, Event
from shared.contracts.model import Contract, Label, Slug
from shared.contracts.words import DayKind

CITY: Final = "city"
"""The agency of a fact that holds for all of them, and its key."""

HourSpan = Annotated[str, StringConstraints(pattern=r"^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$", max_length=11)]
"""From opening to closing, local time: `07:00-11:30`."""


class ExceptionalDay(Contract):
    """A day that differs from the plain week; `swap` is the other day of an exchange of working days."""

    on: date
    kind: DayKind
    vi: Label
    en: Label
    swap: date | None = None


class AgencyHours(Contract):
    """Opening hours of a counter."""

    agency: Slug
    spans: tuple[HourSpan, ...] = Field(min_length=1, max_length=12)


class CalendarChanged(Event):
    """The calendar in force: its whole table, so that the newest revision is all that a reader needs. Keyed by `city`.

    `hours` are those of every agency without a line in `agencies`.
    """

    type = "calendar.changed"
    stated_by = PROCESSING

    agency: Slug = CITY
    revision: PositiveInt
    days: tuple[ExceptionalDay, ...] = Field(max_length=5000)
    hours: tuple[HourSpan, ...] = Field(min_length=1, max_length=12)
    agencies: tuple[AgencyHours, ...] = Field(default=(), max_length=1000)
