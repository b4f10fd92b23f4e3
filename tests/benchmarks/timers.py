"""What timers cost at many open cases: the real tick on PostgreSQL, with figures and the plans of its scans.

    python -m tests.benchmarks.timers [--n 1000000] [--agencies 40] [--postgres URL]

Prints one JSON document. Three states: every case in agencies of today, nothing due; 100 due; then nine tenths in one agency
whose clock stands in the past, nothing due and 100 due; last so many cases due at the same midnight. Without --postgres a server
of its own is started. The database is dropped at the end, and raises `BenchmarkError` when a fact is missing or doubled.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import secrets
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from deploy.local.postgres import LocalPostgres
from services.processing.domain.case import Case
from services.processing.handlers.settling import Rules
from services.processing.handlers.timers import Ticker, tick
from services.processing.main import MIGRATIONS
from services.processing.repository.timers import HISTORICAL, LIVE, OLDEST
from services.processing.settings import ProcessingSettings
from services.processing.tables import CaseRow, Inbox, Outbox, Parked
from shared.observability.logs import set_up_logs
from shared.persistence.database import Database
from shared.persistence.migrate import migrate
from shared.persistence.work import Store
from shared.service.server import spare_collector
from tests.benchmarks.stage import ensure
from tests.support.servers import FAST_POSTGRES, Keys

PAST = "past"
TICKS = 20
DUE = 100
LIMIT = 1000

# Due dates at 17:00 local of the next 30 days; each case's timer is the 00:00 before, as `next_timer` has it.
FILL = """
insert into cases (
  case_id, heard_intake, stated, agency, kind, procedure, procedure_version, field, channel, status, unit, code, origin, lane,
  submitted_at, accepted_at, clock_from, due_at, statutory_due_at, last_fact_at, timer_at
)
select gen_random_uuid(), 1, 1, 'agency-' || n % $2, 'dossier', '1.001806', 2, 'social-protection', 'online', 2, 'labour',
  'X-' || n, 'live', 0, today.at - interval '40 days', today.at - interval '40 days', today.at - interval '40 days',
  due.at, due.at, today.at - interval '40 days', due.at - interval '17 hours'
from generate_series(1, $1) n,
  (select date_trunc('day', now() at time zone 'Asia/Ho_Chi_Minh') at time zone 'Asia/Ho_Chi_Minh') today (at),
  lateral (select today.at + (1 + n % 30) * interval '1 day' + interval '17 hours') due (at)
"""
TIMERS = """
insert into timers (case_id, agency, at, replayed) select case_id, agency, timer_at, origin = 'replay' from cases
on conflict (case_id) do update set agency = excluded.agency, at = excluded.at, replayed = excluded.replayed
"""
# Nine tenths become cases of a year that is replayed: all their times, 2000 days earlier.
TO_THE_PAST = """
update cases set agency = $1, origin = 'replay', submitted_at = submitted_at - d, accepted_at = accepted_at - d,
  clock_from = clock_from - d, due_at = due_at - d, statutory_due_at = statutory_due_at - d, last_fact_at = last_fact_at - d,
  timer_at = timer_at - d, raised = null, stated = 1
from (select interval '2000 days' as d) days where right(code, 1) <> '0'
"""
BRING_FORWARD = """
with few as (select case_id from timers where replayed = $3 order by at desc limit $1),
moved as (update cases set due_at = $2::timestamptz + interval '17 hours', timer_at = $2 where case_id in (select * from few))
update timers set at = $2 where case_id in (select * from few)
"""


@dataclass(slots=True)
class Bench:
    """One database full of open cases, and what was measured on it."""

    database: Database
    connection: asyncpg.Connection
    ticker: Ticker
    figures: dict[str, Any] = field(default_factory=dict)

    async def idle(self, name: str) -> None:
        """Ticks that find nothing."""
        seconds = [await self._tick(0) for _ in range(TICKS)]
        self.figures[name] = {
            "median_ms": round(statistics.median(seconds) * 1000, 2), "most_ms": round(max(seconds) * 1000, 2), "ticks": TICKS,
        }  # fmt: skip

    async def due(self, name: str, count: int) -> None:
        """One tick that finds so many cases."""
        seconds = await self._tick(count)
        self.figures[name] = {"cases": count, "ms": round(seconds * 1000, 1), "cases_per_second": round(count / seconds)}

    async def _tick(self, count: int) -> float:
        began, cases, more = time.perf_counter(), 0, True
        while more:
            done = await tick(self.ticker)
            cases, more = cases + done.cases, done.more
        seconds = time.perf_counter() - began
        ensure("cases looked at", cases, count)
        return seconds

    async def plans(self, name: str) -> None:
        """How PostgreSQL runs the scans; none may read the table of timers from end to end."""
        now = await self.connection.fetchval("select now()")
        scans = {"today": (LIVE, (now, LIMIT)), "history": (HISTORICAL, (LIMIT,)), "oldest": (OLDEST, (now,))}
        found = {}
        for scan, (statement, arguments) in scans.items():
            rows = await self.connection.fetch(f"explain (analyze, buffers, timing off) {statement}", *arguments)
            lines = [row[0] for row in rows]
            ensure(f"{name}, {scan}: sequential scans of timers", [each for each in lines if "Seq Scan on timers" in each], [])
            used = sorted({line.partition(" on ")[0].strip(" ->") for line in lines if " on timers" in line})
            buffers = next(line.strip() for line in lines if "Buffers:" in line)
            found[scan] = {"nodes_on_timers": used, "buffers": buffers, "time": lines[-1].strip()}
        self.figures[name] = found

    async def once(self) -> None:
        """Every fact of a type is there once per case."""
        twice = await self.connection.fetchval(
            "select count(*) from (select 1 from history group by case_id, type, body having count(*) > 1) doubled"
        )
        ensure("facts that were stated twice", twice, 0)


async def measure(bench: Bench, cases: int, agencies: int, midnight: int) -> None:
    """All states, one after the other."""
    connection, began = bench.connection, time.perf_counter()
    await connection.execute(FILL, cases, agencies)
    await connection.execute(TIMERS)
    bench.figures["fill_seconds"] = round(time.perf_counter() - began, 1)
    await bench.idle("today_without_statistics_nothing_due")
    await connection.execute("vacuum analyze cases, timers")
    await bench.plans("today_plans")
    await bench.idle("today_nothing_due")
    await connection.execute(BRING_FORWARD, DUE, await _local_midnight(connection), False)
    await bench.due("today_100_due", DUE)
    await bench.once()

    await connection.execute("truncate history, outbox")
    await connection.execute(TO_THE_PAST, PAST)
    await connection.execute(TIMERS)
    await connection.execute("insert into agency_clocks values ($1, 'historical', now() - interval '2020 days', 1)", PAST)
    await connection.execute("vacuum analyze cases, timers")
    await bench.plans("history_plans")
    await bench.idle("history_nothing_due")
    midnight_then = await _local_midnight(connection, days=2020)
    await connection.execute(BRING_FORWARD, DUE, midnight_then, True)
    await bench.due("history_100_due", DUE)
    await bench.once()

    await connection.execute("truncate history, outbox")
    await connection.execute(BRING_FORWARD, midnight, midnight_then, True)
    await bench.due("same_midnight", midnight)
    await bench.once()


async def _local_midnight(connection: asyncpg.Connection, days: int = 0) -> Any:
    """00:00 of today in Viet Nam, or so many days ago."""
    return await connection.fetchval(
        "select date_trunc('day', now() at time zone 'Asia/Ho_Chi_Minh') at time zone 'Asia/Ho_Chi_Minh' - $1 * interval '1 day'",
        days,
    )


@contextlib.asynccontextmanager
async def prepared(postgres: str, folder: Path) -> AsyncIterator[Bench]:
    """A database of its own, dropped at the end."""
    keys, run = Keys.make(folder / "keys"), f"b{secrets.token_hex(4)}"
    settings = ProcessingSettings(
        kafka_bootstrap="nowhere:9092",
        postgres_url=postgres,
        database_prefix=f"{run}_",
        token_public_key_file=keys.folder / "public.json",
        private_key_file=keys.folder / "key",
    )
    database = Database(settings, "processing")
    store: Store[Case] = Store(database, "processing", cases=CaseRow, state=Case, outbox=Outbox, parked=Parked, inbox=Inbox)

    async def caught_up() -> bool:
        return True

    try:
        await migrate(database, MIGRATIONS)
        connection = await asyncpg.connect(database.url, server_settings={"plan_cache_mode": "force_custom_plan", "jit": "off"})
        yield Bench(database, connection, Ticker(store, Rules(), caught_up))
        await connection.close()
    finally:
        await database.close()
        server = await asyncpg.connect(postgres)
        await server.execute(f"drop database if exists {database.name} with (force)")
        await server.close()


@contextlib.contextmanager
def given(postgres: str | None, folder: Path) -> Iterator[str]:
    """The server that was named, or one of its own."""
    if postgres:
        yield postgres
        return
    server = LocalPostgres(folder / "postgres", settings=FAST_POSTGRES)
    server.start()
    try:
        yield server.address
    finally:
        server.stop()
        server.forget()


async def _run(arguments: argparse.Namespace, postgres: str, folder: Path) -> dict[str, Any]:
    async with prepared(postgres, folder) as bench:
        await measure(bench, arguments.n, arguments.agencies, min(arguments.midnight, arguments.n // 10))
        return bench.figures


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description="Ticks of the timers at many open cases.")
    parser.add_argument("--n", type=int, default=1_000_000, help="open cases")
    parser.add_argument("--agencies", type=int, default=40)
    parser.add_argument("--midnight", type=int, default=100_000, help="cases that are due at the same moment")
    parser.add_argument("--postgres", help="server URL of a role that may create databases")
    arguments = parser.parse_args()
    set_up_logs("bench", "warning")
    spare_collector()
    with tempfile.TemporaryDirectory(prefix="motcua-bench-") as name, given(arguments.postgres, Path(name)) as postgres:
        figures = uvloop.run(_run(arguments, postgres, Path(name)))
    print(json.dumps({"name": "timers", "n": arguments.n, "agencies": arguments.agencies, **figures}, indent=2))


if __name__ == "__main__":
    with contextlib.suppress(asyncio.CancelledError):
        main()
