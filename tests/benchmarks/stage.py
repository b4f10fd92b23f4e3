"""What every product-side run stands on: arguments, own topics and databases that are removed after, and one JSON document."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import secrets
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import uvloop
from aiokafka.admin import AIOKafkaAdminClient

from shared.contracts.topics import TOPICS
from shared.messaging.topics_admin import apply_topics
from shared.observability.logs import set_up_logs
from shared.service.server import spare_collector
from shared.settings import KafkaSettings, ServiceSettings
from tests.support.servers import Keys

S = TypeVar("S", bound=ServiceSettings)


class BenchmarkError(Exception):
    """A run's own result is wrong: its figure must not be used."""


def ensure(fact: str, got: object, expected: object) -> None:
    """Raise `BenchmarkError` unless they are equal."""
    if got != expected:
        raise BenchmarkError(f"{fact}: got {got!r}, expected {expected!r}")


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run measured. `cpu` is in microseconds per item, by group of processes."""

    unit: str
    n: int
    seconds: float
    cpu: dict[str, float]
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stage:
    """Topics and databases of one run, all with its name in front."""

    kafka: str
    postgres: str
    folder: Path
    run: str
    keys: Keys

    def settings(self, kind: type[S], **more: Any) -> S:
        """A service's settings in this run."""
        return kind(
            kafka_bootstrap=self.kafka,
            postgres_url=self.postgres,
            topic_prefix=f"{self.run}-",
            database_prefix=f"{self.run}_",
            token_public_key_file=self.keys.folder / "public.json",
            private_key_file=self.keys.folder / "key",
            **more,
        )

    async def counts(self, service: str, expected: dict[str, int]) -> None:
        """Compare numbers of rows of a service's database; a key is what follows `from`."""
        connection = await asyncpg.connect(self.postgres, database=f"{self.run}_{service}")
        try:
            for rows, count in expected.items():
                ensure(f"{service}: {rows}", await connection.fetchval(f"select count(*) from {rows}"), count)
        finally:
            await connection.close()


@contextlib.asynccontextmanager
async def staged(kafka: str, postgres: str) -> AsyncIterator[Stage]:
    """A stage with its topics; databases are made by whoever needs them, and all of it is removed after."""
    with tempfile.TemporaryDirectory(prefix="motcua-bench-") as name:
        folder, run = Path(name), f"b{secrets.token_hex(4)}"
        try:
            await apply_topics(KafkaSettings(kafka_bootstrap=kafka, topic_prefix=f"{run}-"))
            yield Stage(kafka, postgres, folder, run, Keys.make(folder / "keys"))
        finally:
            await _drop_databases(postgres, run)
            await _delete_topics(kafka, [f"{run}-{topic.name}" for topic in TOPICS])


async def _drop_databases(postgres: str, run: str) -> None:
    connection = await asyncpg.connect(postgres)
    try:
        for row in await connection.fetch("select datname from pg_database where starts_with(datname, $1)", f"{run}_"):
            await connection.execute(f"drop database if exists {row[0]} with (force)")
    finally:
        await connection.close()


async def _delete_topics(kafka: str, names: list[str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.delete_topics(names)
    finally:
        await admin.close()


async def settle_servers(postgres: str) -> None:
    """A checkpoint, so that no run pays for the one before."""
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute("checkpoint")
    finally:
        await connection.close()


Measure = Callable[[argparse.Namespace, Stage], Awaitable[Figures]]


def main(name: str, default: int, measure: Measure) -> None:
    """Run one measurement as services run, on uvloop, and print it as one JSON document."""
    parser = argparse.ArgumentParser(description=f"The product's side of the benchmark {name}.")
    parser.add_argument("--kafka", required=True, help="bootstrap server, HOST:PORT")
    parser.add_argument("--postgres", required=True, help="server URL of a role that may create databases")
    parser.add_argument("--n", type=int, default=default, help="events, rows, requests or cases")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    set_up_logs("bench", "warning")
    spare_collector()
    figures = uvloop.run(_measure(measure, arguments))
    content = {
        "name": name,
        "unit": figures.unit,
        "rate": round(figures.n / figures.seconds, 1),
        "seconds": round(figures.seconds, 3),
        "n": figures.n,
        **figures.more,
        "cpu_us_per_item": figures.cpu,
    }
    print(json.dumps(content))


async def _measure(measure: Measure, arguments: argparse.Namespace) -> Figures:
    async with staged(arguments.kafka, arguments.postgres) as stage:
        await settle_servers(arguments.postgres)
        await asyncio.sleep(0.5)  # as the floors do: new topics find their leaders
        return await measure(arguments, stage)
