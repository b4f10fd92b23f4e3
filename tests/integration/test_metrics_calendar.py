"""Metrics counts working time by the calendar that processing stated last, whenever it came."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from services.processing.domain.almanac import Almanac
from shared.calendar import CalendarDay, DayKind, DayStatus, load_calendar, parse_hours
from shared.contracts.envelope import Envelope
from shared.contracts.words import Origin
from tests.support.metrics import Fact, Life, MetricsService, Topic, installation, interleaved, replica
from tests.support.servers import Keys, Servers
from tests.support.waiting import eventually

START = datetime(2020, 3, 2, 1, 0, tzinfo=UTC)  # Monday 08:00 in Viet Nam
DAY, HOUR = timedelta(days=1), 3600.0
PACKAGED = Almanac(load_calendar().days)
HOLIDAY = CalendarDay(date(2020, 3, 3), DayKind.OFF, "Nghỉ", "Off", DayStatus.VERIFIED)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys.make(tmp_path / "keys")


@pytest.fixture
async def topic(servers: Servers, keys: Keys) -> AsyncIterator[Topic]:
    async with installation(servers, keys) as made:
        yield made


@pytest.fixture
async def service(topic: Topic, keys: Keys) -> AsyncIterator[MetricsService]:
    async with replica(topic.settings, keys) as running:
        yield running


def stated(almanac: Almanac, revision: int) -> Fact:
    event = replace(almanac, revision=revision).stated()
    envelope = Envelope(f"calendar{revision}", event.type, "/processing", "city", "city", START, START, Origin.LIVE, revision)
    return envelope, event


def lives(agency: str = "ldtbxh") -> list[Life]:
    """Three cases from Monday 08:00 to Wednesday 08:00: two working days by the packaged calendar."""
    return [Life(agency).submitted(START).accepted(START).resolved(START + 2 * DAY) for _ in range(3)]


async def mean_hours(service: MetricsService, agency: str = "ldtbxh") -> float | None:
    mean = (await service.figures(agency))["working_turnaround"]["mean_seconds"]
    return None if mean is None else float(mean) / HOUR


async def until_mean_is(service: MetricsService, hours: float, agency: str = "ldtbxh") -> None:
    async def look() -> bool:
        return await mean_hours(service, agency) == hours

    await eventually(f"the mean of {agency} is {hours} working hours", look)


async def test_working_time_is_measured_again_when_another_calendar_comes(service: MetricsService, topic: Topic) -> None:
    await topic.send(interleaved([*lives(), *lives("early")]))
    await service.settled(resolved=3)
    await until_mean_is(service, 16.0)
    changed = PACKAGED.with_day(HOLIDAY).with_hours("early", parse_hours(["08:00-12:00"]))
    await topic.send([stated(changed, 7)])
    await until_mean_is(service, 8.0)
    await until_mean_is(service, 4.0, "early")
    await topic.send(interleaved(lives()))
    await service.settled(resolved=6)
    assert await mean_hours(service) == 8.0
    await topic.send([stated(PACKAGED, 6)])  # older: late, or read a second time
    await topic.send(interleaved(lives()))
    await service.settled(resolved=9)
    assert await mean_hours(service) == 8.0
    await topic.send([stated(PACKAGED, 8)])
    await until_mean_is(service, 16.0)
    await until_mean_is(service, 16.0, "early")


async def test_the_packaged_calendar_stated_by_processing_asks_for_nothing(service: MetricsService, topic: Topic) -> None:
    await topic.send(interleaved(lives()))
    await service.settled(resolved=3)
    await topic.send([stated(PACKAGED, 1)])

    async def known() -> bool:
        return bool(await service.query("select 1 from calendar_in_force where revision = 1 and measured and after is null"))

    await eventually("the calendar is known", known)
    assert await mean_hours(service) == 16.0
