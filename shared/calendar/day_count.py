"""Counting working days by date ordinals, without stepping from day to day.

Weekdays have a closed form (ordinal 1 is a Monday); the table's exceptions correct it. Both questions, how
many working days up to a date and which date is the n-th, cost one binary search among the exceptions.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping

_WEEK = 7
_WEEKDAYS = 5


def _weekdays_through(ordinal: int) -> int:
    """Mondays to Fridays from ordinal 1 to this one, both included."""
    weeks, rest = divmod(ordinal, _WEEK)
    return weeks * _WEEKDAYS + min(rest, _WEEKDAYS)


def _weekday_of_rank(rank: int) -> int:
    """Ordinal of the weekday that makes the count of weekdays equal `rank`."""
    weeks, rest = divmod(rank - 1, _WEEKDAYS)
    return weeks * _WEEK + rest + 1


def _is_weekday(ordinal: int) -> bool:
    return (ordinal - 1) % _WEEK < _WEEKDAYS


class DayCount:
    """Working days as numbers; built from {ordinal: worked?}, immutable afterwards."""

    __slots__ = ("_changed", "_corrections", "_exceptions", "_ranks")

    def __init__(self, table: Mapping[int, bool]) -> None:
        """Keep only what differs from the plain week: a holiday on a Sunday changes nothing."""
        self._changed = {day: works for day, works in table.items() if works != _is_weekday(day)}
        self._exceptions = sorted(self._changed)
        self._corrections = [0]
        self._ranks: list[int] = []
        for day in self._exceptions:
            self._corrections.append(self._corrections[-1] + (1 if self._changed[day] else -1))
            self._ranks.append(_weekdays_through(day) + self._corrections[-1])

    def is_working(self, ordinal: int) -> bool:
        """Whether the day of this ordinal is worked."""
        changed = self._changed.get(ordinal)
        return _is_weekday(ordinal) if changed is None else changed

    def through(self, ordinal: int) -> int:
        """Working days from ordinal 1 to this one, both included: the rank of a working day."""
        return _weekdays_through(ordinal) + self._corrections[bisect_right(self._exceptions, ordinal)]

    def day_of_rank(self, rank: int) -> int:
        """Ordinal of the working day of this rank; the inverse of `through`."""
        # The day lies after exception `index - 1` and not after exception `index`. Should the plain week
        # reach beyond that exception, the exception itself is the day: a make-up Saturday.
        index = bisect_left(self._ranks, rank)
        ordinal = _weekday_of_rank(rank - self._corrections[index])
        return min(ordinal, self._exceptions[index]) if index < len(self._exceptions) else ordinal
