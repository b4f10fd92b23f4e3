"""How far consumers are behind: of this process's own partitions, and of another service's group."""

from __future__ import annotations

import asyncio
import math
import time

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.contracts.topics import Topic, group_of
from shared.messaging.kafka import connection, make_admin
from shared.settings import ServiceSettings

CHECK_SECONDS = 0.25
log = structlog.get_logger()


async def own_lag(client: AIOKafkaConsumer) -> list[tuple[int, int]]:
    """(partition, records not handed out yet) of the partitions assigned to this client."""
    lags = []
    for partition in client.assignment():
        end = client.highwater(partition)
        position = await asyncio.wait_for(client.position(partition), 2.0) if end is not None else 0
        lags.append((partition.partition, max((end or 0) - position, 0)))
    return lags


class DownstreamLag:
    """The committed lag of other services' groups on one topic, asked every `CHECK_SECONDS` at most.

    What we sent since counts as if nobody had read it: between two answers a relay sends more than readers take in seconds.
    """

    def __init__(self, settings: ServiceSettings, service: str, topic: Topic, readers: tuple[str, ...]) -> None:
        self._settings, self._service = settings, service
        self._topic = f"{settings.topic_prefix}{topic.name}"
        self._groups = [f"{settings.topic_prefix}{group_of(reader, topic)}" for reader in readers]
        self._clients: tuple[AIOKafkaConsumer, AIOKafkaAdminClient] | None = None
        self._checked_at, self._behind = 0.0, math.inf

    async def room(self) -> int:
        """How many records the bulk lane may send until a reader is behind by more than `bulk_lag_limit`.

        It is 0 when one is, and while Kafka does not say.
        """
        if time.monotonic() - self._checked_at >= CHECK_SECONDS:
            try:
                self._behind = await asyncio.wait_for(self._largest(), 5.0)
            except Exception as error:  # noqa: BLE001 - an answer that does not come holds the lane, nothing else
                log.info("downstream lag unknown", error=type(error).__name__)
                self._behind = math.inf
                await self.close()
            self._checked_at = time.monotonic()
        limit = self._settings.bulk_lag_limit
        return 0 if self._behind > limit else int(limit - self._behind) + 1

    def sent(self, topic: str, count: int) -> None:
        """So many records of the bulk lane were sent to a topic, by its name without prefix."""
        if f"{self._settings.topic_prefix}{topic}" == self._topic:
            self._behind += count

    async def is_none(self) -> bool:
        """Whether every reader has taken what is there now; asked anew each time. While Kafka does not say, they have not."""
        try:
            return await asyncio.wait_for(self._largest(), 5.0) == 0
        except Exception as error:  # noqa: BLE001 - who needs to know asks again
            log.info("downstream lag unknown", error=type(error).__name__)
            await self.close()
            return False

    async def close(self) -> None:
        """Close the clients; the next question opens new ones."""
        clients, self._clients = self._clients, None
        if clients is not None:
            await clients[0].stop()
            await clients[1].close()

    async def _largest(self) -> int:
        client, admin = self._clients or await self._connect()
        ends = await client.end_offsets(list(client.assignment()))
        return max([await self._lag(admin, group, ends) for group in self._groups], default=0)

    async def _connect(self) -> tuple[AIOKafkaConsumer, AIOKafkaAdminClient]:
        client, admin = AIOKafkaConsumer(**connection(self._settings)), make_admin(self._settings, self._service)
        self._clients = client, admin
        await client.start()
        await admin.start()
        (described,) = await admin.describe_topics([self._topic])
        partitions = [TopicPartition(self._topic, each["partition"]) for each in described["partitions"]]
        client.assign(partitions)
        client.pause(*partitions)  # only asked for its end, never read
        return client, admin

    @staticmethod
    async def _lag(admin: AIOKafkaAdminClient, group: str, ends: dict[TopicPartition, int]) -> int:
        committed = await admin.list_consumer_group_offsets(group)
        return sum(end - max(committed[place].offset if place in committed else 0, 0) for place, end in ends.items())
