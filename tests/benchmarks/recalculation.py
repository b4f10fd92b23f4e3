"""A change of the calendar on many open cases: `python -m tests.benchmarks.recalculation [--n 100000]`.

Own PostgreSQL, own database, removed after. The first process that counts is killed (SIGKILL) on its way; a second goes on.
Meanwhile an officer works: how long single commands take is measured, too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from services.processing.domain.case import Case
from services.processing.domain.clock import AgencyClock
from services.processing.handlers.calendar import change_calendar
from services.processing.handlers.officers import HttpCommand, command_case
from services.processing.handlers.recalculating import recalculate_batch, recalculate_cases, tell_first_calendar
from services.processing.handlers.settling import Rules, timed
from services.processing.main import MIGRATIONS
from services.processing.repository import hold_calendar
from services.processing.settings import ProcessingSettings
from services.processing.tables import CaseRow, HistoryRow, Inbox, Outbox, Parked, TimerRow
from shared.calendar import ZONE, CalendarDay, DayKind, DayStatus, load_calendar
from shared.catalogue import load_catalogue
from shared.contracts.events import PROCESSING
from shared.contracts.words import Origin, StopKind
from shared.persistence.bulk import column_names, insert_rows
from shared.persistence.database import Database
from shared.persistence.migrate import migrate
from shared.persistence.work import Store
from shared.security.key_ring import KeyRing
from tests.support.lives import AGENCY, Life, ask
from tests.support.servers import FAST_POSTGRES, Keys

SEED = "1.001806"
SHAPES = 40
CHUNK = 5000
KEYS = KeyRing([bytes(32)])
"""For notes, of which there are none here."""
SUPPLEMENT = ask.RequestSupplement(documents=("a",), reason="missing_documents")


def make_life(rng: random.Random, now: datetime) -> Life:
    """A dossier accepted in the last working days; some were completed, suspended or given a new appointment."""
    at = now - timedelta(days=rng.randint(1, 5), hours=rng.randint(0, 8))
    life = Life(load_catalogue(), at, procedure=SEED).do(ask.Accept(unit="one-stop"), at)
    shape = rng.random()
    for number in range(rng.randint(0, 3)):
        life.do(ask.CompleteStep(step=f"step {number}"), at + timedelta(minutes=number))
    if shape < 0.1:
        life.do(SUPPLEMENT, at + timedelta(hours=1)).do(ask.ReceiveSupplement(), at + timedelta(hours=20))
    elif shape < 0.2:
        life.do(ask.Stop(stop_kind=StopKind.SUSPENDED, reason="force_majeure"), at + timedelta(hours=1))
        life.do(ask.Resume(reason="goes_on"), at + timedelta(hours=20))
    elif shape < 0.3 and life.case.due_at:
        life.do(ask.Extend(new_due_at=life.case.due_at + timedelta(days=20), reason="a", apology="b"), at + timedelta(hours=1))
    return life


async def fill(database: Database, lives: Sequence[Life], n: int) -> list[UUID]:
    """Copies of these lives as `n` open cases with their histories and timers."""
    rules, width = Rules(), len(column_names(CaseRow)) - len(Case._fields)
    case_ids, ids = [], iter(range(n))
    while chunk := list(islice(ids, CHUNK)):
        cases, facts, timers = [], [], []
        for number in chunk:
            life, case_id = lives[number % len(lives)], uuid7()
            case = timed(life.case._replace(origin=Origin.LIVE, code=f"B-{number}"), rules)
            case_ids.append(case_id)
            stated = len(life.history) - 1
            cases.append((case_id, 1, 0, 0, stated, 0, 0, *case))
            facts += [
                (case_id, "processing", place, uuid7(), each.event.type, each.occurred_at, each.occurred_at, "live", None,
                 each.event.model_dump_json())
                for place, each in enumerate(life.history[1:], 1)
            ]  # fmt: skip
            if case.timer_at is not None:
                timers.append((case_id, AGENCY, case.timer_at, False))
        async with database.transaction() as tx:
            assert width == 7
            await insert_rows(tx, CaseRow, cases)
            await insert_rows(tx, HistoryRow, facts)
            await insert_rows(tx, TimerRow, timers)
    async with database.engine.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).exec_driver_sql("analyze")
    return case_ids


def make_store(database: Database) -> Store[Any]:
    return Store(database, PROCESSING, cases=CaseRow, state=Case, outbox=Outbox, parked=Parked, inbox=Inbox)


def make_settings(postgres: str, folder: Path) -> ProcessingSettings:
    return ProcessingSettings(
        kafka_bootstrap="127.0.0.1:1",
        postgres_url=postgres,
        database_prefix="recalculation_",
        token_public_key_file=folder / "public.json",
        private_key_file=folder / "key",
    )


async def count_again(postgres: str, folder: Path) -> None:
    """What the service's own loop does, until nothing is left."""
    database = Database(make_settings(postgres, folder), PROCESSING)
    while await recalculate_cases(make_store(database), Rules()):
        pass
    await database.close()


async def kill_on_its_way(postgres: str, folder: Path, database: Database, n: int) -> int:
    """Start a process that counts, and kill it when a third is done; give how many cases it had counted."""
    call = f"import asyncio, pathlib; from tests.benchmarks.recalculation import count_again as c; asyncio.run(c({postgres!r}, pathlib.Path({str(folder)!r})))"  # noqa: E501 - one line of another program
    process = subprocess.Popen([sys.executable, "-c", call], start_new_session=True)
    counted = "select coalesce((select w.cases from calendar_sweep w join calendar_state s using (revision)), 0)"
    while (done := await value(database, counted)) < n // 3:
        assert process.poll() is None
        await asyncio.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return int(done)


async def value(database: Database, query: str) -> Any:
    async with database.transaction() as tx:
        return await tx.driver.fetchval(query)


async def hold_microseconds(database: Database) -> float:
    """What a deciding transaction pays for holding the calendar: the median of one statement."""
    seconds = []
    for _ in range(500):
        async with database.transaction() as tx:
            began = time.perf_counter()
            await hold_calendar(tx)
            seconds.append(time.perf_counter() - began)
    return round(statistics.median(seconds) * 1e6)


async def work_meanwhile(store: Store[Any], case_ids: Sequence[UUID], rng: random.Random, seconds: list[float]) -> None:
    """An officer's commands, one after another."""
    rules = Rules()
    while True:
        asked = HttpCommand(rng.choice(case_ids), AGENCY, ask.RecordCause(cause="load"), None, Origin.LIVE, "bench", None)
        began = time.perf_counter()
        answer = await command_case(store, asked, AgencyClock(), rules, KEYS)
        assert answer.rejected is None, answer
        seconds.append(time.perf_counter() - began)
        await asyncio.sleep(0.02)


async def measure(postgres: str, folder: Path, n: int, seed: int) -> dict[str, Any]:
    """Fill, change, count again, and check."""
    rng, now = random.Random(seed), datetime.now(UTC)
    database = Database(make_settings(postgres, folder), PROCESSING)
    await migrate(database, MIGRATIONS)
    store = make_store(database)
    case_ids = await fill(database, [make_life(rng, now) for _ in range(SHAPES)], n)
    await tell_first_calendar(store, Rules())
    hold = await hold_microseconds(database)
    off = next_weekday(now.astimezone(ZONE).date() + timedelta(days=2))
    began = time.perf_counter()
    await change_calendar(store, lambda almanac: almanac.with_day(CalendarDay(off, DayKind.OFF, "a", "a", DayStatus.VERIFIED)))
    changed = time.perf_counter() - began
    seconds: list[float] = []
    officer = asyncio.create_task(work_meanwhile(store, case_ids, rng, seconds))
    began, cpu = time.perf_counter(), time.process_time()
    while await recalculate_batch(store, Rules()):
        pass
    whole, cpu = time.perf_counter() - began, time.process_time() - cpu
    officer.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await officer
    moved = await check(database, n, revision=2)
    await change_calendar(store, lambda almanac: almanac.without_day(off))
    killed_at = await kill_on_its_way(postgres, folder, database, n)
    began = time.perf_counter()
    await count_again(postgres, folder)
    rest = time.perf_counter() - began
    back = await check(database, n, revision=3, rounds=2)
    await database.close()
    seconds.sort()
    return {
        "cases": n, "moved": moved, "hold_us": hold, "change_seconds": round(changed, 3), "seconds": round(whole, 2),
        "cases_per_second": round(n / whole), "python_cpu_us_per_case": round(cpu / n * 1e6),
        "commands_meanwhile": len(seconds), "command_median_ms": round(statistics.median(seconds) * 1000, 1),
        "command_p99_ms": round(seconds[int(len(seconds) * 0.99)] * 1000, 1),
        "killed_after_cases": killed_at, "rest_seconds": round(rest, 2), "moved_back": back,
    }  # fmt: skip


def next_weekday(day: date) -> date:
    """The first working day from this one on."""
    return load_calendar().roll_forward(day)


async def check(database: Database, n: int, revision: int, rounds: int = 1) -> int:
    """All cases counted, each fact stated once, timers and histories as the cases are; give how many due dates moved."""
    async with database.transaction() as tx:
        sweep = await tx.driver.fetchrow("select revision, cases, moved, ended_at from calendar_sweep")
        facts = (
            "select count(*), count(distinct case_id), max(per_case) from (select case_id, count(*) over (partition by case_id)"
        )
        row = await tx.driver.fetchrow(f"{facts} per_case from history where type = 'case.due_date_recalculated') h")
        wrong = await tx.driver.fetchval(
            "select count(*) from cases c left join timers t using (case_id) where t.at is distinct from c.timer_at"
        )
        gaps = await tx.driver.fetchval(
            "select count(*) from cases c where stated <> (select max(sequence) from history h where h.case_id = c.case_id)"
        )
    assert (sweep["revision"], sweep["cases"], sweep["ended_at"] is not None) == (revision, n, True), dict(sweep)
    assert (row[0], row[2]) == (row[1] * rounds, rounds), row
    assert (sweep["moved"], wrong, gaps) == (row[1], 0, 0), (dict(sweep), row, wrong, gaps)
    return int(sweep["moved"])


def main() -> None:
    """Run it, and print one JSON document."""
    from deploy.local.postgres import LocalPostgres

    parser = argparse.ArgumentParser(description="A change of the calendar on many open cases.")
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="motcua-bench-") as name:
        folder = Path(name)
        Keys.make(folder)
        server = LocalPostgres(folder / "postgres", settings=FAST_POSTGRES)
        server.start()
        try:
            print(json.dumps(asyncio.run(measure(server.address, folder, arguments.n, arguments.seed))))
        finally:
            server.stop()
            server.forget()


if __name__ == "__main__":
    main()
