"""A bulk upload of 100,000 cases beside a counter that files 50 cases a second: how long the counter's cases take to metrics.

Open loop: the counter's cases have their times beforehand, and all times run from those, however late one was sent. A case is
visible once its row is committed in the database of metrics, and exposed once `/metrics` shows a reading that holds it: the
business series are read now and then. Both are looked for every 50 ms, which the figures include.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import re
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx

from deploy.bench.cpu import Meter, backends
from shared.security.tokens import Role
from tests.benchmarks.bulk import make_lines
from tests.benchmarks.intake import make_submission
from tests.benchmarks.load import procedure_codes
from tests.benchmarks.services import pids, serving
from tests.benchmarks.stage import BenchmarkError, Figures, Stage, ensure, main
from tests.benchmarks.upload import statuses, upload
from tests.support.installation import Installation

SERVICES = ("intake", "processing", "notification", "metrics")
PER_SECOND = 50
QUIET_SECONDS = 10.0
LOOK_SECONDS = 0.05
COUNT_SECONDS = 2.0
LONGEST_SECONDS = 230.0
COUNTER = "so-counter"
LIMITS = httpx.Limits(max_connections=200, keepalive_expiry=2.0)
"""Connections at rest are let go before the services close them, which happens after 5 s."""
VISIBLE = """
select case_id::text, (select max(updated_at) from progress) from cases where case_id = any($1::uuid[]) and heard_intake >= 1
"""
SHOWN = re.compile(r'^motcua_projection_updated_timestamp_seconds\{projection="cases"\} (\S+)$', re.MULTILINE)


@dataclass(slots=True)
class Filed:
    """One case of the counter: in which phase it was due to be sent and when, and the seconds from then until what is measured.

    `change` is the newest change of the projection by the time the case was in it, Unix time.
    """

    phase: str
    due_at: float
    answered: float = 0.0
    visible: float = 0.0
    change: float = 0.0
    exposed: float = 0.0


@dataclass(slots=True)
class Counters:
    """Files one case after the other at its time, until it is stopped, and looks when each is visible and exposed."""

    made: Installation
    stage: Stage
    rng: random.Random
    phase: str = "alone"
    stopped: bool = False
    filed: list[Filed] = field(default_factory=list)
    waiting: dict[str, Filed] = field(default_factory=dict)
    unexposed: list[Filed] = field(default_factory=list)

    async def file(self) -> None:
        """The open loop; returns when it is stopped and everything is answered."""
        codes, began, number = procedure_codes(), time.perf_counter(), 0
        headers, url = self.made.headers(Role.COUNTER, COUNTER), self.made.url("intake", "/v1/cases")
        async with httpx.AsyncClient(timeout=30, limits=LIMITS) as http, asyncio.TaskGroup() as tasks:
            while not self.stopped:
                due_at = began + number / PER_SECOND
                await asyncio.sleep(max(due_at - time.perf_counter(), 0))
                body = {**make_submission(self.rng, number, codes), "agency": COUNTER}
                one = Filed(self.phase, due_at)
                tasks.create_task(self._file(http, url, {**headers, "Idempotency-Key": f"counter-{number}"}, body, one))
                number += 1

    async def _file(self, http: httpx.AsyncClient, url: str, headers: dict[str, str], body: dict[str, Any], one: Filed) -> None:
        answer = await http.post(url, headers=headers, json=body)
        ensure("answer to the counter", answer.status_code, 201)
        one.answered = time.perf_counter() - one.due_at
        self.filed.append(one)
        self.waiting[answer.json()["case_id"]] = one

    async def look(self) -> None:
        """For ever: which of the cases are visible now."""
        connection = await asyncpg.connect(self.stage.postgres, database=f"{self.stage.run}_metrics")
        try:
            while True:
                for case_id, change in await connection.fetch(VISIBLE, list(self.waiting)):
                    one = self.waiting.pop(case_id)
                    one.visible, one.change = time.perf_counter() - one.due_at, change.timestamp()
                    self.unexposed.append(one)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await connection.close()

    async def scrape(self) -> None:
        """For ever: which of the visible cases are in the reading that `/metrics` shows now."""
        async with httpx.AsyncClient(timeout=30, limits=LIMITS) as http:
            while True:
                shown = SHOWN.search((await http.get(self.made.url("metrics", "/metrics"))).text)
                until = float(shown[1]) + 1e-6 if shown else 0.0
                for one in [one for one in self.unexposed if one.change <= until]:
                    one.exposed = time.perf_counter() - one.due_at
                    self.unexposed.remove(one)
                await asyncio.sleep(LOOK_SECONDS)

    def figures(self) -> dict[str, Any]:
        """By phase and throughout: how many, and the percentiles in milliseconds."""
        phases = ["throughout", *dict.fromkeys(one.phase for one in self.filed)]
        chosen = {name: [one for one in self.filed if name in ("throughout", one.phase)] for name in phases}
        return {name: _percentiles(some) for name, some in chosen.items() if len(some) > 1}


def _percentiles(some: list[Filed]) -> dict[str, float]:
    told: dict[str, float] = {"cases": len(some)}
    for name, each in (("answer", "answered"), ("visible", "visible"), ("exposed", "exposed")):
        values = [getattr(one, each) for one in some]
        cuts = statistics.quantiles(values, n=100)
        told |= {f"{name}_p50_ms": cuts[49], f"{name}_p99_ms": cuts[98], f"{name}_most_ms": max(values)}
    return {name: round(value * 1e3, 1) if name.endswith("_ms") else value for name, value in told.items()}


async def until(what: str, look: Callable[[], Awaitable[bool]], every: float) -> None:
    """Wait for it; not longer than a run may take."""
    ends_at = time.monotonic() + LONGEST_SECONDS
    while not await look():
        if time.monotonic() > ends_at:
            raise BenchmarkError(f"not within {LONGEST_SECONDS:.0f} s: {what}")
        await asyncio.sleep(every)


async def measure(arguments: argparse.Namespace, stage: Stage) -> Figures:
    """The counter alone, beside the upload, and while the backlog of the upload is worked off."""
    count, rng = arguments.n, random.Random(arguments.seed)
    content = b"".join(make_lines(rng, count))
    async with serving(stage, *SERVICES) as made:
        counters = Counters(made, stage, rng)
        tasks = [asyncio.create_task(each) for each in (counters.file(), counters.look(), counters.scrape())]
        try:
            await asyncio.sleep(QUIET_SECONDS)
            counters.phase = "upload"
            meter, groups = Meter(), {"python": pids(made), "load": [os.getpid()]}
            meter.start(**groups, postgres=await backends(stage.postgres, f"{stage.run}_"))
            began = time.perf_counter()
            answers = await upload(made.ports["intake"], made.keys.token(Role.OFFICER), content)
            seconds = time.perf_counter() - began
            ensure("answers", statuses(answers), Counter({201: count}))
            counters.phase = "backlog"
            await until("metrics has every case of the upload", lambda: _in_metrics(made, count), COUNT_SECONDS)
            in_metrics = time.perf_counter() - began
            meter.stop(postgres=await backends(stage.postgres, f"{stage.run}_"))
            counters.stopped = True
            await tasks[0]
            await until("every case of the counter is exposed", lambda: _all_seen(counters), LOOK_SECONDS)
            await stage.counts("intake", {"cases": count + len(counters.filed), "parked": 0})
        finally:
            for task in tasks:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)
    more = {"all_in_metrics_seconds": round(in_metrics, 1), "counter_per_second": PER_SECOND, "counter": counters.figures()}
    return Figures("cases/s", count, seconds, meter.per_item(count), more)


async def _in_metrics(made: Installation, count: int) -> bool:
    rows = await made.query("metrics", "select count(*) from cases where heard_intake >= 1 and agency <> $1", COUNTER)
    return bool(rows[0][0] == count)


async def _all_seen(counters: Counters) -> bool:
    return not counters.waiting and not counters.unexposed


if __name__ == "__main__":
    main("surge", 100_000, measure)
