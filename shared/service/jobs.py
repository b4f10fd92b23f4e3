"""Loops beside the consumers: run every so often, wait out failures, and show that they are alive."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from shared.observability.progress import Progress

LONGEST_WAIT = 5.0
log = structlog.get_logger()


@dataclass(slots=True)
class Job:
    """`run` is called every `every_seconds`; it may be woken earlier. It must be repeatable and safe in several replicas."""

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[None]]
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    progress: Progress = field(init=False)

    def __post_init__(self) -> None:
        self.progress = Progress(f"job {self.name}", limit=max(60.0, 3 * self.every_seconds))

    def wake(self) -> None:
        """Run soon."""
        self.woken.set()

    async def loop(self) -> None:
        """For ever; a failure is logged and waited out."""
        wait = min(self.every_seconds, 0.5)
        while True:
            self.woken.clear()
            try:
                await self.run()
            except Exception as error:
                log.warning("job waits", job=self.name, seconds=wait, error=type(error).__name__, exc_info=error)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                wait = min(self.every_seconds, 0.5)
                await self._rest()
            self.progress.beat()

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self.woken.wait(), self.every_seconds)
        except TimeoutError:
            return
