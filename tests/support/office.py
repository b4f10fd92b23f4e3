"""A running processing service for tests, with a desk beside it that sends what intake and officers' systems send."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from fastapi import FastAPI

from services.processing.domain.code import CodePattern
from services.processing.main import create_app
from services.processing.settings import ProcessingSettings
from shared.contracts.commands import Command
from shared.contracts.envelope import Envelope, from_headers
from shared.contracts.events import CaseSubmitted
from shared.contracts.topics import CASE_COMMANDS, CASE_EVENTS, Topic
from shared.contracts.words import Channel, Kind, Origin
from shared.messaging.kafka import make_producer
from shared.messaging.topics_admin import apply_topics
from shared.security.tokens import Role
from tests.support.servers import Keys, Servers
from tests.support.waiting import eventually

AGENCY = "ldtbxh-haiphong"
SEED = "1.001806"


@dataclass(slots=True)
class Office:
    """A running processing service, a producer beside it, and everything it stated so far."""

    app: FastAPI
    settings: ProcessingSettings
    keys: Keys
    producer: AIOKafkaProducer
    listener: AIOKafkaConsumer
    stated: list[tuple[Envelope, str]] = field(default_factory=list)

    def client(self, role: Role = Role.OFFICER, agency: str | None = AGENCY) -> httpx.AsyncClient:
        """An HTTP client with a token."""
        token = self.keys.token(role, agency)
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://office", headers={"Authorization": f"Bearer {token}"})

    async def submit(
        self, case_id: UUID, at: datetime | None = None, origin: Origin = Origin.LIVE, agency: str = AGENCY, **changes: Any
    ) -> None:
        """State `case.submitted` as intake does."""
        filed_at = at or datetime.now(UTC)
        plain: dict[str, Any] = {"kind": Kind.DOSSIER, "procedure": SEED, "channel": Channel.ONLINE, "filed_at": filed_at}
        event = CaseSubmitted(**{"agency": agency} | plain | changes)
        envelope = Envelope(str(uuid4()), event.type, "/intake", str(case_id), agency, filed_at, datetime.now(UTC), origin, 1)
        await self._send(CASE_EVENTS, envelope, event.model_dump_json().encode())

    async def command(
        self, case_id: UUID, command: Command, at: datetime | None = None, origin: Origin = Origin.LIVE, **changes: Any
    ) -> str:
        """Send a command as an officers' system does; give its id."""
        now = datetime.now(UTC)
        plain: dict[str, Any] = {"id": str(uuid4()), "source": "/desk", "agency": AGENCY, "recorded_at": now} | changes
        envelope = Envelope(type=command.type, subject=str(case_id), occurred_at=at or now, origin=origin, **plain)
        await self._send(CASE_COMMANDS, envelope, command.model_dump_json().encode())
        return envelope.id

    async def _send(self, topic: Topic, envelope: Envelope, value: bytes) -> None:
        name = f"{self.settings.topic_prefix}{topic.name}"
        await self.producer.send_and_wait(name, value, key=envelope.subject.encode(), headers=envelope.to_headers())

    async def facts(self, case_id: UUID, count: int) -> list[tuple[Envelope, str]]:
        """The first `count` facts that processing stated about a case, in order."""

        def found() -> list[tuple[Envelope, str]]:
            return [each for each in self.stated if each[0].subject == str(case_id) and each[0].source == "/processing"]

        async def look() -> list[tuple[Envelope, str]]:
            if len(found()) < count:
                await self.listen()
            return found() if len(found()) >= count else []

        return await eventually(f"{count} facts about a case", look)

    async def listen(self) -> None:
        """Take what is new on the topic."""
        for records in (await self.listener.getmany(timeout_ms=100)).values():
            self.stated += [(from_headers(record.headers), record.value.decode()) for record in records]

    async def query(self, statement: str, *arguments: Any) -> list[Any]:
        """Rows of processing's database."""
        async with self.app.state.runtime.database.transaction() as tx:
            return list(await tx.driver.fetch(statement, *arguments))


@contextlib.asynccontextmanager
async def running_office(servers: Servers, folder: Path, **changes: Any) -> AsyncIterator[Office]:
    """The service on its own topics and database."""
    run, keys = secrets.token_hex(4), Keys.make(folder / "keys")
    settings = ProcessingSettings(
        kafka_bootstrap=servers.kafka.address,
        postgres_url=servers.postgres.address,
        topic_prefix=f"p{run}-",
        database_prefix=f"p{run}_",
        token_public_key_file=keys.folder / "public.json",
        private_key_file=keys.folder / "key",
        code_patterns={AGENCY: CodePattern("000.00.07.H24")},
        **changes,
    )
    await apply_topics(settings)
    producer = make_producer(settings, "desk")
    listener = AIOKafkaConsumer(
        f"{settings.topic_prefix}{CASE_EVENTS.name}",
        bootstrap_servers=servers.kafka.address,
        auto_offset_reset="earliest",
    )
    await producer.start()
    await listener.start()
    app = create_app(settings)
    try:
        async with app.router.lifespan_context(app):
            yield Office(app, settings, keys, producer, listener)
    finally:
        await listener.stop()
        await producer.stop()
