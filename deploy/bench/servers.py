"""Kafka and PostgreSQL for a benchmark: those of the settings, or a private pair that ends with it."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.local.kafka import LocalKafka
from deploy.local.postgres import LocalPostgres
from deploy.local.settings import LocalSettings


@contextlib.contextmanager
def servers(settings: LocalSettings, say: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """The addresses of Kafka and PostgreSQL. What is started here ends and leaves nothing behind."""
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="motcua-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres = settings.postgres_url
        if postgres is None:
            say("starting a private PostgreSQL")
            postgres = _postgres(folder / "postgres", stack)
        kafka = settings.kafka_bootstrap
        if kafka is None:
            say("starting a private Kafka")
            broker = LocalKafka(folder / "kafka")
            stack.callback(broker.stop)
            broker.start()
            kafka = broker.address
        yield kafka, postgres


def _postgres(folder: Path, stack: contextlib.ExitStack) -> str:
    server = LocalPostgres(folder)
    stack.callback(server.forget)
    stack.callback(server.stop)
    server.start()
    return server.address
