"""The intake service in this process behind a real socket, with topics and a database of its own."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import uvicorn
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from fastapi import FastAPI

from services.intake.main import create_app
from services.intake.settings import IntakeSettings
from shared.contracts.envelope import Envelope
from shared.contracts.events import CaseEvent
from shared.contracts.topics import CASE_EVENTS, CASE_PRIVATE
from shared.contracts.words import Origin
from shared.messaging.kafka import make_producer
from shared.messaging.topics_admin import apply_topics
from shared.security.tokens import Role
from shared.service.heads import GuardedProtocol
from tests.support.servers import Keys, Servers
from tests.support.waiting import eventually

AGENCY = "ldtbxh-haiphong"
MANY = 1_000_000
"""Look-ups a minute: tests ask from one address, again and again."""


@dataclass(slots=True)
class Office:
    """A running intake service, and everything that it published so far."""

    app: FastAPI
    settings: IntakeSettings
    keys: Keys
    port: int
    producer: AIOKafkaProducer
    listener: AIOKafkaConsumer
    published: list[ConsumerRecord] = field(default_factory=list)

    def token(self, role: Role = Role.OFFICER, agency: str | None = AGENCY) -> str:
        """A bearer token."""
        return self.keys.token(role, agency)

    def client(self, role: Role | None = Role.OFFICER, agency: str | None = AGENCY) -> httpx.AsyncClient:
        """An HTTP client, with a token unless the role is None."""
        headers = {} if role is None else {"Authorization": f"Bearer {self.token(role, agency)}"}
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=30)

    async def records(self, case_id: str, count: int) -> list[ConsumerRecord]:
        """The first `count` records about a case on both topics, in the order of their arrival."""

        async def look() -> list[ConsumerRecord]:
            for records in (await self.listener.getmany(timeout_ms=100)).values():
                self.published += records
            found = [record for record in self.published if record.key.startswith(case_id.encode())]
            return found if len(found) >= count else []

        return await eventually(f"{count} records about a case", look)

    async def tell(self, case_id: str, event: CaseEvent, sequence: int) -> None:
        """State a fact as processing does."""
        now = datetime.now(UTC)
        envelope = Envelope(str(uuid4()), event.type, "/processing", case_id, event.agency, now, now, Origin.LIVE, sequence)
        name = f"{self.settings.topic_prefix}{CASE_EVENTS.name}"
        value = event.model_dump_json().encode()
        await self.producer.send_and_wait(name, value, key=case_id.encode(), headers=envelope.to_headers())

    async def count(self, table: str, case_ids: set[str] | None = None) -> int:
        """Rows of a table, of these cases when given."""
        ids = None if case_ids is None else [UUID(each) for each in case_ids]
        where = "" if ids is None else " where case_id = any($1::uuid[])"
        async with self.app.state.runtime.database.transaction() as tx:
            return int(await tx.driver.fetchval(f"select count(*) from {table}{where}", *([] if ids is None else [ids])))


@contextlib.asynccontextmanager
async def open_office(servers: Servers, folder: Path, **changes: Any) -> AsyncIterator[Office]:
    """Start intake and wait until it is ready."""
    run, keys = secrets.token_hex(4), Keys.make(folder / "keys")
    settings = IntakeSettings(
        kafka_bootstrap=servers.kafka.address,
        postgres_url=servers.postgres.address,
        topic_prefix=f"i{run}-",
        database_prefix=f"i{run}_",
        token_public_key_file=keys.folder / "public.json",
        private_key_file=keys.folder / "key",
        **{"lookup_per_minute": MANY, "lookup_total_per_minute": MANY} | changes,
    )
    await apply_topics(settings)
    producer = make_producer(settings, "officers")
    topics = [f"{settings.topic_prefix}{topic.name}" for topic in (CASE_EVENTS, CASE_PRIVATE)]
    listener = AIOKafkaConsumer(*topics, bootstrap_servers=servers.kafka.address, auto_offset_reset="earliest")
    app = create_app(settings)
    async with _serving(app) as port:
        await producer.start()
        await listener.start()
        try:
            office = Office(app, settings, keys, port, producer, listener)
            await _until_ready(office)
            yield office
        finally:
            await listener.stop()
            await producer.stop()


@contextlib.asynccontextmanager
async def _serving(app: FastAPI) -> AsyncIterator[int]:
    config = uvicorn.Config(
        app, http=GuardedProtocol, ws="none", log_config=None, access_log=False, proxy_headers=False, timeout_graceful_shutdown=10
    )
    server = uvicorn.Server(config)
    setattr(server, "capture_signals", contextlib.nullcontext)  # noqa: B010 - the test run keeps its own signals
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            await task


async def _until_ready(office: Office) -> None:
    async def look() -> bool:
        async with office.client(None) as client:
            return (await client.get("/health/ready")).status_code == 200

    await eventually("intake is ready", look)
