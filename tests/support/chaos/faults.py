"""Breaking things as a schedule says, and mending everything at the end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.chaos.city import City
from tests.support.chaos.rest import members
from tests.support.chaos.schedule import KAFKA, POSTGRES, Fault, Kind
from tests.support.installation import SERVICES
from tests.support.servers import frozen

LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 20.0
JOIN_SECONDS = 60.0
LEAVE_SECONDS = 60


@dataclass(slots=True)
class Breaker:
    """Inflicts faults on a city. `found` is what no fault may cause, such as a service that ended by itself.

    `seen` is what came of the faults whose point is that the group of a service changes.
    """

    city: City
    seed: int
    found: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    crashes: int = 0
    _stopped: set[str] = field(default_factory=set)
    _busy: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def follow(self, schedule: list[Fault]) -> None:
        """Begin and end each fault at its time, and never two on one target at once, however slow the machine."""
        began = time.monotonic()

        async def at_its_time(fault: Fault) -> None:
            await asyncio.sleep(max(began + fault.at - time.monotonic(), 0))
            async with self._busy[fault.target]:
                await self._inflict(fault)

        await together(at_its_time(fault) for fault in schedule)

    async def heal(self) -> None:
        """Whatever is still broken is mended: everything runs, and everything passes."""
        servers, installed = self.city.servers, self.city.installed
        for proxy in (servers.kafka_proxy, servers.postgres_proxy):
            proxy.release()
        for server in (servers.postgres, servers.kafka):
            if server.pid is None:
                await to_the_end(server.start)
        for name in SERVICES:
            if installed.processes[name].poll() is not None:
                self.found.append(f"{name} ended by itself with status {installed.processes[name].returncode}")
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
            Kind.CROWD: self._crowd,
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
            await to_the_end(server.kill)
            await asyncio.sleep(fault.seconds)
            await to_the_end(server.start)

    async def _pause(self, fault: Fault) -> None:
        servers, installed = self.city.servers, self.city.installed
        server = {KAFKA: servers.kafka, POSTGRES: servers.postgres}.get(fault.target)
        pid = server.pid if server else installed.processes[fault.target].pid
        if pid is not None:  # what does not run cannot be stopped; heal() will find it
            with frozen(pid):
                await asyncio.sleep(fault.seconds)

    async def _crash(self, fault: Fault) -> None:
        """Run the service with a failpoint, start it again whenever it falls, at last start it without."""
        installed, name, ends_at = self.city.installed, fault.target, 0.0
        await self._end(name)
        while not ends_at or time.monotonic() < ends_at:
            installed.start(name, MOTCUA_FAILPOINTS=fault.detail)
            await self._up_or_down(name)
            ends_at = ends_at or time.monotonic() + fault.seconds
            while time.monotonic() < ends_at and installed.processes[name].poll() is None:
                await asyncio.sleep(LOOK_SECONDS)
            self.crashes += installed.processes[name].poll() is not None
        await self._end(name)
        installed.start(name)

    async def _end(self, name: str, *, again: bool = True) -> int:
        """SIGTERM; the exit status. Said `again` for Python that only starts and misses it; one that just ends dies of it."""
        process = self.city.installed.processes[name]
        for second in range(LEAVE_SECONDS):
            if again or second == 0:
                process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return await asyncio.to_thread(process.wait, 1)
        self.city.installed.kill(name)
        self.found.append(f"{name} did not end within {LEAVE_SECONDS} s of SIGTERM")
        return process.returncode

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
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            proxy.reset(0.5, random.Random(f"{self.seed} {fault}"))
            proxy.release()

    async def _add(self, service: str) -> str:
        """A replica more, once its group has it; the name."""
        installed = self.city.installed
        name = next(each for each in (f"{service}-{n}" for n in itertools.count(2)) if each not in installed.processes)
        installed.start(service, name)
        await self._group_becomes(service, lambda size: size >= self._running(service))
        return name

    def _running(self, service: str) -> int:
        """Processes of a service that have not ended and are no zombies."""
        processes = self.city.installed.processes.items()
        each_of = (process for name, process in processes if name.partition("-")[0] == service and name not in self._stopped)
        return sum(process.poll() is None for process in each_of)

    async def _group_becomes(self, service: str, right: Callable[[int], bool], within: float = JOIN_SECONDS) -> int:
        """Wait until the size of a service's group is right; the size seen last, 0 when Kafka did not tell."""
        size, ends_at = 0, time.monotonic() + within
        while time.monotonic() < ends_at:
            size = await members(self.city.installed, service) or 0
            if size and right(size):
                break
            await asyncio.sleep(LOOK_SECONDS)
        return size

    async def _remove(self, name: str, *, dies: bool) -> None:
        """A replica dies, or leaves in order with status 0."""
        installed = self.city.installed
        if dies:
            installed.kill(name)
        elif status := await self._end(name, again=False):
            self.found.append(f"{name} left with status {status}")
        del installed.processes[name]

    async def _join(self, fault: Fault) -> None:
        """A replica joins, works for a while, and leaves in order or dies."""
        name = await self._add(fault.target)
        await asyncio.sleep(fault.seconds)
        await self._remove(name, dies=fault.kind is Kind.DIE)

    async def _zombie(self, fault: Fault) -> None:
        """While a replica works, the service itself is stopped for longer than its group waits for it."""
        service, installed = fault.target, self.city.installed
        name = await self._add(service)
        goes_on_at = time.monotonic() + fault.seconds
        with frozen(installed.processes[service].pid):
            self._stopped.add(service)
            size = await self._group_becomes(service, lambda size: size <= self._running(service), within=fault.seconds)
            moved = 0 < size <= self._running(service)
            await asyncio.sleep(max(goes_on_at - time.monotonic(), 0))
            self._stopped.remove(service)
        self.seen.append(
            f"zombie {service}: " + ("its work went to the replica" if moved else "its group was not seen without it")
        )
        await self._group_becomes(service, lambda size: size >= self._running(service))
        await self._remove(name, dies=False)

    async def _crowd(self, fault: Fault) -> None:
        """Every service gets two replicas, one after the other; they work; one dies, the other leaves in order."""
        rng, sizes, joined = random.Random(f"{self.seed} {fault}"), dict[str, int](), dict[str, list[str]]()

        async def join(service: str) -> None:
            joined[service] = [await self._add(service) for _ in range(2)]
            sizes[service] = await self._group_becomes(service, lambda size: size >= 3)

        async def part(dying: str, leaving: str) -> None:
            await self._remove(dying, dies=True)
            await self._remove(leaving, dies=False)

        await together(join(service) for service in SERVICES)
        self.seen.append("members " + ", ".join(f"{service} {sizes[service]}" for service in SERVICES))
        await asyncio.sleep(fault.seconds)
        await together(part(*rng.sample(joined[service], 2)) for service in SERVICES)


async def together(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """All at once; when one fails, or we are stopped, none goes on alone."""
    async with asyncio.TaskGroup() as tasks:
        for work in works:
            tasks.create_task(work)


async def to_the_end(work: Callable[[], Any]) -> None:
    """Run in a thread, which is waited for even when we are stopped: a server that is being started must not be left alone."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(working)
    finally:
        await asyncio.wait([working])
