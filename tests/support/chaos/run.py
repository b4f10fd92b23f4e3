"""One chaos run: load and faults together, then heal, wait for quiet, and check."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient

from shared.contracts.topics import CASE_COMMANDS, CASE_EVENTS, group_of
from shared.messaging.kafka import make_producer
from tests.support.chaos.checker import Verdict, check
from tests.support.chaos.city import City
from tests.support.chaos.faults import Breaker
from tests.support.chaos.history import Offsets, ends, places, read_published
from tests.support.chaos.load import Load
from tests.support.chaos.schedule import Fault, make_schedule
from tests.support.installation import SERVICES, Installation
from tests.support.waiting import eventually

PROMISED_SECONDS = 60.0
GROUPS = [(group_of(service, CASE_EVENTS), CASE_EVENTS) for service in SERVICES] + [
    (group_of("processing", CASE_COMMANDS), CASE_COMMANDS)
]


@dataclass(frozen=True, slots=True)
class Size:
    """How much happens in a run: cases a second, seconds of load, number of faults and the longest of them."""

    rate: float = 40
    seconds: float = 12
    faults: int = 4
    longest: float = 6


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a run. `recovery` is from the last mending to the last effect, in seconds."""

    seed: int
    schedule: list[Fault]
    verdict: Verdict
    recovery: float
    seconds: float
    crashes: int
    load: Load
    begin: Offsets

    @property
    def answers(self) -> Counter[str]:
        """How often HTTP answered what, or failed how."""
        return self.load.answers

    HEAD = "| seed | faults | crashes | cases | events | messages | repeated | lost | doubled | wrong | recovery s | run s |"

    def row(self) -> str:
        """A line of the table."""
        verdict, faults = self.verdict, "; ".join(str(fault) for fault in self.schedule)
        cells = (
            self.seed, faults, self.crashes, verdict.cases, verdict.events, verdict.messages, verdict.repeated, len(verdict.lost),
            len(verdict.doubled), len(verdict.wrong), f"{self.recovery:.1f}", f"{self.seconds:.0f}",
        )  # fmt: skip
        return "| " + " | ".join(map(str, cells)) + " |"


async def run_chaos(city: City, seed: int, size: Size) -> Report:
    """The whole run; the report says what was found, and raises only when the city does not come to rest."""
    installed, agency, began = city.installed, f"chaos-{seed}", time.monotonic()
    schedule = make_schedule(seed, size.faults, size.seconds, size.longest)
    print(f"\nseed {seed}: " + ", ".join(str(fault) for fault in schedule), flush=True)
    load, breaker = Load(installed, agency, seed, size.rate, size.seconds), Breaker(city, seed)
    begin = await ends(installed, CASE_EVENTS)
    producer = make_producer(installed.kafka, "desk")
    await producer.start()
    try:
        loading = asyncio.create_task(load.run(producer))
        await breaker.follow(schedule)
        mended = max(time.monotonic(), began + size.seconds)
        await breaker.heal()
        await asyncio.wait_for(loading, PROMISED_SECONDS + size.seconds)
        await quiet(installed, agency)
    finally:
        await producer.stop()
    recovery = time.monotonic() - mended
    verdict = await check(installed, load, await read_published(installed, begin, agency))
    verdict.wrong += [f"{name} ended by itself" for name in breaker.died]
    return Report(seed, schedule, verdict, recovery, time.monotonic() - began, breaker.crashes, load, begin)


async def quiet(city: Installation, agency: str) -> None:
    """Wait until no outbox holds anything, no message waits, and every group has committed all there is; twice in a row."""
    admin, before = AIOKafkaAdminClient(bootstrap_servers=city.bootstrap), Offsets()
    await admin.start()

    async def look() -> bool:
        nonlocal before
        for service in SERVICES:
            assert not await city.query(service, "select 1 from outbox limit 1"), f"outbox of {service}"
        waiting = "select status from ledger where status in ('waiting', 'pending') limit 1"
        assert not await city.query("notification", waiting), "ledger"
        end = await ends(city, CASE_EVENTS, CASE_COMMANDS)
        for group, topic in GROUPS:
            done = await admin.list_consumer_group_offsets(f"{city.run}-{group}")
            behind = {
                place.partition: end[place] - max(done[place].offset if place in done else 0, 0) for place in places(city, topic)
            }
            assert not any(behind.values()), f"{group} is behind: {behind}"
        last, before = before, end
        assert last == end, "twice in a row"
        return True

    try:
        await eventually(f"{agency} has come to rest", look, within=PROMISED_SECONDS + 30, every=0.2)
    finally:
        await admin.close()
