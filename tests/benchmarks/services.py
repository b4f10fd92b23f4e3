"""Real service processes on a run's topics and databases."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.benchmarks.stage import Stage
from tests.support.installation import Installation


@contextlib.asynccontextmanager
async def serving(stage: Stage, *names: str) -> AsyncIterator[Installation]:
    """These services, ready; they end with the run."""
    made = Installation(stage.folder / "services", stage.kafka, stage.postgres, {"MOTCUA_LOG_LEVEL": "warning"})
    made.run = stage.run
    try:
        for name in names:
            made.start(name)
        await made.ready()
        yield made
    finally:
        await asyncio.shield(made.close())


def pids(made: Installation) -> list[int]:
    """The processes of the services."""
    return [process.pid for process in made.processes.values()]
