"""Connections to Kafka, with every delivery setting explicit: the clients' defaults lose records."""

from __future__ import annotations

import functools
import ssl
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.partitioner import murmur2
from faststream.kafka import KafkaBroker
from faststream.kafka.security import parse_security
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from shared.messaging.mending import mend_connections
from shared.settings import KafkaSettings, ServiceSettings

mend_connections()

CLIENT = {
    # 100 ms, the client's default, floods the log through an outage; the metadata age bounds how long a moved leader is missed
    "request_timeout_ms": 15_000,
    "retry_backoff_ms": 1_000,
    "metadata_max_age_ms": 30_000,
}
PRODUCER = {
    "acks": "all",
    "enable_idempotence": True,
    "compression_type": "lz4",
    "linger_ms": 5,
    "max_batch_size": 262_144,
    "max_request_size": 2_097_152,
}
SUBSCRIBER: dict[str, Any] = {
    "batch": True,
    "max_records": 1_000,
    "batch_timeout_ms": 30,
    "auto_offset_reset": "earliest",
    "session_timeout_ms": 10_000,
    "heartbeat_interval_ms": 2_000,
    "max_poll_interval_ms": 900_000,
    "rebalance_timeout_ms": 30_000,
}
DRAIN_SECONDS = 25.0

_hash = functools.lru_cache(100_000)(murmur2)


def partition_of(key: bytes, every: list[int], _available: list[int]) -> int:
    """Kafka's own partition of a key (murmur2), as Java clients choose it; remembered, since aiokafka hashes in Python."""
    hashed: int = _hash(key)
    return every[(hashed & 0x7FFFFFFF) % len(every)]


def _security(settings: KafkaSettings) -> BaseSecurity:
    protocol = settings.kafka_security_protocol
    context = None
    if protocol.endswith("SSL"):
        context = ssl.create_default_context(cafile=settings.kafka_ca_file)
    if not protocol.startswith("SASL"):
        return BaseSecurity(ssl_context=context)
    kinds = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
    kind = kinds[settings.kafka_sasl_mechanism]
    return kind(settings.kafka_sasl_username, settings.kafka_sasl_password, ssl_context=context)


def connection(settings: KafkaSettings) -> dict[str, Any]:
    """What every aiokafka client needs to connect."""
    return {"bootstrap_servers": settings.kafka_bootstrap, **parse_security(_security(settings))}


def make_broker(settings: ServiceSettings, service: str) -> KafkaBroker:
    """FastStream's broker for subscribers; records arrive raw, so its type conversion is off. The relay produces."""
    return KafkaBroker(
        settings.kafka_bootstrap,
        security=_security(settings),
        client_id=f"motcua-{service}",
        consumer_only=True,
        allow_auto_create_topics=False,
        apply_types=False,
        graceful_timeout=DRAIN_SECONDS,
        logger=None,
        **CLIENT,  # type: ignore[arg-type]
    )


def make_producer(settings: KafkaSettings, service: str) -> AIOKafkaProducer:
    """An idempotent producer that waits for all replicas and keeps the order per key."""
    return AIOKafkaProducer(client_id=f"motcua-{service}", partitioner=partition_of, **connection(settings), **CLIENT, **PRODUCER)


def make_admin(settings: KafkaSettings, service: str) -> AIOKafkaAdminClient:
    """An admin client: topics, and the committed offsets of any group."""
    return AIOKafkaAdminClient(client_id=f"motcua-{service}", **connection(settings), request_timeout_ms=15_000)
