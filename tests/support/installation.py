"""Four real service processes of one installation: own topic prefix, databases, ports and keys."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from deploy.history.services import Services
from deploy.local.ports import take_port
from shared.messaging.kafka import make_producer
from shared.messaging.topics_admin import apply_topics
from shared.security.tokens import Role
from shared.settings import KafkaSettings
from tests.support.servers import Keys, Servers
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
SERVICES = ("intake", "processing", "notification", "metrics")


@dataclass(slots=True)
class Installation:
    """Starts, kills and asks the services. `extra` settings are added to every process."""

    folder: Path
    bootstrap: str
    postgres: str
    extra: dict[str, str] = field(default_factory=dict)
    keys: Keys = field(init=False)
    run: str = field(init=False)
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.keys = Keys.make(self.folder / "keys")
        self.run = f"t{secrets.token_hex(4)}"
        self.http = httpx.AsyncClient(timeout=20)

    @property
    def kafka(self) -> KafkaSettings:
        """How to reach Kafka and this installation's topics."""
        return KafkaSettings.of(self.extra | {"MOTCUA_KAFKA_BOOTSTRAP": self.bootstrap, "MOTCUA_TOPIC_PREFIX": f"{self.run}-"})

    @property
    def environment(self) -> dict[str, str]:
        """What a service process gets."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("MOTCUA_")},
            **self.keys.environment,
            "MOTCUA_KAFKA_BOOTSTRAP": self.bootstrap,
            "MOTCUA_POSTGRES_URL": self.postgres,
            "MOTCUA_TOPIC_PREFIX": f"{self.run}-",
            "MOTCUA_DATABASE_PREFIX": f"{self.run}_",
            "MOTCUA_DATABASE_POOL": "5",
            "MOTCUA_LOOKUP_PER_MINUTE": "1000000",  # tests ask from one address, again and again
            "MOTCUA_LOOKUP_TOTAL_PER_MINUTE": "1000000",
            "MOTCUA_STATE_DIR": str(self.folder),
            "MOTCUA_NOTIFICATION_FILE": str(self.folder / "messages.ndjson"),
            **self.extra,
        }

    def log_of(self, name: str) -> Path:
        """Where a process writes its log."""
        return self.folder / f"{name}.log"

    def start(self, service: str, name: str | None = None, **settings: str) -> None:
        """Start one process; `name` tells replicas apart, and each keeps its port from start to start."""
        name = name or service
        port = self.ports.setdefault(name, take_port(avoid=frozenset(self.ports.values())))
        environment = {**self.environment, f"MOTCUA_{service.upper()}_PORT": str(port), **settings}
        with self.log_of(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", f"services.{service}"],
                cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def url(self, name: str, path: str = "") -> str:
        """The address of a process."""
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    async def ready(self, *names: str, within: float = 60.0) -> None:
        """Wait until these processes say that they are ready."""
        for name in names or tuple(self.processes):

            async def look(name: str = name) -> bool:
                assert self.processes[name].poll() is None, self.log_of(name).read_text()[-3000:]
                return (await self.http.get(self.url(name, "/health/ready"))).status_code == 200

            await eventually(f"{name} is ready", look, within=within, every=0.2)

    def kill(self, name: str) -> None:
        """Kill -9."""
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    def terminate(self, name: str) -> int:
        """SIGTERM; the exit status."""
        self.processes[name].send_signal(signal.SIGTERM)
        return self.processes[name].wait(40)

    def headers(self, role: Role = Role.ADMIN, agency: str | None = None, **more: str) -> dict[str, str]:
        """Headers with a token."""
        return {"Authorization": f"Bearer {self.keys.token(role, agency)}", **more}

    async def get(self, name: str, path: str, **params: Any) -> Any:
        """The JSON answer of a GET as administrator; fails unless 200."""
        answer = await self.http.get(self.url(name, path), params=params, headers=self.headers())
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def series(self, name: str) -> dict[str, float]:
        """The exposition of a process: each sample's name with labels, and its value."""
        text = (await self.http.get(self.url(name, "/metrics"))).text
        lines = (line for line in text.splitlines() if line and not line.startswith("#"))
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    async def query(self, service: str, statement: str, *arguments: Any) -> list[Any]:
        """Rows of a service's database."""
        connection = await asyncpg.connect(f"{self.postgres.rpartition('/')[0]}/{self.run}_{service}")
        try:
            return list(await connection.fetch(statement, *arguments))
        finally:
            await connection.close()

    @contextlib.asynccontextmanager
    async def as_importer(self) -> AsyncIterator[Services]:
        """What a replay or an import sends through."""
        producer = make_producer(self.kafka, "history")
        await producer.start()
        try:
            async with httpx.AsyncClient(headers=self.headers(Role.IMPORTER), timeout=60) as http:
                intake, processing, metrics = (self.url(name) for name in ("intake", "processing", "metrics"))
                yield Services(http, producer, intake, processing, metrics, f"{self.run}-")
        finally:
            await producer.stop()

    async def close(self) -> None:
        """End every process and drop the databases."""
        await self.http.aclose()
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            if process.poll() is None:
                process.kill()
                process.wait()


@contextlib.asynccontextmanager
async def installed(
    servers: Servers, folder: Path, *names: str, topics: bool = True, extra: dict[str, str] | None = None
) -> AsyncIterator[Installation]:
    """A running installation; all four services unless some are named."""
    made = Installation(folder, servers.kafka.address, servers.postgres.address, extra or {})
    try:
        if topics:
            await apply_topics(made.kafka)
        for name in names or SERVICES:
            made.start(name)
        await made.ready()
        yield made
    finally:
        await asyncio.shield(made.close())
