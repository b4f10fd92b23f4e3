"""The metrics service on real Kafka and PostgreSQL, and somebody who states facts on its topic."""

from __future__ import annotations

import contextlib
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI

from services.metrics.main import create_app
from services.metrics.settings import MetricsSettings
from shared.contracts import events as ev
from shared.contracts.envelope import Envelope
from shared.contracts.topics import CASE_EVENTS
from shared.contracts.words import Channel, Kind, Origin, Outcome, Timeliness
from shared.messaging.kafka import make_producer
from shared.messaging.topics_admin import apply_topics
from shared.security.tokens import Role
from tests.support.servers import Keys, Servers
from tests.support.waiting import eventually

Fact = tuple[Envelope, ev.Event]


def metrics_settings(kafka: str, postgres: str, keys: Keys, **more: Any) -> MetricsSettings:
    """Settings of an installation of its own."""
    run = secrets.token_hex(4)
    return MetricsSettings(
        kafka_bootstrap=kafka,
        postgres_url=postgres,
        topic_prefix=f"t{run}-",
        database_prefix=f"t{run}_",
        token_public_key_file=keys.folder / "public.json",
        private_key_file=keys.folder / "key",
        metrics_refresh_seconds=0.1,
        **more,
    )


@dataclass(slots=True)
class Life:
    """States facts about one case, numbering them per source."""

    agency: str = "ldtbxh"
    kind: Kind = Kind.DOSSIER
    origin: Origin = Origin.LIVE
    case_id: UUID = field(default_factory=uuid4)
    facts: list[Fact] = field(default_factory=list)
    _numbers: Counter[str] = field(default_factory=Counter)

    def state(self, event: type[ev.CaseEvent], at: datetime, **body: Any) -> Life:
        """One more fact."""
        self._numbers[event.stated_by] += 1
        made = event(agency=self.agency, kind=self.kind, **body)
        number = self._numbers[event.stated_by]
        source, subject = f"/{event.stated_by}", str(self.case_id)
        self.facts.append(
            (
                Envelope(f"{subject}{source}{number}", event.type, source, subject, self.agency, at, at, self.origin, number),
                made,
            )
        )
        return self

    def submitted(self, at: datetime, procedure: str = "1.001806", channel: Channel = Channel.ONLINE) -> Life:
        """Filed."""
        return self.state(ev.CaseSubmitted, at, procedure=procedure, channel=channel, filed_at=at)

    def accepted(self, at: datetime, due_at: datetime | None = None, procedure: str = "1.001806", **body: Any) -> Life:
        """Accepted."""
        about: dict[str, Any] = {"code": "T-1", "field": "social-protection", "channel": Channel.ONLINE} | body
        return self.state(ev.CaseAccepted, at, procedure=procedure, due_at=due_at, **about)

    def resolved(self, at: datetime, timeliness: Timeliness = Timeliness.EARLY) -> Life:
        """Resolved."""
        return self.state(ev.CaseResolved, at, outcome=Outcome.GRANTED, timeliness=timeliness)

    def returned(self, at: datetime, channel: Channel = Channel.POST) -> Life:
        """Returned."""
        return self.state(ev.CaseReturned, at, channel=channel)


@dataclass(slots=True)
class MetricsService:
    """One running replica."""

    app: FastAPI
    client: httpx.AsyncClient
    keys: Keys

    async def get(self, path: str, role: Role = Role.AUDITOR, of: str | None = "ldtbxh", **parameters: Any) -> httpx.Response:
        """An answer, asked with a token of this role and agency."""
        headers = {"Authorization": f"Bearer {self.keys.token(role, of)}"}
        return await self.client.get(path, params=parameters, headers=headers)

    async def figures(self, agency: str = "ldtbxh", **parameters: Any) -> dict[str, Any]:
        """An agency's figures."""
        answer = await self.get("/v1/figures", of=agency, agency=agency, **parameters)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    async def settled(self, agency: str = "ldtbxh", **expected: Any) -> dict[str, Any]:
        """The figures, once they are as expected."""

        async def look() -> dict[str, Any] | None:
            seen = await self.figures(agency)
            if all(seen[name] == value for name, value in expected.items()):
                return seen
            raise LookupError({name: seen[name] for name in expected})

        found = await eventually(f"figures of {agency} are {expected}", look, within=60)
        assert found is not None
        return found

    async def exposition(self) -> str:
        """What Prometheus would read."""
        return (await self.client.get("/metrics")).text

    async def query(self, statement: str, *arguments: Any) -> list[Any]:
        """Rows of its database."""
        async with self.app.state.runtime.database.transaction() as tx:
            return list(await tx.driver.fetch(statement, *arguments))


@contextlib.asynccontextmanager
async def replica(settings: MetricsSettings, keys: Keys) -> AsyncIterator[MetricsService]:
    """The service in this process, with its consumer and its jobs."""
    app = create_app(settings)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://metrics") as client,
    ):
        yield MetricsService(app, client, keys)


@dataclass(slots=True)
class Topic:
    """`case-events` of one installation, open for whoever states facts."""

    settings: MetricsSettings
    producer: AIOKafkaProducer

    async def send(self, facts: Iterable[Fact]) -> None:
        """Publish facts in this order."""
        sent = []
        for envelope, event in facts:
            body = event.model_dump_json().encode()
            headers, key = envelope.to_headers(), envelope.subject.encode()
            sent.append(
                await self.producer.send(f"{self.settings.topic_prefix}{CASE_EVENTS.name}", body, key=key, headers=headers)
            )
        for each in sent:
            await each


@contextlib.asynccontextmanager
async def installation(servers: Servers, keys: Keys, **more: Any) -> AsyncIterator[Topic]:
    """Topics and settings of its own."""
    settings = metrics_settings(servers.kafka.address, servers.postgres.address, keys, **more)
    await apply_topics(settings)
    producer = make_producer(settings, "test")
    await producer.start()
    try:
        yield Topic(settings, producer)
    finally:
        await producer.stop()


def interleaved(lives: Sequence[Life]) -> list[Fact]:
    """The facts of several cases, one of each in turn."""
    longest = max((len(life.facts) for life in lives), default=0)
    return [life.facts[number] for number in range(longest) for life in lives if number < len(life.facts)]
