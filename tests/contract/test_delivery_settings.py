"""Every consumer and producer of every service has its delivery settings explicit: the clients' defaults lose records."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from fastapi import FastAPI
from faststream import AckPolicy
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.contracts.asyncapi import READS
from shared.contracts.topics import CASE_COMMANDS, CASE_EVENTS, CASE_PRIVATE, HOTLINE_EVENTS, group_of
from shared.messaging.kafka import DRAIN_SECONDS, make_producer, partition_of
from shared.messaging.memory import Memory
from shared.messaging.subscribe import DrainingListener, RawBatch
from shared.service import Runtime
from tests.contract.conftest import PREFIX
from tests.contract.golden import make_record

EXPLICIT = {
    "auto_offset_reset": "earliest",
    "enable_auto_commit": False,
    "session_timeout_ms": 10_000,
    "heartbeat_interval_ms": 2_000,
    "max_poll_interval_ms": 900_000,
    "rebalance_timeout_ms": 30_000,
    "request_timeout_ms": 15_000,
    "retry_backoff_ms": 1_000,
    "metadata_max_age_ms": 30_000,
}
TOPICS_READ = {
    "intake": {CASE_EVENTS.name, HOTLINE_EVENTS.name},
    "processing": {CASE_EVENTS.name, CASE_COMMANDS.name, CASE_PRIVATE.name},
    "notification": {CASE_EVENTS.name, CASE_PRIVATE.name},
    "metrics": {CASE_EVENTS.name},
}


class StoppedError(Exception):
    """The consumer was built; going on would need a broker."""


class Watched(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka ships no types
    """aiokafka's own consumer, which remembers what it was built with and stops before it connects."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.settings = settings

    async def start(self) -> None:
        raise StoppedError


def runtime_of(app: FastAPI) -> Runtime:
    runtime: Runtime = app.state.runtime
    return runtime


async def built_consumers(app: FastAPI) -> dict[str, tuple[BatchSubscriber, Watched]]:
    """The subscribers by topic, each with the consumer that FastStream builds for it."""
    broker = runtime_of(app).broker
    config: Any = broker.config.broker_config
    await broker.connect()  # of a broker that only reads: nothing goes over the network
    original, found = config.builder, {}
    config.builder = functools.partial(Watched, **original.keywords)
    try:
        for subscriber in broker.subscribers:
            assert isinstance(subscriber, BatchSubscriber)
            with pytest.raises(StoppedError):
                await subscriber.start()
            (topic,) = subscriber.topic_names_for_subscribe
            found[topic.removeprefix(PREFIX)] = subscriber, subscriber.consumer
            await subscriber.stop()
    finally:
        config.builder = original
    return found  # type: ignore[return-value]  # each consumer is a Watched


async def test_each_service_reads_its_topics_in_its_own_groups(app: FastAPI, service: str) -> None:
    found = await built_consumers(app)

    assert set(found) == TOPICS_READ[service] == {topic.name for topic in READS[service]}
    for name, (_, consumer) in found.items():
        assert consumer.settings["group_id"] == f"{PREFIX}motcua.{service}.{name}"


async def test_every_consumer_has_explicit_settings(app: FastAPI) -> None:
    for _, consumer in (await built_consumers(app)).values():
        assert {name: consumer.settings[name] for name in EXPLICIT} == EXPLICIT
        assert consumer.settings["rebalance_timeout_ms"] > DRAIN_SECONDS * 1000


async def test_every_consumer_waits_for_its_batch_before_partitions_go(app: FastAPI) -> None:
    for subscriber, _ in (await built_consumers(app)).values():
        assert isinstance(subscriber._listener, DrainingListener)


async def test_a_failed_batch_is_rewound_and_never_committed(app: FastAPI) -> None:
    for subscriber, _ in (await built_consumers(app)).values():
        assert subscriber.ack_policy is AckPolicy.NACK_ON_ERROR


async def test_records_arrive_raw_whatever_bytes_they_hold(app: FastAPI) -> None:
    bad = (make_record([("ce_type", b"\xff"), ("content-type", b"application/json")], b"\xfe", b"{"),)
    for subscriber, _ in (await built_consumers(app)).values():
        parse, decode = subscriber._get_parser_and_decoder()
        message = await parse(bad)

        assert isinstance(message, RawBatch)
        assert await decode(message) is bad


async def test_the_broker_only_reads_and_makes_no_topic(app: FastAPI) -> None:
    config: Any = runtime_of(app).broker.config.broker_config

    assert config.consumer_only
    assert not config.allow_auto_create_topics
    assert config.graceful_timeout == DRAIN_SECONDS
    assert not config.fd_config.use_fastdepends


async def test_every_producer_is_idempotent_and_waits_for_all_replicas(app: FastAPI, service: str) -> None:
    producer = make_producer(runtime_of(app).settings, service)
    try:
        assert isinstance(producer, AIOKafkaProducer)
        assert producer._sender._acks == -1  # all
        assert producer._txn_manager is not None
        assert producer._txn_manager.transactional_id is None
        assert producer._compression_type == "lz4"
        assert producer._message_accumulator._batch_size == 262_144
        assert producer._message_accumulator._linger_time == 0.005
        assert producer._partitioner is partition_of
    finally:
        await producer.stop()


def test_the_only_producer_of_a_service_is_its_relay(app: FastAPI) -> None:
    runtime = runtime_of(app)

    assert runtime.relay is not None
    assert runtime.broker.publishers == []


def test_keys_go_where_other_clients_send_them() -> None:
    theirs = DefaultPartitioner()
    every = list(range(12))

    for number in range(200):
        key = f"case-{number}".encode()
        assert partition_of(key, every, every) == theirs(key, every, every)


def test_each_consumer_takes_the_types_that_its_asyncapi_document_says(app: FastAPI, service: str) -> None:
    by_type = [each for each in runtime_of(app).consumers if each.topic is not HOTLINE_EVENTS]  # that one's types are a vendor's
    said = {topic.name: set(kinds) for topic, kinds in READS[service].items() if topic is not HOTLINE_EVENTS}
    taken = {each.topic.name: {kind.decode() for kind in each._decoder._wanted} for each in by_type}

    assert taken == said


def test_only_what_comes_from_outside_needs_an_inbox(app: FastAPI) -> None:
    memories = {CASE_COMMANDS.name: Memory.INBOX, CASE_PRIVATE.name: Memory.LATEST}

    for consumer in runtime_of(app).consumers:
        assert consumer._memory is memories.get(consumer.topic.name, Memory.SEQUENCE)
        assert consumer.group == f"{PREFIX}{group_of(app.state.runtime.service, consumer.topic)}"
