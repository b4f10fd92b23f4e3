"""Ties a consumer to FastStream: raw records in, explicit offsets out, a rebalance that waits for the running batch."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage
from faststream.message import AckStatus

from shared.messaging.consumer import Consumer
from shared.messaging.kafka import DRAIN_SECONDS, SUBSCRIBER
from shared.messaging.mending import is_deaf
from shared.messaging.reading import Reader, Records
from shared.observability.failpoints import reach

log = structlog.get_logger()


class RawBatch(KafkaAckableMessage):
    """A batch as it came: nothing is decoded before the handler. Acknowledging commits exactly these records' offsets."""

    async def ack(self) -> None:
        """Commit the offset after the last record of each partition that is still ours."""
        if self.committed is None:
            await reach("before_offsets")
            await commit(self.consumer, self.raw_message)
            await reach("after_offsets")
            self.committed = AckStatus.ACKED


async def commit(client: AIOKafkaConsumer, records: Sequence[ConsumerRecord]) -> None:
    """Commit explicit offsets. A lost partition, or a broker that is away, costs a second reading and no more."""
    ours = client.assignment()
    after = {TopicPartition(record.topic, record.partition): record.offset + 1 for record in records}
    offsets = {partition: offset for partition, offset in after.items() if partition in ours}
    try:
        if offsets:
            await client.commit(offsets)
    except (CommitFailedError, IllegalStateError) as error:
        log.info("offsets not committed", error=type(error).__name__)
    except KafkaError as error:
        log.warning("offsets not committed", error=type(error).__name__)


class DrainingListener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Before partitions go to another replica, the running batch comes to its end."""

    def __init__(self, consumer: Consumer[Any]) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Wait for the running batch, not longer than the group waits for us."""
        try:
            async with asyncio.timeout(DRAIN_SECONDS), self._consumer.running:
                pass
        except TimeoutError:
            log.warning("rebalance did not wait for the batch", group=self._consumer.group, partitions=len(revoked))

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Nothing to prepare: state is in the database."""


def subscribe(broker: KafkaBroker, consumer: Consumer[Any]) -> None:
    """Register a consumer on the broker."""

    async def parse(records: Records) -> RawBatch:
        return RawBatch(body=records, raw_message=records, consumer=consumer.client())

    subscriber = broker.subscriber(
        consumer.name,
        group_id=consumer.group,
        ack_policy=AckPolicy.NACK_ON_ERROR,
        listener=DrainingListener(consumer),
        parser=parse,
        decoder=_decode,
        **SUBSCRIBER,
    )
    subscriber.get_msg = Reader(consumer.group).read  # the only way to stand between the two
    consumer.client = lambda: subscriber.consumer
    consumer.lost = lambda: is_deaf(subscriber.consumer) or any(task.done() for task in subscriber.tasks)
    subscriber(consumer.take)


async def _decode(message: RawBatch) -> Any:
    return message.body
