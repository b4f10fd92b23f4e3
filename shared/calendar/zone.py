"""The one legal time zone, and the local date of an instant.

Asia/Ho_Chi_Minh has been UTC+7 without daylight saving since June 1975; the fixed offset used for arithmetic
is exact from 1976 on (a test compares it with the zone's own table).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from shared.calendar.errors import NaiveInstantError

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")

_ORIGIN = datetime(2001, 1, 1, tzinfo=timezone(timedelta(hours=7)))
_ORIGIN_ORDINAL = _ORIGIN.toordinal()
_SECOND = 1_000_000


def local_position(at: datetime) -> tuple[int, int]:
    """Ordinal of the local date (as `date.toordinal`) and microseconds since local midnight.

    Raises NaiveInstantError when the instant has no zone.
    """
    try:
        passed = at - _ORIGIN
    except TypeError:
        message = f"the instant {at.isoformat()} has no time zone; give an aware datetime"
        raise NaiveInstantError(message) from None
    return _ORIGIN_ORDINAL + passed.days, passed.seconds * _SECOND + passed.microseconds


def local_date(at: datetime) -> date:
    """Date of the instant in Viet Nam; raises NaiveInstantError when it has no zone."""
    return date.fromordinal(local_position(at)[0])


def local_instant(ordinal: int, microseconds: int) -> datetime:
    """The instant of a local day's ordinal and its microseconds since midnight, expressed in ZONE."""
    midnight = datetime.fromordinal(ordinal).replace(tzinfo=ZONE)
    return midnight + timedelta(microseconds=microseconds)
