"""The notification service in this process, with topics, a database and a message file of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from fastapi import FastAPI
from uuid_utils.compat import uuid7

from services.notification.domain.case import Case
from services.notification.domain.ledger import Entry
from services.notification.domain.policy import NOTICES, particulars
from services.notification.main import create_app
from services.notification.settings import NotificationSettings
from shared.contracts.envelope import Envelope, from_headers
from shared.contracts.events import CaseAccepted, CaseEvent, CaseResolved, CaseReturned
from shared.contracts.private import Contact
from shared.contracts.topics import CASE_EVENTS, CASE_PRIVATE
from shared.contracts.words import Channel, Kind, Origin, Outcome, Timeliness
from shared.messaging.kafka import make_producer
from shared.messaging.topics_admin import apply_topics
from shared.security.key_ring import KeyRing
from tests.support.servers import Keys, Servers
from tests.support.waiting import eventually

AGENCY = "ldtbxh-haiphong"
Stated = tuple[str, UUID, dict[str, Any], Envelope]
OCCURRED_AT = datetime(2020, 12, 17, 2, tzinfo=UTC)


def accepted(agency: str = AGENCY) -> CaseAccepted:
    """An acceptance with a code and a due date."""
    return CaseAccepted(
        agency=agency,
        kind=Kind.DOSSIER,
        code="000.00.07.H24-201217-0023",
        procedure="1.001806",
        field="employment",
        channel=Channel.COUNTER,
        due_at=datetime(2020, 12, 31, 10, tzinfo=UTC),
    )


def resolved() -> CaseResolved:
    """A resolution on time."""
    return CaseResolved(agency=AGENCY, kind=Kind.DOSSIER, outcome=Outcome.GRANTED, timeliness=Timeliness.ON_TIME)


def returned() -> CaseReturned:
    """A return at the counter."""
    return CaseReturned(agency=AGENCY, kind=Kind.DOSSIER, channel=Channel.COUNTER)


def entry_about(case_id: UUID, event: CaseEvent, case: Case, language: str = "vi", origin: Origin = Origin.LIVE) -> Entry:
    """A pending entry of the ledger about a fact, `case` being as the fact left it."""
    return Entry(
        id=uuid7(),
        case_id=case_id,
        fact=event.type,
        fact_id=str(uuid7()),
        sequence=1,
        recipient="applicant",
        channel="file",
        language=language,
        status="pending",
        attempts=0,
        next_attempt_at=OCCURRED_AT,
        reason=None,
        agency=event.agency,
        kind=event.kind,
        origin=origin,
        lane=0,
        particulars=json.dumps(particulars(NOTICES[event.type], case, event)),
        occurred_at=OCCURRED_AT,
        created_at=OCCURRED_AT,
        sent_at=None,
    )


@dataclass(slots=True)
class Notification:
    """A running service and what surrounds it."""

    settings: NotificationSettings
    keys: Keys
    app: FastAPI
    producer: AIOKafkaProducer
    ring: KeyRing
    sequences: dict[UUID, int] = field(default_factory=dict)

    @classmethod
    @contextlib.asynccontextmanager
    async def run(cls, servers: Servers, folder: Path, **more: Any) -> AsyncIterator[Notification]:
        """Create topics and start the service; `more` are settings."""
        name = secrets.token_hex(4)
        keys = Keys.make(folder / "keys")
        values: dict[str, Any] = {
            "kafka_bootstrap": servers.kafka.address,
            "postgres_url": servers.postgres.address,
            "topic_prefix": f"n{name}-",
            "database_prefix": f"n{name}_",
            "token_public_key_file": keys.folder / "public.json",
            "private_key_file": keys.folder / "key",
            "notification_file": folder / "messages.ndjson",
        }
        settings = NotificationSettings(**(values | more))
        await apply_topics(settings)
        producer = make_producer(settings, "test")
        await producer.start()
        app = create_app(settings)
        made = cls(settings, keys, app, producer, KeyRing.from_file(settings.private_key_file))
        try:
            async with made.started():
                yield made
        finally:
            await producer.stop()

    @contextlib.asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        """The service's life, from ready to stopped."""
        async with self.app.router.lifespan_context(self.app):
            await eventually("the service is ready", self._is_ready)
            yield

    async def _is_ready(self) -> bool:
        return (await self.get("/health/ready", token=None)).status_code == 200

    async def get(self, path: str, *, token: str | None, **parameters: Any) -> httpx.Response:
        """An HTTP answer."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://test") as client:
            return await client.get(path, params=parameters, headers=headers)

    async def state(
        self, case_id: UUID, *events: CaseEvent, origin: Origin = Origin.LIVE, first_sequence: int | None = None
    ) -> list[str]:
        """Put facts of a case on the topic; gives their ids. `first_sequence` repeats earlier numbers."""
        sequence, ids = first_sequence or self.sequences.get(case_id, 0) + 1, []
        for event in events:
            now = datetime.now(UTC)
            at = now if origin is Origin.LIVE else OCCURRED_AT
            envelope = Envelope(str(uuid7()), event.type, "/processing", str(case_id), event.agency, at, now, origin, sequence)
            await self.producer.send(
                f"{self.settings.topic_prefix}{CASE_EVENTS.name}",
                event.model_dump_json().encode(),
                key=str(case_id).encode(),
                headers=envelope.to_headers(),
            )
            ids.append(envelope.id)
            sequence += 1
        await self.producer.flush()
        self.sequences[case_id] = max(self.sequences.get(case_id, 0), sequence - 1)
        return ids

    async def disclose(self, case_id: UUID, contact: Contact | None) -> None:
        """Put a contact on the private topic, encrypted as intake does it; None erases."""
        now = datetime.now(UTC)
        envelope = Envelope(str(uuid7()), Contact.type, "/intake", str(case_id), AGENCY, now, now, Origin.LIVE)
        value = contact and self.ring.new_case(case_id).seal(contact.model_dump_json().encode(), "contact")
        await self.producer.send_and_wait(
            f"{self.settings.topic_prefix}{CASE_PRIVATE.name}",
            value,
            key=f"{case_id}/contact".encode(),
            headers=envelope.to_headers(),
        )

    async def query(self, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """Rows of the service's database."""
        async with self.app.state.runtime.database.transaction() as tx:
            return [tuple(row) for row in await tx.driver.fetch(statement, *arguments)]

    async def ledger(self, case_id: UUID) -> list[tuple[str, str, str, str | None]]:
        """(fact, channel, status, reason) of a case's messages, in order."""
        return await self.query("select fact, channel, status, reason from ledger where case_id = $1 order by id", case_id)

    async def ledger_becomes(self, case_id: UUID, *rows: tuple[str, str, str, str | None]) -> None:
        """Wait until a case's messages are these."""

        async def look() -> bool:
            found = await self.ledger(case_id)
            if found != list(rows):
                raise LookupError(found)
            return True

        await eventually(f"the ledger of {case_id} is {rows}", look)

    def lines(self) -> list[dict[str, Any]]:
        """What the file channel wrote."""
        file = self.settings.notification_file
        return [json.loads(line) for line in file.read_text().splitlines()] if file and file.exists() else []

    async def stated(self, number: int, *, within: float = 20) -> list[Stated]:
        """The first `number` facts that the service itself put on the topic: (type, case, body, envelope)."""
        consumer = AIOKafkaConsumer(
            f"{self.settings.topic_prefix}{CASE_EVENTS.name}",
            bootstrap_servers=self.settings.kafka_bootstrap,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        found: list[Stated] = []
        try:
            async with asyncio.timeout(within):
                while len(found) < number:
                    for records in (await consumer.getmany(timeout_ms=200)).values():
                        for record in records:
                            envelope = from_headers(record.headers)
                            if envelope.source == "/notification":
                                found.append((envelope.type, envelope.case_id, json.loads(record.value), envelope))
        finally:
            await consumer.stop()
        return found
