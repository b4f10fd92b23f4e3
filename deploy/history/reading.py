"""Reads topics of the contract from their beginning to where they end now."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.contracts.topics import PARTITIONS, Topic
from shared.messaging.kafka import connection
from shared.settings import KafkaSettings


async def read_topics(settings: KafkaSettings, topics: Sequence[Topic], take: Callable[[ConsumerRecord], None]) -> None:
    """Hand every record of these topics to `take`, in order within a partition."""
    names = [f"{settings.topic_prefix}{topic.name}" for topic in topics]
    places = [TopicPartition(name, number) for name in names for number in range(PARTITIONS)]
    client = AIOKafkaConsumer(**connection(settings), auto_offset_reset="earliest")
    await client.start()
    try:
        ends = await client.end_offsets(places)
        client.assign(places)
        await client.seek_to_beginning(*places)
        left = [place for place in places if await client.position(place) < ends[place]]
        while left:
            for records in (await client.getmany(*left, timeout_ms=500)).values():
                for record in records:
                    take(record)
            left = [place for place in left if await client.position(place) < ends[place]]
    finally:
        await client.stop()
