"""Two paces of reading: each rests in proportion to its cost, comes at once after a quiet time, and tells its own age."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from services.metrics.collectors import BusinessCollector, collector
from services.metrics.collectors.collector import BACKLOG_REST, TURNAROUND_REST, Pace, Reading
from services.metrics.jobs import refresh_series
from services.metrics.settings import MetricsSettings
from shared.persistence.database import Database

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
DATABASE = cast("Database", None)


@dataclass
class World:
    """A clock that only moves by hand, a projection that moves by hand, and how often it was read."""

    now: float = 1000.0
    facts: int = 1
    takes: float = 0.0
    fails: bool = False
    readings: list[float] = field(default_factory=list)

    async def newest(self, _database: Database) -> tuple[int, int]:
        return self.facts, 0

    async def read(self) -> Reading:
        if self.fails:
            raise ConnectionError
        self.readings.append(self.now)
        self.now += self.takes
        return Reading(updated_at=NOW + timedelta(seconds=self.facts))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(collector, "newest_change", made.newest)
    monkeypatch.setattr(collector, "monotonic", lambda: made.now)
    return made


async def move(world: World, pace: Pace, seconds: float) -> None:
    """Facts come all the time, and the pace is asked ten times a second."""
    for _ in range(round(seconds * 10)):
        world.facts += 1
        await pace.refresh()
        world.now += 0.1


@pytest.mark.parametrize(("rest", "readings"), [(BACKLOG_REST, 20), (TURNAROUND_REST, 4)])
async def test_a_reading_rests_in_proportion_to_what_it_took(world: World, rest: float, readings: int) -> None:
    world.takes = 1.0
    pace = Pace(DATABASE, world.read, rest)
    began = world.now
    while world.now < began + 100:
        await move(world, pace, 0.1)
    assert len(world.readings) == readings


async def test_what_is_read_in_a_moment_is_read_again_at_once_at_either_pace(world: World) -> None:
    world.takes = 0.003
    pace = Pace(DATABASE, world.read, TURNAROUND_REST)
    await move(world, pace, 10)
    assert len(world.readings) == 100


async def test_after_a_quiet_time_the_dear_reading_comes_at_once(world: World) -> None:
    world.takes = 1.0
    pace = Pace(DATABASE, world.read, TURNAROUND_REST)
    await pace.refresh()
    world.now += 60
    await pace.refresh()
    assert len(world.readings) == 1, "nothing has moved"
    world.facts += 1
    await pace.refresh()
    assert len(world.readings) == 2
    assert pace.reading.updated_at == NOW + timedelta(seconds=2)


async def test_a_reading_that_failed_is_tried_again_without_a_rest(world: World) -> None:
    pace = Pace(DATABASE, world.read, TURNAROUND_REST)
    world.fails = True
    with pytest.raises(ConnectionError):
        await pace.refresh()
    world.fails = False
    await pace.refresh()
    assert len(world.readings) == 1


def test_each_pace_tells_its_own_age_in_one_family() -> None:
    business, registry = BusinessCollector(DATABASE), CollectorRegistry()
    registry.register(business)
    assert b"motcua_projection" not in generate_latest(registry)
    business.backlog.reading = Reading(updated_at=NOW)
    business.turnaround.reading = Reading(updated_at=NOW - timedelta(seconds=30))
    text = generate_latest(registry).decode()
    assert text.count("# HELP motcua_projection_updated_timestamp_seconds") == 1
    ages = {line.split()[0]: float(line.split()[1]) for line in text.splitlines() if line.startswith("motcua_projection")}
    shown = {f'motcua_projection_updated_timestamp_seconds{{projection="{name}"}}': at for name, at in
             (("cases", NOW), ("turnaround", NOW - timedelta(seconds=30)))}  # fmt: skip
    assert ages == {name: at.timestamp() for name, at in shown.items()}


def test_series_are_made_once_of_a_reading_and_only_for_who_asks() -> None:
    made: list[int] = []
    reading = Reading(lambda: made.append(1) or ())  # type: ignore[func-returns-value]  # it appends, and the series are none
    assert made == []
    assert (reading.families, reading.families, made) == ((), (), [1])


async def test_a_dear_reading_that_takes_long_holds_up_no_cheap_one(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap, dear = asyncio.Event(), asyncio.Event()

    async def newest(_database: Database) -> tuple[int, int]:
        return 1, 0

    async def read_backlog(*_: Any) -> Any:
        cheap.set()
        raise ConnectionError

    async def read_turnaround(*_: Any) -> Any:
        dear.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(collector, "newest_change", newest)
    monkeypatch.setattr(collector, "read_backlog", read_backlog)
    monkeypatch.setattr(collector, "read_turnaround", read_turnaround)
    jobs = refresh_series(BusinessCollector(DATABASE), MetricsSettings.model_construct(metrics_refresh_seconds=0.1))
    loops = [asyncio.create_task(job.loop()) for job in jobs]
    try:
        async with asyncio.timeout(5):
            await dear.wait()
            cheap.clear()
            await cheap.wait()
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
