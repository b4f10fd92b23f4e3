"""Makes the topics, and compares those that exist with the contract."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.contracts.topics import PARTITIONS, Topic, topics_with
from shared.messaging.kafka import make_admin
from shared.settings import KafkaSettings

REPLICAS = 3
"""Copies of a partition, where there are as many brokers."""

EXISTS = 36
"""Kafka's error code for a topic that is there already."""

LOOKS, LOOK_SECONDS = 40, 0.25

SET_ON_TOPIC = 1
"""Kafka's code for a setting that was set on the topic itself."""

Found = dict[str, tuple[str | None, bool]]
"""The settings of a topic: value, and whether it was set on the topic itself."""


class TopicsError(Exception):
    """The topics on the broker are not what the contract says; `faults` names each difference."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


async def apply_topics(settings: KafkaSettings, *, partitions: int = PARTITIONS) -> list[str]:
    """Create the missing topics and give their names; those that exist get the contract's settings.

    Raises:
        TopicsError: One exists with other partitions: its keys would move and the order per case would break.
    """
    prefix, topics = settings.topic_prefix, topics_with(settings.erasure_seconds)
    async with _admin(settings) as admin:
        replicas = min(REPLICAS, len((await admin.describe_cluster())["brokers"]))
        wanted = [NewTopic(f"{prefix}{topic.name}", partitions, replicas, topic_configs=dict(topic.settings)) for topic in topics]
        existing = set(await admin.list_topics())
        missing = [topic for topic in wanted if topic.name not in existing]
        if missing:
            answer = await admin.create_topics(missing)
            bad = [f"{name}: {text or code}" for name, code, text in _errors(answer) if code not in (0, EXISTS)]
            if bad:
                raise TopicsError(bad)
        there = [topic for topic in topics if f"{prefix}{topic.name}" in existing]
        if faults := await _wrong_partitions(admin, there, prefix, partitions):
            raise TopicsError(faults)
        await _mend_settings(admin, there, prefix)
        return [topic.name for topic in missing]


async def check_topics(settings: KafkaSettings, *, partitions: int = PARTITIONS) -> list[str]:
    """What differs from the contract, one line each; nothing when all is well."""
    prefix, topics = settings.topic_prefix, topics_with(settings.erasure_seconds)
    async with _admin(settings) as admin:
        existing = set(await admin.list_topics())
        missing = [f"{prefix}{topic.name}: does not exist" for topic in topics if f"{prefix}{topic.name}" not in existing]
        there = [topic for topic in topics if f"{prefix}{topic.name}" in existing]
        return missing + await _wrong_partitions(admin, there, prefix, partitions) + await _wrong_settings(admin, there, prefix)


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


async def _wrong_partitions(admin: AIOKafkaAdminClient, topics: list[Topic], prefix: str, partitions: int) -> list[str]:
    if not topics:
        return []
    names = [f"{prefix}{topic.name}" for topic in topics]
    described = {each["topic"]: len(each["partitions"]) for each in await admin.describe_topics(names)}
    return [f"{name}: {described[name]} partitions instead of {partitions}" for name in names if described[name] != partitions]


async def _wrong_settings(admin: AIOKafkaAdminClient, topics: list[Topic], prefix: str) -> list[str]:
    found = await _settings(admin, [f"{prefix}{topic.name}" for topic in topics]) if topics else {}
    return [
        f"{prefix}{topic.name}: {key} is {found[f'{prefix}{topic.name}'].get(key, (None, False))[0]} instead of {value}"
        for topic in topics
        for key, value in _differing(topic, found[f"{prefix}{topic.name}"])
    ]


async def _mend_settings(admin: AIOKafkaAdminClient, topics: list[Topic], prefix: str) -> None:
    """Give topics that exist the contract's settings; others that were set on them stay, since this request replaces all.

    Raises:
        TopicsError: The broker refuses, or does not say so after a while: brokers learn of it one after another.
    """
    found = await _settings(admin, [f"{prefix}{topic.name}" for topic in topics]) if topics else {}
    changes = []
    for topic in topics:
        name = f"{prefix}{topic.name}"
        if _differing(topic, found[name]):
            own = {key: value for key, (value, is_own) in found[name].items() if is_own}
            changes.append(ConfigResource(ConfigResourceType.TOPIC, name, own | topic.settings))
    if not changes:
        return
    answers = await admin.alter_configs(changes)
    bad = [f"{each[3]}: {each[1] or each[0]}" for answer in answers for each in answer.resources if each[0]]
    if bad:
        raise TopicsError(bad)
    for _ in range(LOOKS):
        if not (faults := await _wrong_settings(admin, topics, prefix)):
            return
        await asyncio.sleep(LOOK_SECONDS)
    raise TopicsError(faults)


def _differing(topic: Topic, found: Found) -> list[tuple[str, str]]:
    return [(key, value) for key, value in topic.settings.items() if found.get(key, (None, False))[0] != value]


async def _settings(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, Found]:
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    return {
        resource[3]: {entry[0]: (entry[1], entry[3] == SET_ON_TOPIC) for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }
