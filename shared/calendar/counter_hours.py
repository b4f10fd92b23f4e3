"""Opening hours of the counter within one working day (local time).

Default 07:00-11:30 and 13:30-17:00, eight hours, as one-stop systems in use have it; an agency
may set its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import time
from itertools import pairwise

from shared.calendar.errors import CounterHoursError

_SECOND = 1_000_000
_SPAN = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
_DEFAULT_SPANS = ((time(7, 0), time(11, 30)), (time(13, 30), time(17, 0)))


def _since_midnight(at: time) -> int:
    """Microseconds from midnight."""
    return ((at.hour * 60 + at.minute) * 60 + at.second) * _SECOND + at.microsecond


@dataclass(frozen=True, slots=True)
class CounterHours:
    """Spans in which the counter is open, in order; raises CounterHoursError when they are not."""

    spans: tuple[tuple[time, time], ...] = _DEFAULT_SPANS
    microseconds_per_day: int = field(init=False, repr=False, compare=False)
    _limits: tuple[tuple[int, int], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the order once and keep the spans as microseconds."""
        limits = tuple((_since_midnight(opens), _since_midnight(closes)) for opens, closes in self.spans)
        edges = [edge for span in limits for edge in span]
        ordered = all(left < right for left, right in pairwise(edges))
        if not edges or not ordered:
            message = "counter hours must be one span or more, each opening after the one before has closed"
            raise CounterHoursError(message)
        object.__setattr__(self, "_limits", limits)
        object.__setattr__(self, "microseconds_per_day", sum(closes - opens for opens, closes in limits))

    @property
    def texts(self) -> tuple[str, ...]:
        """The spans as `parse_hours` reads them: `07:00-11:30`."""
        return tuple(f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in self.spans)

    @property
    def opens_at(self) -> time:
        """First opening of the day, local."""
        return self.spans[0][0]

    @property
    def closes_at(self) -> time:
        """Last closing of the day, local: the hour printed on the appointment slip."""
        return self.spans[-1][1]

    @property
    def seconds_per_day(self) -> float:
        """Open seconds of one working day."""
        return self.microseconds_per_day / _SECOND

    def open_until(self, microseconds: int) -> int:
        """Open microseconds from midnight up to this many microseconds after midnight."""
        worked = 0
        for opens, closes in self._limits:
            if microseconds >= closes:
                worked += closes - opens
            elif microseconds > opens:
                return worked + microseconds - opens
            else:
                return worked
        return worked

    def moment_of(self, worked: int) -> int:
        """Earliest microsecond after midnight by which `worked` open ones (at least 1) have passed."""
        for opens, closes in self._limits:
            if worked <= closes - opens:
                return opens + worked
            worked -= closes - opens
        message = "a working day does not hold that much time"
        raise CounterHoursError(message)


def parse_hours(spans: Iterable[str]) -> CounterHours:
    """Counter hours from texts such as `07:00-11:30`, to the minute; raises CounterHoursError."""
    return CounterHours(tuple(_parse_span(text) for text in spans))


def _parse_span(text: str) -> tuple[time, time]:
    match = _SPAN.fullmatch(text)
    if match is None:
        message = "counter hours are spans such as 07:00-11:30 and end by 23:59"
        raise CounterHoursError(message)
    opens_hour, opens_minute, closes_hour, closes_minute = map(int, match.groups())
    return time(opens_hour, opens_minute), time(closes_hour, closes_minute)
