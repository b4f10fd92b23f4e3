"""How long a feed may be silent: by hour of the week, and not at once when a stricter hour begins."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.hotline.mapping import Mapping
from shared.hotline.reading import read_mapping
from shared.hotline.silence import expected_silence_seconds

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
HEAD = """\
source: vox
title: {vi: "Vox", en: "Vox"}
agency: so-demo
authentication: {scheme: bearer}
shape: normalised
expected_silence:
"""


def mapping(lines: str) -> Mapping:
    return read_mapping(HEAD + lines, "vox.yaml")


OFFICE = mapping("""\
  hours:
    - {days: mon-fri, hours: 12-13, minutes: 90}
    - {days: mon-fri, hours: 7-17, minutes: 10}
    - {days: sat, hours: 8-11, minutes: 120}
  otherwise_minutes: 4320
""")


def minutes(written: str, of: Mapping = OFFICE) -> float:
    """Of a local time; 2026-09-21 is a Monday."""
    return expected_silence_seconds(of, datetime.fromisoformat(written).replace(tzinfo=ZONE)) / 60


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-09-21 06:59", 4320),
        ("2026-09-21 07:00", 4320),  # nothing came on Sunday, which is usual
        ("2026-09-21 07:09:59", 4320),
        ("2026-09-21 07:10:01", 10),
        ("2026-09-21 11:59", 10),
        ("2026-09-21 12:00", 90),
        ("2026-09-21 13:00", 90),
        ("2026-09-21 13:05", 90),
        ("2026-09-21 13:11", 10),
        ("2026-09-21 16:59:59", 10),
        ("2026-09-21 17:00", 4320),
        ("2026-09-25 17:01", 4320),
        ("2026-09-26 09:59", 4320),
        ("2026-09-26 10:01", 120),
        ("2026-09-26 11:00", 4320),
        ("2026-09-27 12:00", 4320),
    ],
)
def test_a_stricter_hour_holds_once_its_own_limit_has_passed_in_it(at: str, expected: float) -> None:
    assert minutes(at) == expected


def test_the_hours_are_those_of_viet_nam_whatever_zone_asks() -> None:
    at = datetime.fromisoformat("2026-09-21T09:00:00+07:00")

    assert {
        expected_silence_seconds(OFFICE, at.astimezone(ZoneInfo(zone))) for zone in ("UTC", "America/Lima", "Asia/Tokyo")
    } == {600}


def test_days_may_go_over_the_end_of_the_week() -> None:
    weekend = mapping("  hours: [{days: fri-mon, minutes: 600}]\n  otherwise_minutes: 60\n")

    assert [minutes(f"2026-09-{day} 20:00", weekend) for day in (21, 22, 24, 25, 26, 27)] == [600, 60, 60, 600, 600, 600]


def test_a_feed_without_hours_has_one_limit() -> None:
    assert minutes("2026-09-21 03:00", mapping("  otherwise_minutes: 45\n")) == 45


def test_a_limit_of_many_hours_looks_back_over_all_of_them() -> None:
    uneven = mapping("  hours: [{days: mon, hours: 0-1, minutes: 1000}]\n  otherwise_minutes: 300\n")

    assert [minutes(f"2026-09-21 {clock}", uneven) for clock in ("05:59", "06:01")] == [1000, 300]


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))  # noqa: DTZ001 - the zone follows
def test_a_feed_that_speaks_within_its_limit_from_each_opening_on_is_never_late(local: datetime) -> None:
    """An event each ten minutes in opening hours, three days at most between openings: no moment has a longer silence."""
    at = local.replace(tzinfo=ZONE)
    last = at
    while not ((last.weekday() < 5 and 7 <= last.hour < 17) or (last.weekday() == 5 and 8 <= last.hour < 11)):
        last -= timedelta(minutes=1)
    since_last = at - last.replace(minute=last.minute // 10 * 10, second=0, microsecond=0)

    assert since_last.total_seconds() <= expected_silence_seconds(OFFICE, at)
