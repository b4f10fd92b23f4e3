"""How long a feed may be silent, by hour of the week in Viet Nam."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from shared.calendar.zone import ZONE
from shared.hotline.mapping import Mapping
from shared.hotline.quiet_hours import ExpectedSilence, QuietHours

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOUR: Final = timedelta(hours=1)


def expected_silence_seconds(mapping: Mapping, at: datetime) -> int:
    """The longest silence, in seconds, that is still usual at `at` (aware).

    A stricter hour begins to hold when its own limit has passed in it: where 10 minutes are usual from 07:00 on and three days
    at night, a feed that was silent all night is late at 07:10 and not at 07:00.
    """
    silence = mapping.expected_silence
    minutes = _minutes(silence, at)
    began = at - timedelta(minutes=minutes)
    earlier = at
    while earlier > began:
        earlier = max(began, _hour(earlier) if earlier > _hour(earlier) else earlier - _HOUR)
        minutes = max(minutes, _minutes(silence, earlier))
    return minutes * 60


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _minutes(silence: ExpectedSilence, at: datetime) -> int:
    local = at.astimezone(ZONE)
    return next((line.minutes for line in silence.hours if _fits(line, local)), silence.otherwise_minutes)


def _fits(line: QuietHours, local: datetime) -> bool:
    first, last = line.span
    return first <= local.hour < last and local.weekday() in _weekdays(line.days)


def _weekdays(days: str) -> set[int]:
    """`fri-mon` goes over the end of the week."""
    first, _, last = days.partition("-")
    begin, end = _DAYS.index(first), _DAYS.index(last or first)
    return {day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)}
