"""Time limits of procedures: a count and a unit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shared.calendar.errors import LimitError


class LimitUnit(StrEnum):
    """How a limit is counted.

    `working_days`: "ngày làm việc". `calendar_days`: "ngày" without "làm việc". `hours`: from the fixed
    moment (Civil Code 2015 art. 147.1).
    """

    WORKING_DAYS = "working_days"
    CALENDAR_DAYS = "calendar_days"
    HOURS = "hours"


class Limit(Protocol):
    """Anything with a positive count and a unit: the catalogue's limits, an event's, or a TimeLimit."""

    @property
    def count(self) -> int:
        """How many units, at least 1."""
        ...

    @property
    def unit(self) -> LimitUnit:
        """What is counted."""
        ...


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """The plain form of a limit; raises LimitError when the count is below 1."""

    count: int
    unit: LimitUnit

    def __post_init__(self) -> None:
        """Refuse what cannot be counted."""
        check_count(self.count)


def check_count(count: int) -> None:
    """Raise LimitError unless the count is at least 1."""
    if count < 1:
        message = f"a time limit counts at least 1, not {count}"
        raise LimitError(message)
