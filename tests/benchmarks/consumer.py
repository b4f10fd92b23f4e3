"""Processing's own consumers, with every protection, on preloaded topics; the relay is off."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from prometheus_client import CollectorRegistry

from deploy.bench.cpu import Meter, backends
from services.processing.domain.case import Case
from services.processing.handlers.settling import Rules
from services.processing.main import MIGRATIONS
from services.processing.settings import ProcessingSettings
from services.processing.subscribers import make_consumers
from services.processing.tables import CaseRow, Inbox, Outbox, Parked
from shared.contracts.events import PROCESSING
from shared.messaging import subscribe as subscribing
from shared.messaging.consumer import Consumer
from shared.messaging.kafka import make_broker, make_producer
from shared.observability.metrics import PipelineMetrics
from shared.persistence.database import Database
from shared.persistence.migrate import migrate
from shared.persistence.work import Store
from tests.benchmarks.load import commands, make_cases, mean_bytes, send_all, submissions
from tests.benchmarks.stage import Figures, Stage, ensure, main

LONGEST = 240.0


@dataclass(slots=True)
class Clock:
    """Wall and CPU time from the assignment of partitions to the commit of the last offset, over all phases."""

    stage: Stage
    meter: Meter = field(default_factory=Meter)
    seconds: float = 0.0
    batches: list[int] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def phase(self, count: int) -> AsyncIterator[asyncio.Event]:
        """Times what happens inside; the event is set when the offsets of so many records are committed."""
        began, taken, done = 0.0, 0, asyncio.Event()
        groups = {"python": [os.getpid()], "postgres": await backends(self.stage.postgres, f"{self.stage.run}_")}
        commit = subscribing.commit

        async def assigned(_listener: object, _partitions: set[TopicPartition]) -> None:
            nonlocal began
            self.meter.start(**groups)
            began = time.perf_counter()

        async def committing(client: AIOKafkaConsumer, records: Sequence[ConsumerRecord]) -> None:
            nonlocal taken
            await commit(client, records)
            taken += len(records)
            self.batches.append(len(records))
            if taken >= count:
                self.seconds += time.perf_counter() - began
                self.meter.stop()
                done.set()

        with (
            patch.object(subscribing.DrainingListener, "on_partitions_assigned", assigned),
            patch.object(subscribing, "commit", committing),
        ):
            yield done
        ensure("records taken", taken, count)


async def drain(settings: ProcessingSettings, consumer: Consumer[Case], count: int, clock: Clock) -> list[ConsumerRecord]:
    """Take a preloaded topic to its end; gives the first batch."""
    first: list[ConsumerRecord] = []
    take = consumer.take

    async def keep_first(records: Sequence[ConsumerRecord]) -> None:
        if not first:
            first.extend(records)
        await take(records)

    consumer.take = keep_first  # type: ignore[method-assign]
    broker = make_broker(settings, PROCESSING)
    async with clock.phase(count) as done:
        subscribing.subscribe(broker, consumer)
        await broker.start()
        try:
            await asyncio.wait_for(done.wait(), LONGEST)
            client = consumer.client()
            assert client is not None
            offsets = [await client.committed(partition) or 0 for partition in client.assignment()]
            ensure("records behind the committed offsets", sum(offsets), count)
        finally:
            await broker.stop()
    return first


async def check(stage: Stage, cases: int) -> None:
    """Every case in its final state, every fact once in the history and in the outbox, every command once in the inbox."""
    final = "cases where status = 9 and heard_intake = 1 and stated = 3 and parked = 0 and waiting = 0 and code is not null"
    expected = {
        "cases": cases, final: cases, "(select distinct code from cases) c": cases, "history": 4 * cases,
        "(select distinct causation_id from history where source = 'processing') h": 3 * cases,
        "outbox": 3 * cases, "inbox": 3 * cases, "parked": 0, "waiting": 0,
    }  # fmt: skip
    await stage.counts(PROCESSING, expected)


async def measure(arguments: argparse.Namespace, stage: Stage) -> Figures:
    """From preloaded topics to committed states, history and outbox, and committed offsets."""
    settings, rng = stage.settings(ProcessingSettings), random.Random(arguments.seed)
    cases = make_cases(rng, arguments.n // 4)
    database = Database(settings, PROCESSING)
    await migrate(database, MIGRATIONS)
    async with make_producer(settings, "load") as producer:
        events = await send_all(producer, settings.topic_prefix, submissions(rng, cases))
        asked = await send_all(producer, settings.topic_prefix, commands(rng, cases))
    store: Store[Any] = Store(database, PROCESSING, cases=CaseRow, state=Case, outbox=Outbox, parked=Parked, inbox=Inbox)
    *consumers, _ = make_consumers(settings, store, Rules(), PipelineMetrics(CollectorRegistry()))  # no erasures here
    await database.ping()  # the connection that every batch will take
    clock = Clock(stage)
    firsts = [
        await drain(settings, consumer, count, clock)
        for consumer, count in zip(consumers, (len(cases), 3 * len(cases)), strict=True)
    ]
    await check(stage, len(cases))
    for consumer, first in zip(consumers, firsts, strict=True):
        await consumer.take(first)  # a second reading changes nothing
    await check(stage, len(cases))
    await database.close()
    count = 4 * len(cases)
    more = {"mean_batch": round(count / len(clock.batches)), "mean_body_bytes": mean_bytes(events, asked)}
    return Figures("events/s", count, clock.seconds, clock.meter.per_item(count), more)


if __name__ == "__main__":
    main("consumer", 40_000, measure)
