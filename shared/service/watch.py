"""What is looked at every other second: lag, outbox, parked records, and whether consumers still poll."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka.errors import KafkaError
from sqlalchemy import text

from shared.contracts.words import Lane
from shared.messaging.consumer import Consumer
from shared.messaging.lag import own_lag
from shared.observability.metrics import PipelineMetrics
from shared.persistence.bulk import table_of
from shared.persistence.work import Store

ANSWER_SECONDS = 3.0


async def watch_consumers(consumers: Iterable[Consumer[Any]], metrics: PipelineMetrics) -> None:
    """Set the lag of each consumer; one that polls and is not in a batch is alive although nothing comes."""
    for consumer in consumers:
        client = consumer.client()
        metrics.park_limit.labels(consumer.group).set(consumer.park_limit_reached)
        if client is None:
            continue
        metrics.set_lag(consumer.group, consumer.topic.name, await own_lag(client))
        metrics.set_oldest(consumer.group, consumer.topic.name, consumer.oldest.items())
        if not consumer.running.locked() and not consumer.lost():
            consumer.progress.beat()


async def broker_fault(consumers: Sequence[Consumer[Any]]) -> str | None:
    """Why Kafka does not answer, or None. One question of metadata; a consumer itself would wait out an outage in silence."""
    client = consumers[0].client() if consumers else None
    if client is None:
        return None
    try:
        await asyncio.wait_for(client.topics(), ANSWER_SECONDS)
    except (KafkaError, OSError, TimeoutError) as error:
        return type(error).__name__
    return None


async def watch_tables(store: Store[Any], metrics: PipelineMetrics) -> None:
    """Set what waits in the outbox and what is parked."""
    outbox, parked = table_of(store.outbox).name, table_of(store.parked).name
    async with store.database.engine.connect() as connection:
        waiting = await connection.execute(
            text(f"select lane, count(*), extract(epoch from min(created_at)) from {outbox} group by lane")
        )
        found = {row[0]: (row[1], row[2]) for row in waiting}
        settled = await connection.execute(
            text(f"select consumer_group, reason, count(*) from {parked} where state = 'parked' group by 1, 2")
        )
        counts = [tuple(row) for row in settled]
        if store.missing:
            missing = await connection.execute(text(f"select count(*) from {table_of(store.missing).name}"))
            metrics.missing.labels(store.database.name).set(missing.scalar_one())
    for lane in Lane:
        number, oldest = found.get(int(lane), (0, None))
        metrics.pending.labels(store.database.name, lane.name.lower()).set(number)
        metrics.oldest_pending.labels(store.database.name, lane.name.lower()).set(float(oldest or 0))
    metrics.parked.clear()
    for group, reason, number in counts:
        metrics.parked.labels(group, reason).set(number)
