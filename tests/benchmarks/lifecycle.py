"""The four services, and a driver that plays the officers: it answers each fact that waits for them by the next command."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.bench.cpu import Meter, backends
from shared.contracts.commands import Accept, Command, Forward, Resolve, Return
from shared.contracts.envelope import type_of
from shared.contracts.topics import CASE_EVENTS
from shared.contracts.words import Channel, Outcome
from shared.messaging.kafka import make_producer
from shared.security.tokens import Role
from shared.settings import ServiceSettings
from tests.benchmarks.intake import make_submission
from tests.benchmarks.load import command_message, procedure_codes, send_all
from tests.benchmarks.services import pids, serving
from tests.benchmarks.stage import BenchmarkError, Figures, Stage, ensure, main
from tests.support.installation import Installation
from tests.support.waiting import eventually

SERVICES = ("intake", "processing", "notification", "metrics")
EVENTS_PER_CASE = 8
LINES = 500
NEXT: dict[bytes, Command] = {
    b"case.submitted": Accept(unit="unit-1"),
    b"case.accepted": Forward(to_unit="unit-2"),
    b"case.forwarded": Resolve(outcome=Outcome.GRANTED),
    b"case.resolved": Return(channel=Channel.ONLINE),
}


async def upload(made: Installation, count: int, rng: random.Random) -> None:
    """File every case in one bulk upload, streamed both ways."""
    codes = procedure_codes()
    lines = [
        json.dumps({"idempotency_key": f"key-{index}", **make_submission(rng, index, codes)}, ensure_ascii=False).encode()
        for index in range(count)
    ]

    async def body() -> AsyncIterator[bytes]:
        for begin in range(0, count, LINES):
            yield b"".join(line + b"\n" for line in lines[begin : begin + LINES])

    opened = 0
    async with (
        httpx.AsyncClient(headers=made.headers(Role.OFFICER), timeout=60) as http,
        http.stream("POST", made.url("intake", "/v1/cases/bulk"), content=body()) as answer,
    ):
        async for line in answer.aiter_lines():
            opened += json.loads(line)["status"] == 201
    ensure("cases opened", opened, count)


async def play_officers(reader: AIOKafkaConsumer, producer: AIOKafkaProducer, prefix: str) -> None:
    """For ever: read facts, send the next commands."""
    while True:
        messages = []
        for records in (await reader.getmany(timeout_ms=20, max_records=1000)).values():
            for record in records:
                command = NEXT.get(type_of(record.headers) or b"")
                if command is not None:
                    agency = dict(record.headers)["ce_agency"].decode()
                    messages.append(command_message(record.key.decode(), agency, command, datetime.now(UTC)))
        if messages:
            await send_all(producer, prefix, messages)


async def until_seen(stage: Stage, count: int, driver: asyncio.Task[None], uploading: asyncio.Task[None]) -> None:
    """Until metrics has committed every event: its progress is written in the same transaction as its projection."""
    connection = await asyncpg.connect(stage.postgres, database=f"{stage.run}_metrics")
    try:
        while (await connection.fetchval("select sum(position) from progress") or 0) < EVENTS_PER_CASE * count:
            for task in (driver, uploading):
                if task.done():
                    task.result()
            await asyncio.sleep(0.02)
    finally:
        await connection.close()


async def check(stage: Stage, made: Installation, count: int) -> None:
    """What every database must hold: nothing more, nothing less."""
    for service in ("intake", "processing", "notification"):

        async def sent(service: str = service) -> bool:
            return bool((await made.query(service, "select not exists (select 1 from outbox)"))[0][0])

        await eventually(f"the outbox of {service} is empty", sent, within=10)
    await eventually("intake has followed every case", lambda: _followed(made, count), within=30)
    await stage.counts("intake", {"cases": count, "idempotency": count, "submissions": count, "applicants": count, "parked": 0})
    final = "cases where status = 10 and stated = 4 and heard_intake = 1 and waiting = 0"
    history = {"history": 5 * count, "(select distinct causation_id from history) h": 4 * count + 1, "inbox": 4 * count}
    codes = {"(select distinct code from cases) c": count, "parked": 0}
    await stage.counts("processing", {"cases": count, final: count, **history, **codes})
    ledger = {"ledger": 3 * count, "ledger where status = 'sent'": 3 * count, "parked": 0}
    await stage.counts("notification", {"cases where stated = 3": count, **ledger})
    heard = "cases where heard_intake = 1 and heard_processing = 4 and heard_notification = 3 and status = 10"
    await stage.counts("metrics", {"cases": count, heard: count, "missing_events": 0, "parked": 0})


async def _followed(made: Installation, count: int) -> bool:
    rows = await made.query("intake", "select count(*) from cases where heard_processing = 4")
    return bool(rows[0][0] == count)


async def measure(arguments: argparse.Namespace, stage: Stage) -> Figures:
    """Lifecycles from the upload's first byte until metrics has every event."""
    count, rng = arguments.n, random.Random(arguments.seed)
    settings = stage.settings(ServiceSettings)
    topic = f"{settings.topic_prefix}{CASE_EVENTS.name}"
    reader = AIOKafkaConsumer(
        topic, bootstrap_servers=stage.kafka, group_id=f"{stage.run}-officers", auto_offset_reset="earliest",
        enable_auto_commit=False,
    )  # fmt: skip
    async with serving(stage, *SERVICES) as made, reader, make_producer(settings, "officers") as producer:
        each, meter, groups = Meter(), Meter(), {"python": pids(made), "load": [os.getpid()]}
        each.start(**{name: [process.pid] for name, process in made.processes.items()})
        meter.start(**groups, postgres=await backends(stage.postgres, f"{stage.run}_"))
        began = time.perf_counter()
        driver = asyncio.create_task(play_officers(reader, producer, settings.topic_prefix))
        uploading = asyncio.create_task(upload(made, count, rng))
        try:
            async with asyncio.timeout(60 + count / 25):
                await until_seen(stage, count, driver, uploading)
        except TimeoutError:
            raise BenchmarkError(f"metrics has not seen {EVENTS_PER_CASE} events of each of {count} cases in time") from None
        finally:
            seconds = time.perf_counter() - began
            driver.cancel()
        meter.stop(postgres=await backends(stage.postgres, f"{stage.run}_"))
        each.stop()
        await uploading
        await check(stage, made, count)
    more = {"cpu_us_by_service": each.per_item(count)}
    return Figures("lifecycles/s", count, seconds, meter.per_item(count), more)


if __name__ == "__main__":
    main("lifecycle", 10_000, measure)
