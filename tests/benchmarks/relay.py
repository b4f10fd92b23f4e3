"""The relay, from a full outbox to acknowledged records and an empty outbox."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import time
from collections import defaultdict
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from ormsgpack import packb

from deploy.bench.cpu import Meter, backends
from services.processing.main import MIGRATIONS
from services.processing.settings import ProcessingSettings
from services.processing.tables import Outbox
from shared.contracts.envelope import from_headers
from shared.contracts.events import PROCESSING
from shared.contracts.topics import CASE_EVENTS
from shared.contracts.words import Lane
from shared.messaging.kafka import make_producer
from shared.messaging.relay import BATCH, Relay
from shared.persistence.database import Database
from shared.persistence.migrate import migrate
from shared.persistence.work import OUTBOX_COLUMNS
from tests.benchmarks.load import make_cases, submissions
from tests.benchmarks.stage import Figures, Stage, ensure, main

LONGEST = 240.0


class TimedRelay(Relay):
    """The relay itself, with a clock from its first read to its last delete."""

    count: int
    stage: Stage
    meter: Meter
    seconds = 0.0
    _began = 0.0
    _sent = 0

    async def _relay(self, connection: asyncpg.Connection, producer: AIOKafkaProducer) -> int:
        if not self._began:
            await producer.partitions_for(f"{self.stage.run}-{CASE_EVENTS.name}")  # as the floor: connected before the clock
            pids = await backends(self.stage.postgres, f"{self.stage.run}_")
            self.meter.start(python=[os.getpid()], postgres=pids)
            self._began = time.perf_counter()
        sent = await super()._relay(connection, producer)
        self._sent += sent
        if self._sent >= self.count and not self.seconds:
            self.seconds = time.perf_counter() - self._began
            self.meter.stop()
        return sent


async def fill(stage: Stage, count: int, rng: random.Random) -> int:
    """Write the outbox, in the order of the floor's; gives the mean size of a body."""
    messages = list(submissions(rng, make_cases(rng, count // 4), range(1, 5)))
    rows = [(int(Lane.INTERACTIVE), topic, key, packb(headers), value) for topic, key, value, headers in messages]
    connection = await asyncpg.connect(stage.postgres, database=f"{stage.run}_{PROCESSING}")
    try:
        await connection.copy_records_to_table("outbox", records=rows, columns=OUTBOX_COLUMNS)
    finally:
        await connection.close()
    return round(sum(len(message.value) for message in messages) / len(messages))


async def check(stage: Stage, count: int) -> None:
    """The outbox is empty; the topic holds every event once, in order per case."""
    await stage.counts(PROCESSING, {"outbox": 0})
    last: dict[bytes, int] = defaultdict(int)
    ids: set[str] = set()
    reader = AIOKafkaConsumer(f"{stage.run}-{CASE_EVENTS.name}", bootstrap_servers=stage.kafka, auto_offset_reset="earliest")
    async with reader:
        while True:
            batches = await reader.getmany(timeout_ms=1000 if len(ids) < count else 200)
            for record in (each for batch in batches.values() for each in batch):
                envelope = from_headers(record.headers)
                ensure("sequence", envelope.sequence, last[record.key] + 1)
                last[record.key] = envelope.sequence
                ids.add(envelope.id)
            if not batches:
                break
    ensure("events read back", len(ids), count)


async def measure(arguments: argparse.Namespace, stage: Stage) -> Figures:
    """How fast a full outbox empties."""
    settings, count = stage.settings(ProcessingSettings), arguments.n // 4 * 4
    database = Database(settings, PROCESSING)
    await migrate(database, MIGRATIONS)
    size = await fill(stage, count, random.Random(arguments.seed))

    async def room() -> int:
        return BATCH

    relay = TimedRelay(database, Outbox, lambda: make_producer(settings, PROCESSING), settings.topic_prefix, room)
    relay.count, relay.stage, relay.meter = count, stage, Meter()
    running = asyncio.create_task(relay.run())
    try:
        async with asyncio.timeout(LONGEST):
            while not relay.seconds:
                await asyncio.sleep(0.2)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    await check(stage, count)
    await database.close()
    more: dict[str, Any] = {"mean_body_bytes": size}
    return Figures("rows/s", count, relay.seconds, relay.meter.per_item(count), more)


if __name__ == "__main__":
    main("relay", 40_000, measure)
