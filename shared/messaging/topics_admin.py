"""Makes the topics, and compares those that exist with the contract."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.contracts.topics import PARTITIONS, TOPICS, Topic
from shared.messaging.kafka import make_admin
from shared.settings import KafkaSettings

REPLICAS = 3
"""Copies of a partition, where there are as many brokers."""

EXISTS = 36
"""Kafka's error code for a topic that is there already."""


class TopicsError(Exception):
    """The topics on the broker are not what the contract says; `faults` names each difference."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


async def apply_topics(settings: KafkaSettings, *, partitions: int = PARTITIONS) -> list[str]:
    """Create the missing topics and give their names.

    Raises:
        TopicsError: One exists with other partitions: its keys would move and the order per case would break.
    """
    prefix = settings.topic_prefix
    async with _admin(settings) as admin:
        replicas = min(REPLICAS, len((await admin.describe_cluster())["brokers"]))
        wanted = [NewTopic(f"{prefix}{topic.name}", partitions, replicas, topic_configs=dict(topic.settings)) for topic in TOPICS]
        existing = set(await admin.list_topics())
        missing = [topic for topic in wanted if topic.name not in existing]
        if missing:
            answer = await admin.create_topics(missing)
            bad = [f"{name}: {text or code}" for name, code, text in _errors(answer) if code not in (0, EXISTS)]
            if bad:
                raise TopicsError(bad)
        faults = await _differences(admin, [topic for topic in TOPICS if f"{prefix}{topic.name}" in existing], prefix, partitions)
        if faults:
            raise TopicsError(faults)
        return [topic.name for topic in missing]


async def check_topics(settings: KafkaSettings, *, partitions: int = PARTITIONS) -> list[str]:
    """What differs from the contract, one line each; nothing when all is well."""
    prefix = settings.topic_prefix
    async with _admin(settings) as admin:
        existing = set(await admin.list_topics())
        missing = [f"{prefix}{topic.name}: does not exist" for topic in TOPICS if f"{prefix}{topic.name}" not in existing]
        there = [topic for topic in TOPICS if f"{prefix}{topic.name}" in existing]
        return missing + await _differences(admin, there, prefix, partitions)


@contextlib.asynccontextmanager
async def _admin(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = make_admin(settings, "topics")
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


def _errors(answer: Any) -> Iterable[tuple[str, int, str | None]]:
    for name, code, *text in answer.topic_errors:
        yield name, code, text[0] if text else None


async def _differences(admin: AIOKafkaAdminClient, topics: list[Topic], prefix: str, partitions: int) -> list[str]:
    if not topics:
        return []
    names = [f"{prefix}{topic.name}" for topic in topics]
    described = {each["topic"]: len(each["partitions"]) for each in await admin.describe_topics(names)}
    faults = [f"{name}: {described[name]} partitions instead of {partitions}" for name in names if described[name] != partitions]
    settings = await _settings(admin, names)
    for topic, name in zip(topics, names, strict=True):
        for key, value in topic.settings.items():
            if (found := settings[name].get(key)) != value:
                faults.append(f"{name}: {key} is {found} instead of {value}")
    return faults


async def _settings(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    return {resource[3]: {entry[0]: entry[1] for entry in resource[4]} for answer in answers for resource in answer.resources}
