"""The moving parts of one service process, and their life: wait, migrate, start, watch, drain."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from faststream.kafka import KafkaBroker
from prometheus_client import CollectorRegistry

from shared.contracts.topics import CASE_EVENTS
from shared.messaging.consumer import Consumer
from shared.messaging.kafka import DRAIN_SECONDS, make_broker, make_producer
from shared.messaging.lag import DownstreamLag
from shared.messaging.memory import forget_old
from shared.messaging.relay import Relay
from shared.messaging.subscribe import subscribe
from shared.observability.metrics import PipelineMetrics, make_registry
from shared.observability.progress import Progress
from shared.persistence.database import Database
from shared.persistence.errors import is_transient
from shared.persistence.migrate import migrate
from shared.persistence.work import Store
from shared.service.jobs import Job
from shared.service.personal import Personal
from shared.service.watch import broker_fault, watch_consumers, watch_tables
from shared.settings import ServiceSettings

FIRST_WAIT, LONGEST_WAIT = 0.5, 3.0
WATCH_SECONDS = 2.0
FORGET_SECONDS = 3600.0
log = structlog.get_logger()
CLOSE_SECONDS = 2.0


@dataclass(slots=True)
class Runtime:
    """One service process. `consumers` and `jobs` are added by the service's `create_app` before it starts."""

    service: str
    settings: ServiceSettings
    migrations: Path
    database: Database = field(init=False)
    registry: CollectorRegistry = field(init=False)
    pipeline: PipelineMetrics = field(init=False)
    broker: KafkaBroker = field(init=False)
    store: Store[Any] | None = None
    relay: Relay | None = None
    downstream: DownstreamLag | None = None
    consumers: list[Consumer[Any]] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    closing: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    personal: Personal = field(default_factory=Personal)
    migrated: bool = False
    connected: bool = False
    kafka_fault: str | None = None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.database = Database(self.settings, self.service)
        self.registry = make_registry()
        self.pipeline = PipelineMetrics(self.registry)
        self.broker = make_broker(self.settings, self.service)

    def use(self, store: Store[Any], *, readers: tuple[str, ...] = ()) -> None:
        """Keep cases in this store, and relay its outbox; `readers` are the services whose lag holds back the bulk lane."""
        self.store = store
        self.downstream = DownstreamLag(self.settings, self.service, CASE_EVENTS, readers)
        self.relay = Relay(
            self.database,
            store.outbox,
            lambda: make_producer(self.settings, self.service),
            self.settings.topic_prefix,
            self.downstream.room,
            self.downstream.sent,
        )
        store.on_commit = self.relay.wake
        if store.inbox is not None:
            self.jobs.append(Job("forget old commands", FORGET_SECONDS, lambda: forget_old(store)))

    def consume(self, consumer: Consumer[Any]) -> None:
        """Register a consumer on the broker."""
        subscribe(self.broker, consumer)
        self.consumers.append(consumer)

    @property
    def loops(self) -> list[Progress]:
        """Everything that must keep moving."""
        relay = [self.relay.progress] if self.relay and self.migrated else []
        jobs = [job.progress for job in self.jobs] if self.migrated else []
        consumers = [consumer.progress for consumer in self.consumers] if self.connected else []
        return [*relay, *jobs, *consumers]

    async def start(self) -> None:
        """Begin; returns at once. PostgreSQL and Kafka may come later."""
        self._spawn(self._begin())

    async def _begin(self) -> None:
        await self._until_done("PostgreSQL", self._migrate)
        if self.relay:
            self._spawn(self.relay.run())
        watch = Job("watch", WATCH_SECONDS, self._watch)
        self.jobs.append(watch)
        for job in self.jobs:
            self._spawn(job.loop())
        await self._until_done("Kafka", self._connect)

    async def _migrate(self) -> None:
        await migrate(self.database, self.migrations)
        self.migrated = True
        log.info("database ready")

    async def _connect(self) -> None:
        try:
            await self.broker.start()
        except BaseException:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self.broker.stop(), 5)
            raise
        self.connected = True
        log.info("consumers started", groups=[consumer.group for consumer in self.consumers])

    @staticmethod
    async def _until_done(what: str, step: Callable[[], Awaitable[None]]) -> None:
        wait = FIRST_WAIT
        while True:
            try:
                return await step()
            except Exception as error:  # noqa: BLE001 - whatever is wrong may be put right while we wait
                report = log.info if is_transient(error) else log.error
                report(
                    "waiting",
                    for_=what,
                    seconds=wait,
                    error=type(error).__name__,
                    exc_info=None if is_transient(error) else error,
                )
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)

    async def _watch(self) -> None:
        await watch_consumers(self.consumers, self.pipeline)
        self.kafka_fault = await broker_fault(self.consumers)
        if self.store:
            await watch_tables(self.store, self.pipeline)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def stop(self) -> None:
        """Drain: no new records, the running batch to its end, what was committed to Kafka if it answers."""
        for close in self.closing:
            await within(DRAIN_SECONDS, close())
        await within(DRAIN_SECONDS, self.broker.stop())
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)
        if self.downstream:
            await within(CLOSE_SECONDS, self.downstream.close())
        await within(CLOSE_SECONDS, self.database.close())
        log.info("stopped")


async def within(seconds: float, work: Awaitable[Any]) -> None:
    """Wait for work, and not longer: what fails is over, and what does not let itself be cancelled is left behind.

    `asyncio.wait_for` would wait for the cancellation, too, and a client that is cut off from its server may never notice one.
    """
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        task.cancel()
        log.warning("left behind at the stop", what=getattr(work, "__qualname__", type(work).__name__))
    elif not task.cancelled() and (error := task.exception()):
        log.warning("failed at the stop", error=type(error).__name__)
