"""A whole installation that can be broken anywhere: four services that reach Kafka and PostgreSQL through a proxy each."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.kafka import LocalKafka
from deploy.local.ports import HOST, take_port
from deploy.local.postgres import LocalPostgres
from shared.messaging.topics_admin import apply_topics
from tests.support.chaos.proxy import Proxy
from tests.support.chaos.schedule import KAFKA, POSTGRES
from tests.support.installation import SERVICES, Installation
from tests.support.servers import FAST_POSTGRES, Servers


def _ports(count: int) -> list[int]:
    found: list[int] = []
    for _ in range(count):
        found.append(take_port(avoid=frozenset(found)))
    return found


@dataclass(slots=True)
class ProxiedServers(Servers):
    """Both servers; Kafka has a second listener whose clients come, and stay, through `kafka_proxy`."""

    kafka_proxy: Proxy = field(init=False)
    postgres_proxy: Proxy = field(init=False)

    def __post_init__(self) -> None:
        direct, inner, controller, outer, database, proxied = _ports(6)
        listeners = f"PLAINTEXT://{HOST}:{direct},CONTROLLER://{HOST}:{controller},PROXIED://{HOST}:"
        settings = {
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT",
            "listeners": f"{listeners}{inner}",
            "advertised.listeners": f"{listeners}{outer}",
        }
        self.kafka = LocalKafka(self.folder / KAFKA, port=direct, controller_port=controller, settings=settings)
        self.postgres = LocalPostgres(self.folder / POSTGRES, port=database, settings=FAST_POSTGRES)
        self.kafka_proxy, self.postgres_proxy = Proxy(outer, inner), Proxy(proxied, database)

    @property
    def proxied(self) -> dict[str, str]:
        """The settings of who comes through the proxies."""
        postgres = self.postgres.address.replace(f":{self.postgres.port}/", f":{self.postgres_proxy.port}/")
        return {"MOTCUA_KAFKA_BOOTSTRAP": f"{HOST}:{self.kafka_proxy.port}", "MOTCUA_POSTGRES_URL": postgres}


@dataclass(slots=True)
class City:
    """The installation with its servers; who checks comes directly."""

    servers: ProxiedServers
    installed: Installation

    def proxy(self, target: str) -> Proxy:
        """The proxy in front of a server."""
        return self.servers.kafka_proxy if target == KAFKA else self.servers.postgres_proxy


@contextlib.asynccontextmanager
async def running_city(folder: Path) -> AsyncIterator[City]:
    """Servers, proxies and services of its own; everything is ended at the end."""
    servers, client = ProxiedServers(folder / "servers"), logging.getLogger("aiokafka")
    level = client.level
    client.setLevel(logging.CRITICAL)  # it reports every second of every outage, and we make them
    try:
        servers.start()
        servers.kafka_proxy.start()
        servers.postgres_proxy.start()
        made = Installation(folder, servers.kafka.address, servers.postgres.address, servers.proxied)
        try:
            await apply_topics(made.kafka)
            for name in SERVICES:
                made.start(name)
            await made.ready()
            yield City(servers, made)
        finally:
            await asyncio.shield(made.close())
    finally:
        client.setLevel(level)
        servers.kafka_proxy.stop()
        servers.postgres_proxy.stop()
        servers.stop()


@dataclass(slots=True)
class Cities:
    """The city that runs now. After a run that found something it is given up, and the next run has one of its own:
    new servers, topics, databases and processes, so that one failure is one failure.
    """

    folder: Path
    _built: int = 0
    _city: City | None = None
    _open: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    async def get(self) -> City:
        """The running city; it is built when there is none."""
        if self._city is None:
            self._built += 1
            self._city = await self._open.enter_async_context(running_city(self.folder / f"city-{self._built}"))
        return self._city

    async def give_up(self) -> Path:
        """End the city; where its logs and its content lie."""
        self._city = None
        await self._open.aclose()
        return self.folder / f"city-{self._built}"
