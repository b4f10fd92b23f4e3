"""Breaking things as a schedule says, and mending everything at the end."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx

from tests.support.chaos.city import City
from tests.support.chaos.schedule import KAFKA, POSTGRES, Fault, Kind
from tests.support.installation import SERVICES
from tests.support.servers import frozen

LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 20.0


@dataclass(slots=True)
class Breaker:
    """Inflicts faults on a city. `died` names services that ended by themselves, which no fault may cause."""

    city: City
    seed: int
    died: list[str] = field(default_factory=list)
    crashes: int = 0
    _joined: int = 0

    async def follow(self, schedule: list[Fault]) -> None:
        """Begin and end each fault at its time."""
        began = time.monotonic()

        async def at_its_time(fault: Fault) -> None:
            await asyncio.sleep(max(began + fault.at - time.monotonic(), 0))
            await self._inflict(fault)

        await asyncio.gather(*(at_its_time(fault) for fault in schedule))

    async def heal(self) -> None:
        """Whatever is still broken is mended: everything runs, and everything passes."""
        servers, installed = self.city.servers, self.city.installed
        for proxy in (servers.kafka_proxy, servers.postgres_proxy):
            proxy.release()
        for server in (servers.postgres, servers.kafka):
            if server.pid is None:
                await asyncio.to_thread(server.start)
        for name in SERVICES:
            if installed.processes[name].poll() is not None:
                self.died.append(f"{name} ({installed.processes[name].returncode})")
                installed.start(name)
        await installed.ready(*SERVICES)

    async def _inflict(self, fault: Fault) -> None:
        kinds: dict[Kind, Callable[[Fault], Awaitable[None]]] = {
            Kind.KILL: self._kill,
            Kind.PAUSE: self._pause,
            Kind.CRASH: self._crash,
            Kind.FLAP: self._crash,
            Kind.RESET: self._reset,
            Kind.HOLE: self._hole,
            Kind.JOIN: self._join,
            Kind.DIE: self._join,
            Kind.ZOMBIE: self._zombie,
        }
        await kinds[fault.kind](fault)

    async def _kill(self, fault: Fault) -> None:
        servers, installed = self.city.servers, self.city.installed
        server = {KAFKA: servers.kafka, POSTGRES: servers.postgres}.get(fault.target)
        if server is None:
            installed.kill(fault.target)
            await asyncio.sleep(fault.seconds)
            installed.start(fault.target)
        else:
            await asyncio.to_thread(server.kill)
            await asyncio.sleep(fault.seconds)
            await asyncio.to_thread(server.start)

    async def _pause(self, fault: Fault) -> None:
        servers, installed = self.city.servers, self.city.installed
        server = {KAFKA: servers.kafka, POSTGRES: servers.postgres}.get(fault.target)
        with frozen((server.pid if server else installed.processes[fault.target].pid) or 0):
            await asyncio.sleep(fault.seconds)

    async def _crash(self, fault: Fault) -> None:
        """Run the service with a failpoint, start it again whenever it falls, at last start it without."""
        installed, name, ends_at = self.city.installed, fault.target, 0.0
        await asyncio.to_thread(installed.terminate, name)
        while not ends_at or time.monotonic() < ends_at:
            installed.start(name, MOTCUA_FAILPOINTS=fault.detail)
            await self._up_or_down(name)
            ends_at = ends_at or time.monotonic() + fault.seconds
            while time.monotonic() < ends_at and installed.processes[name].poll() is None:
                await asyncio.sleep(LOOK_SECONDS)
            self.crashes += installed.processes[name].poll() is not None
        await asyncio.to_thread(installed.terminate, name)
        installed.start(name)

    async def _up_or_down(self, name: str) -> None:
        """Wait until a process is ready or has ended, or its servers stay away."""
        installed, ends_at = self.city.installed, time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends_at and installed.processes[name].poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if (await installed.http.get(installed.url(name, "/health/ready"))).status_code == httpx.codes.OK:
                    return
            await asyncio.sleep(LOOK_SECONDS)

    async def _reset(self, fault: Fault) -> None:
        """Reset half of the connections again and again."""
        rng, ends_at = random.Random(f"{self.seed} {fault}"), time.monotonic() + fault.seconds
        while time.monotonic() < ends_at:
            self.city.proxy(fault.target).reset(0.5, rng)
            await asyncio.sleep(0.5)

    async def _hole(self, fault: Fault) -> None:
        """Nothing passes for a while; then half of the connections turn out to be dead."""
        proxy = self.city.proxy(fault.target)
        proxy.hold()
        await asyncio.sleep(fault.seconds)
        proxy.reset(0.5, random.Random(f"{self.seed} {fault}"))
        proxy.release()

    async def _join(self, fault: Fault) -> None:
        """A replica joins, works for a while, and leaves in order or dies."""
        installed, name = self.city.installed, f"{fault.target}-2"
        installed.start(fault.target, name)
        await self._up_or_down(name)
        await asyncio.sleep(fault.seconds)
        if fault.kind is Kind.DIE:
            installed.kill(name)
        else:
            await asyncio.to_thread(installed.terminate, name)
        del installed.processes[name]

    async def _zombie(self, fault: Fault) -> None:
        """While a replica works, the service itself is stopped for longer than its group waits for it."""
        installed, name = self.city.installed, f"{fault.target}-2"
        installed.start(fault.target, name)
        await self._up_or_down(name)
        await self._pause(fault)
        await asyncio.to_thread(installed.terminate, name)
        del installed.processes[name]
