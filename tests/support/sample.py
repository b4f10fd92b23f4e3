"""The smallest service: it keeps every event of a case in a list. The heart is tested with it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry
from sqlalchemy import Text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from shared.contracts.envelope import Envelope
from shared.contracts.events import EVENTS, CaseEvent
from shared.contracts.topics import CASE_EVENTS
from shared.contracts.words import Origin
from shared.messaging.consumer import Consumer
from shared.messaging.delivery import Delivery, decode_model
from shared.messaging.kafka import make_producer
from shared.messaging.topics_admin import apply_topics
from shared.observability.metrics import PipelineMetrics
from shared.persistence.database import Database
from shared.persistence.tables import InboxColumns, OutboxColumns, ParkedColumns, StreamColumns
from shared.persistence.work import Store, Work
from shared.settings import ServiceSettings
from tests.support.servers import Keys, Servers


class Table(SQLModel, registry=registry()):
    """The sample's own registry."""


class CaseRow(StreamColumns, Table, table=True):
    __tablename__ = "cases"
    steps: str | None = Field(default=None, sa_type=Text)


class Outbox(OutboxColumns, Table, table=True):
    __tablename__ = "outbox"


class Parked(ParkedColumns, Table, table=True):
    __tablename__ = "parked"


class Inbox(InboxColumns, Table, table=True):
    __tablename__ = "inbox"


class Missing(Table, table=True):
    __tablename__ = "missing_events"
    case_id: UUID = Field(primary_key=True)
    source: str = Field(primary_key=True, sa_type=Text)
    sequence: int = Field(primary_key=True)


@dataclass(slots=True)
class Steps:
    """All the sample knows of a case: the steps it has seen, in order."""

    steps: str | None = None


async def remember(work: Work[Steps], deliveries: Sequence[Delivery]) -> None:
    """Append each step's name, and refuse to take the step `poison`."""
    for delivery in deliveries:
        assert delivery.case_id is not None
        if delivery.body.step == "poison":
            raise ValueError("poison")
        locked = work.cases[delivery.case_id]
        seen = f"{locked.state.steps},{delivery.body.step}" if locked.state.steps else delivery.body.step
        locked.state = replace(locked.state, steps=seen)


@dataclass(slots=True)
class Sample:
    """A database, a topic prefix, a producer and a consumer of their own."""

    settings: ServiceSettings
    store: Store[Steps]
    producer: AIOKafkaProducer

    @classmethod
    async def make(cls, servers: Servers, keys: Keys, **settings: Any) -> Sample:
        """Create database and topics."""
        run = secrets.token_hex(4)
        made = ServiceSettings(
            kafka_bootstrap=servers.kafka.address,
            postgres_url=servers.postgres.address,
            topic_prefix=f"t{run}-",
            database_prefix=f"t{run}_",
            token_public_key_file=keys.folder / "public.json",
            private_key_file=keys.folder / "key",
            **settings,
        )
        server = await asyncpg.connect(servers.postgres.address)
        await server.execute(f"create database t{run}_sample")
        await server.close()
        database = Database(made, "sample")
        async with database.engine.begin() as connection:
            await connection.run_sync(Table.metadata.create_all)
            await connection.exec_driver_sql("create unique index on parked (consumer_group, topic, partition, position)")
        await apply_topics(made)
        producer = make_producer(made, "sample")
        await producer.start()
        return cls(made, Store(database, "sample", CaseRow, Steps, Outbox, Parked, Inbox, Missing), producer)

    def consumer(self, handle: Any = remember, **options: Any) -> Consumer[Steps]:
        """A consumer of steps."""
        wanted = {kind: decode_model(model) for kind, model in EVENTS.items() if kind == "case.step_completed"}
        return Consumer(
            service="sample",
            topic=CASE_EVENTS,
            prefix=self.settings.topic_prefix,
            wanted=wanted,
            store=self.store,
            handle=handle,
            metrics=PipelineMetrics(CollectorRegistry()),
            park_limit=self.settings.park_limit,
            **options,
        )

    @property
    def topic(self) -> str:
        """The full name of `case-events` here."""
        return f"{self.settings.topic_prefix}{CASE_EVENTS.name}"

    async def send(self, case_id: UUID, event: CaseEvent, sequence: int, now: Any, **changes: bytes | None) -> None:
        """Put an event on the topic; `changes` replaces headers by name (None removes one) or `value`."""
        envelope = Envelope(
            f"{case_id}-{sequence}",
            event.type,
            f"/{event.stated_by}",
            str(case_id),
            event.agency,
            now,
            now,
            Origin.LIVE,
            sequence,
        )
        headers = {**dict(envelope.to_headers()), **{k: v for k, v in changes.items() if k != "value"}}
        value = changes.get("value", event.model_dump_json().encode())
        pairs = [(name, each) for name, each in headers.items() if each is not None]
        await self.producer.send_and_wait(self.topic, value, key=str(case_id).encode(), headers=pairs)

    async def steps(self, case_id: UUID) -> str | None:
        """What the sample has seen of a case."""
        async with self.store.database.transaction() as tx:
            found: str | None = await tx.driver.fetchval("select steps from cases where case_id = $1", case_id)
        return found

    async def query(self, statement: str, *arguments: Any) -> list[Any]:
        """Rows of the sample's database."""
        async with self.store.database.transaction() as tx:
            return list(await tx.driver.fetch(statement, *arguments))

    async def close(self) -> None:
        """Release connections."""
        await self.producer.stop()
        await self.store.database.close()
