"""One chaos run: load and faults together, then heal, wait for quiet, and check."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.contracts.topics import CASE_EVENTS
from shared.messaging.kafka import make_producer
from tests.support.chaos.checker import Verdict, check
from tests.support.chaos.city import City
from tests.support.chaos.faults import Breaker
from tests.support.chaos.history import Offsets, ends, read_published
from tests.support.chaos.load import Load
from tests.support.chaos.rest import quiet
from tests.support.chaos.schedule import Fault, make_schedule

PROMISED_SECONDS = 60.0
STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much happens in a run: cases a second, seconds of load, number of faults and the longest of them."""

    rate: float = 40
    seconds: float = 12
    faults: int = 4
    longest: float = 6


@dataclass(slots=True)
class Report:
    """What came of a run. `recovery` is from the last mending to the last effect, in seconds; None when there was no rest.

    `backlog` are the facts that were stated only after the mending, `busiest` is the most that were stated within a second.
    """

    seed: int
    schedule: list[Fault]
    load: Load
    begin: Offsets
    verdict: Verdict = field(default_factory=Verdict)
    recovery: float | None = None
    seconds: float = 0.0
    crashes: int = 0
    backlog: int = 0
    busiest: int = 0
    seen: list[str] = field(default_factory=list)

    @property
    def answers(self) -> Counter[str]:
        """How often HTTP answered what, or failed how."""
        return self.load.answers

    @property
    def sound(self) -> bool:
        """Nothing lost, doubled or wrong, and at rest in time."""
        return self.verdict.clean and self.recovery is not None and self.recovery <= PROMISED_SECONDS

    HEAD = (
        "| seed | faults | seen | crashes | cases | events | messages | repeated | lost | doubled | wrong | recovery s | backlog "
        "| most events/s | run s |"
    )

    def row(self) -> str:
        """A line of the table."""
        verdict, faults = self.verdict, "; ".join(str(fault) for fault in self.schedule)
        recovery = "never" if self.recovery is None else f"{self.recovery:.1f}"
        cells = (
            self.seed, faults, "; ".join(self.seen), self.crashes, verdict.cases, verdict.events, verdict.messages,
            verdict.repeated, len(verdict.lost), len(verdict.doubled), len(verdict.wrong), recovery, self.backlog, self.busiest,
            f"{self.seconds:.0f}",
        )  # fmt: skip
        return "| " + " | ".join(map(str, cells)) + " |"


async def run_chaos(city: City, seed: int, size: Size) -> Report:
    """The whole run; the report says what was found, also when the city did not come to rest."""
    installed, agency, began = city.installed, f"chaos-{seed}", time.monotonic()
    schedule = make_schedule(seed, size.faults, size.seconds, size.longest)
    print(f"\nseed {seed}: " + ", ".join(str(fault) for fault in schedule), flush=True)
    load, breaker = Load(installed, agency, seed, size.rate, size.seconds), Breaker(city, seed)
    report = Report(seed, schedule, load, await ends(installed, CASE_EVENTS))
    try:
        mended, mended_at = await _break_and_mend(report, breaker, size)
        report.recovery = time.monotonic() - mended
        published = await read_published(installed, report.begin, agency)
        report.verdict = await check(installed, load, published)
        times = published.times()
        report.backlog, report.busiest = sum(each >= mended_at for each in times), most_within_a_second(times)
    except Exception as error:  # noqa: BLE001 - a run without an end is a finding, and the next has a city of its own
        report.verdict = Verdict(cases=len(load.cases), wrong=[f"no rest: {type(error).__name__}: {error}"])
        report.verdict.wrong += [str(each) for each in getattr(error, "exceptions", ())]
        left = sum(not each.settled for each in load.cases)
        report.verdict.wrong += [f"{left} cases have no answer to everything"] * bool(left)
    report.verdict.wrong += breaker.found
    report.crashes, report.seen, report.seconds = breaker.crashes, breaker.seen, time.monotonic() - began
    return report


async def _break_and_mend(report: Report, breaker: Breaker, size: Size) -> tuple[float, float]:
    """Until the city is quiet again; when everything was mended, on the clock that does not jump and on the other one."""
    installed, load, over, began = breaker.city.installed, report.load, asyncio.Event(), time.monotonic()
    producer = make_producer(installed.kafka, "desk")
    await producer.start()
    loading = asyncio.create_task(load.run(producer, lambda: not over.is_set()))
    try:
        await breaker.follow(report.schedule)
        over.set()
        mended = max(time.monotonic(), began + size.seconds)
        mended_at = time.time() + mended - time.monotonic()
        await breaker.heal()
        await asyncio.wait_for(loading, PROMISED_SECONDS + size.seconds)
        await quiet(installed, load.agency)
        return mended, mended_at
    finally:
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
        with contextlib.suppress(TimeoutError):  # it waits for Kafka, which may be away when somebody stops us
            await asyncio.wait_for(producer.stop(), STOP_SECONDS)


def most_within_a_second(times: Sequence[float]) -> int:
    """The most of these sorted times that lie within one second."""
    most = first = 0
    for last, at in enumerate(times):
        while times[first] <= at - 1:
            first += 1
        most = max(most, last - first + 1)
    return most
