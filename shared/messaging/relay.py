"""The outbox relay: committed facts to Kafka, in order, by one leader per database.

One batch per partition, and one `flush` for all; rows are deleted by id once the broker has acknowledged them. Ids become
visible out of order, so the relay never remembers a position: what is in the table is what is to be sent.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from ormsgpack import unpackb
from sqlmodel import SQLModel

from shared.contracts.words import Lane
from shared.messaging.partitions import hashes
from shared.observability.failpoints import reach
from shared.observability.progress import Progress
from shared.persistence.bulk import table_of
from shared.persistence.database import Database
from shared.persistence.errors import is_transient

BATCH = 1000
BULK_BATCH = 250
"""The bulk lane sends as much as its readers have room for, and this if they have any: by so much it may pass its limit."""
POLL_SECONDS = 0.25
GATHER_SECONDS, LOADED_SECONDS, LOADED = 0.03, 0.1, 100
"""Rest after a batch that was not full, and after one of so many rows: the next is larger, and partitions cost more than rows."""
FOLLOWER_SECONDS = 1.0
FIRST_WAIT, LONGEST_WAIT = 0.5, 5.0
STOP_SECONDS = 5.0
QUIET_SECONDS = 60.0
"""A failure after so long without one is the first of its kind."""
BY_INDEX = "set enable_sort = off"
"""A table that fills and empties has no statistics to trust: the planner would sort all that is pending for each batch."""
LEADER_LOCK = 0x4F757462
"""Advisory lock of a database's one relay; held by the leader's connection and gone with it."""

log = structlog.get_logger()


class Relay:
    """Sends what the outbox holds. `bulk_room` says how many rows the bulk lane may; `bulk_sent` is told what it did."""

    def __init__(
        self,
        database: Database,
        outbox: type[SQLModel],
        make_producer: Callable[[], AIOKafkaProducer],
        prefix: str,
        bulk_room: Callable[[], Awaitable[int]],
        bulk_sent: Callable[[str, int], None] = lambda _topic, _count: None,
    ) -> None:
        self.progress = Progress("relay")
        self.leading = False
        self._database, self._make_producer, self._prefix = database, make_producer, prefix
        self._bulk_room, self._bulk_sent = bulk_room, bulk_sent
        name = table_of(outbox).name
        self._read = f"select id, topic, key, headers, payload from {name} where lane = $1 order by id limit $2"
        self._any_bulk = f"select exists (select 1 from {name} where lane = {int(Lane.BULK)})"
        self._delete = f"delete from {name} where id = any($1::bigint[])"
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something was committed to the outbox in this process."""
        self._woken.set()

    async def run(self) -> None:
        """Relay until cancelled; every failure of broker or database is waited out with a new connection and producer."""
        wait = FIRST_WAIT
        while True:
            began = monotonic()
            try:
                await self._lead()
            except Exception as error:  # noqa: BLE001 - the relay must come back whatever happened
                if monotonic() - began > QUIET_SECONDS:
                    wait = FIRST_WAIT
                log.warning("relay waits", seconds=wait, error=type(error).__name__, transient=is_transient(error))
                self.progress.beat()
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)

    async def _lead(self) -> None:
        """One connection: wait to become the leader, then relay until something breaks."""
        connection = await self._database.connect()
        try:
            await connection.execute(BY_INDEX)
            await connection.add_listener("outbox", lambda *_: self.wake())
            while not await connection.fetchval("select pg_try_advisory_lock($1)", LEADER_LOCK):
                self.progress.beat()
                await asyncio.sleep(FOLLOWER_SECONDS)
            async with self._producing() as producer:
                self.leading = True
                while True:
                    self._woken.clear()
                    self.progress.beat()
                    sent = await self._relay(connection, producer)
                    if 0 < sent < BATCH:
                        await asyncio.sleep(LOADED_SECONDS if sent >= LOADED else GATHER_SECONDS)
                    elif not sent:
                        with contextlib.suppress(TimeoutError):
                            await asyncio.wait_for(self._woken.wait(), POLL_SECONDS)
        finally:
            self.leading = False
            connection.terminate()

    @contextlib.asynccontextmanager
    async def _producing(self) -> Any:
        producer = self._make_producer()
        try:
            await producer.start()
            yield producer
        finally:
            await _end(producer)

    async def _relay(self, connection: asyncpg.Connection, producer: AIOKafkaProducer) -> int:
        sent = await self._send_lane(connection, producer, Lane.INTERACTIVE, BATCH)
        while sent < BATCH and (most := await self._most_bulk(connection)):
            bulk = await self._send_lane(connection, producer, Lane.BULK, most)
            sent += bulk
            if bulk < most:
                break
        return sent

    async def _most_bulk(self, connection: asyncpg.Connection) -> int:
        """How many rows of the bulk lane may go now; a batch costs more by its partitions than by its rows."""
        room = await self._bulk_room() if await connection.fetchval(self._any_bulk) else 0
        return min(max(room, BULK_BATCH), BATCH) if room else 0

    async def _send_lane(self, connection: asyncpg.Connection, producer: AIOKafkaProducer, lane: Lane, most: int) -> int:
        rows = await connection.fetch(self._read, int(lane), most)
        if rows:
            await reach("before_publish")
            await self._send(connection, producer, rows)
            if lane is Lane.BULK:
                for topic, count in Counter(row[1] for row in rows).items():
                    self._bulk_sent(topic, count)
            await reach("after_publish")
            await connection.execute(self._delete, [row[0] for row in rows])
        return len(rows)

    async def _send(self, connection: asyncpg.Connection, producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]) -> None:
        """Hand all rows to the producer in order, wait for every acknowledgement, as long as the leader's lock is ours."""
        batches = await self._pack(producer, rows)
        sent = [await producer.send_batch(batch, topic, partition=partition) for topic, partition, batch in batches]
        flushed = asyncio.ensure_future(producer.flush())
        try:
            while not flushed.done():  # an idempotent producer waits through an outage, and a second copy must not be sent
                await asyncio.wait([flushed], timeout=1.0)
                self.progress.beat()
                if not flushed.done():
                    await connection.fetchval("select 1")  # raises when the lock is gone: another relay may send these now
        finally:
            flushed.cancel()
        flushed.result()
        for future in sent:
            future.result()

    async def _pack(self, producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]) -> list[tuple[str, int, BatchBuilder]]:
        """The rows in batches of one partition each, in their order; the client's own way, row by row, costs three times that."""
        batches: list[tuple[str, int, BatchBuilder]] = []
        places, last = dict[str, list[int]](), dict[tuple[str, int], BatchBuilder]()
        for name in {row[1] for row in rows}:
            places[name] = sorted(await producer.partitions_for(f"{self._prefix}{name}"))
        for (_, name, key, headers, payload), hashed in zip(rows, hashes([row[2] for row in rows]), strict=True):
            topic, every = f"{self._prefix}{name}", places[name]
            partition, pairs = every[hashed % len(every)], [*map(tuple, unpackb(headers))]
            batch = last.get((topic, partition))
            if batch is None or batch.append(timestamp=None, key=key, value=payload, headers=pairs) is None:
                batch = last[topic, partition] = producer.create_batch()
                batch.append(timestamp=None, key=key, value=payload, headers=pairs)
                batches.append((topic, partition, batch))
        for _, _, batch in batches:
            batch.close()  # it is complete, and need not linger
        return batches


async def _end(producer: AIOKafkaProducer) -> None:
    """Stop a producer for good. `stop` hangs with unsent records while the broker is away; they are still in the outbox.

    Left alone, its sender would live on and deliver them beside its successor once the broker is back.
    """
    with contextlib.suppress(Exception):
        await asyncio.wait_for(producer.stop(), STOP_SECONDS)
        return
    for close in (producer._sender.close, producer.client.close):  # noqa: SLF001 - there is no public way to give up
        with contextlib.suppress(Exception):
            await asyncio.wait_for(close(), STOP_SECONDS)
