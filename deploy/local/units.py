"""What the supervisor watches: a program with its probe, started again when it ends."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from deploy.local.process import birth_of, describe_exit, signal_group, signal_process

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from deploy.local.process import Launch

FIRST_DELAY, LONGEST_DELAY = 0.5, 15.0
STEADY_SECONDS = 60.0  # after so long a life a crash counts as a first one again
_PROBE_UNTIL_READY, _PROBE_AFTER = 0.25, 2.0


class Stage(IntEnum):
    """Units stop stage by stage, highest first."""

    DATABASE = 0
    BROKER = 1
    WATCH = 2
    SERVICE = 3


class Health(StrEnum):
    """How a unit is."""

    STARTING = "starting"
    READY = "ready"
    NOT_READY = "not ready"
    RESTARTING = "restarting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A program of the stack. `launch` is None for a server that somebody else runs: it is only probed."""

    name: str
    stage: Stage
    fault: Callable[[], Awaitable[str | None]]
    launch: Callable[[], Launch] | None = None
    kind: str = "local"
    address: str = ""


class Watch:
    """Runs one unit until told to stop, and knows how it is."""

    def __init__(self, unit: Unit, on_change: Callable[[], None]) -> None:
        self.unit = unit
        self.health = Health.STARTING
        self.since = datetime.now(UTC)
        self.reason: str | None = "not started yet"
        self.restarts = 0
        self.last_exit: str | None = None
        self.process: asyncio.subprocess.Process | None = None
        self._launch: Launch | None = None
        self._on_change = on_change
        self._stopping = asyncio.Event()
        self._was_ready = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to run and to probe it."""
        self._tasks = [asyncio.create_task(self._probe(), name=f"probe {self.unit.name}")]
        if self.unit.launch is not None:
            self._tasks.append(asyncio.create_task(self._run(), name=f"run {self.unit.name}"))

    async def ready(self) -> None:
        """Wait until it was ready once."""
        await self._was_ready.wait()

    async def stop(self, hurry: asyncio.Event) -> None:
        """Stop it in order; it is killed after its grace, or at once when hurried."""
        self._stopping.set()
        if self.process is not None and self._launch is not None and self.process.returncode is None:
            signal_process(self.process.pid, self._launch.stop_signal)
            await self._wait_or_kill(self.process, self._launch.grace_seconds, hurry)
        await asyncio.gather(*self._tasks)
        self._change(Health.STOPPED, None)

    def as_dict(self) -> dict[str, object]:
        """What `motcua status` shows."""
        pid = self.process.pid if self.process is not None and self.process.returncode is None else None
        return {
            "health": self.health.value, "since": self.since.isoformat(timespec="seconds"), "reason": self.reason,
            "kind": self.unit.kind, "address": self.unit.address, "restarts": self.restarts, "last_exit": self.last_exit,
            "pid": pid, "birth": birth_of(pid) if pid else None,
        }  # fmt: skip

    async def _wait_or_kill(self, process: asyncio.subprocess.Process, grace: float, hurry: asyncio.Event) -> None:
        ended, hurried = asyncio.create_task(process.wait()), asyncio.create_task(hurry.wait())
        await asyncio.wait({ended, hurried}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not ended.done():
            signal_group(process.pid, signal.SIGKILL)
        await ended

    async def _run(self) -> None:
        delay = FIRST_DELAY
        while not self._stopping.is_set():
            started_at = time.monotonic()
            self.last_exit = await self._run_once()
            if self._stopping.is_set():
                return
            if time.monotonic() - started_at > STEADY_SECONDS:
                delay = FIRST_DELAY
            self.restarts += 1
            self._change(Health.RESTARTING, f"{self.last_exit}; starts again in {delay:g} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            delay = min(2 * delay, LONGEST_DELAY)

    async def _run_once(self) -> str:
        if self.unit.launch is None:
            raise AssertionError(self.unit.name)
        try:
            self._launch = await asyncio.to_thread(self.unit.launch)
            self.process = await self._launch.spawn()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is shown and tried again
            return f"could not be started ({error})"
        if self._stopping.is_set():  # told to stop while it was being made
            signal_group(self.process.pid, signal.SIGKILL)
        self._change(Health.STARTING, "started")
        status = await self.process.wait()
        signal_group(self.process.pid, signal.SIGKILL)  # what it may have left in its group
        return describe_exit(status)

    async def _probe(self) -> None:
        while not self._stopping.is_set():
            if self.unit.launch is None or (self.process is not None and self.process.returncode is None):
                self._note(await self.unit.fault())
            pause = _PROBE_AFTER if self.health is Health.READY else _PROBE_UNTIL_READY
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    def _note(self, fault: str | None) -> None:
        if self.unit.launch is not None and (self.process is None or self.process.returncode is not None):
            return  # it ended while it was being asked
        if fault is None:
            self._was_ready.set()
            self._change(Health.READY, None)
        elif self.health in {Health.READY, Health.NOT_READY}:
            self._change(Health.NOT_READY, fault)
        else:
            self._change(Health.STARTING, fault)

    def _change(self, health: Health, reason: str | None) -> None:
        if health is not self.health:
            self.since = datetime.now(UTC)
        if (health, reason) != (self.health, self.reason):
            self.health, self.reason = health, reason
            self._on_change()
