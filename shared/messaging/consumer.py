"""The consumer: one batch, one transaction (ARCHITECTURE §4). At-least-once transport, exactly-once effect.

Transient failures wait inside the handler, in the group, with back-off. A permanent failure is bisected to the offending
record, which is parked with what follows for its case; its neighbours go on.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from shared.contracts.topics import Topic, group_of
from shared.messaging.delivery import Decode, Decoder, Delivery, Fault, Unwanted
from shared.messaging.memory import Memory, drop_known, is_old
from shared.messaging.parking import Parking, ParkLimitReachedError, Place, behind, place_of, poison
from shared.messaging.recent import Recent
from shared.observability.metrics import Outcomes, PipelineMetrics
from shared.observability.progress import Progress
from shared.persistence.errors import is_transient
from shared.persistence.work import Store, Work

S = TypeVar("S")
Handle = Callable[[Work[Any], Sequence[Delivery]], Awaitable[None]]

FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0
log = structlog.get_logger()


def _waits() -> Iterator[float]:
    """Seconds to wait before each next attempt: doubled, with jitter."""
    wait = FIRST_WAIT
    while True:
        yield wait * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not a secret
        wait = min(wait * 2, LONGEST_WAIT)


class Consumer(Generic[S]):
    """Takes one topic for one service. `handle` runs inside the batch's transaction and must be repeatable."""

    def __init__(
        self,
        *,
        service: str,
        topic: Topic,
        prefix: str,
        wanted: Mapping[str, Decode],
        store: Store[S],
        handle: Handle,
        metrics: PipelineMetrics,
        memory: Memory = Memory.SEQUENCE,
        hear_all: bool = False,
        unknown: Decode | None = None,
        park_limit: int = 100,
    ) -> None:
        self.topic, self.name = topic, f"{prefix}{topic.name}"
        self.group = f"{prefix}{group_of(service, topic)}"
        self.progress = Progress(f"consumer {self.group}")
        self.running = asyncio.Lock()
        self.client: Callable[[], AIOKafkaConsumer | None] = lambda: None
        self.lost: Callable[[], bool] = lambda: False
        self.oldest: dict[int, float] = {}
        self.park_limit_reached = False
        self._decoder = Decoder(wanted, hear_all=hear_all, ordered=memory is Memory.SEQUENCE, unknown=unknown)
        # strangers may send bad commands only, and stop nobody by it; bad facts alone mean that we are wrong
        recent = None if memory is Memory.INBOX else Recent()
        self._parking = Parking(self.group, topic.name, topic.dead_letters, park_limit, recent)
        self._store, self._handle, self._memory, self._metrics = store, handle, memory, metrics
        # where only the last value holds, nothing waits behind a parked one: it may be the tombstone that erases it
        self.holds = memory is not Memory.LATEST
        self.ordered = memory is Memory.SEQUENCE

    async def take(self, records: Sequence[ConsumerRecord]) -> None:
        """Take a batch to the end: when this returns, everything is committed or parked."""
        await self.take_read(records, [self.read(record) for record in records])

    async def take_read(self, records: Sequence[ConsumerRecord], read: Sequence[Delivery | Fault | Unwanted]) -> None:
        """Take records that were read."""
        items = [item for item in read if not isinstance(item, Unwanted)]
        if len(items) < len(read):
            skipped = Counter(item.type for item in read if isinstance(item, Unwanted))
            self._metrics.count(self.group, {(kind, "skipped"): number for kind, number in skipped.items()})
        async with self.running:
            self.oldest = {record.partition: record.timestamp / 1000 for record in reversed(records)}
            if items:
                await self._settle(items)
            self.oldest = {}
        self.progress.beat()

    async def _settle(self, items: list[Delivery | Fault]) -> None:
        """Take these items; on a permanent failure halve them, down to the one record that is at fault."""
        try:
            await self._wait_out(items)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises that is not transient is permanent
            if len(items) == 1:
                await self._park(items[0], error)
                return
            middle = len(items) // 2
            await self._settle(items[:middle])
            await self._settle(items[middle:])

    async def _park(self, item: Delivery | Fault, error: Exception) -> None:
        """Park one record; at the park limit stand still and try the record itself again, until the fault is mended."""
        waits = _waits()
        while True:
            fault = poison(item, error, holds=self.holds) if isinstance(item, Delivery) else item
            try:
                await self._wait_out([fault])
            except Exception as refused:  # noqa: BLE001 - a record that can be neither taken nor parked must not be left
                self.park_limit_reached = isinstance(refused, ParkLimitReachedError)
                await self._rest(next(waits), type(refused).__name__)
            else:
                log.warning("record parked", group=self.group, reason=fault.reason, detail=fault.detail, exc_info=error)
                return
            try:
                await self._wait_out([item])
            except Exception as again:  # noqa: BLE001 - still at fault
                error = again
            else:
                return

    async def _wait_out(self, items: list[Delivery | Fault]) -> None:
        """Attempt until it works or fails for good; the wait doubles, and the group membership stays alive meanwhile."""
        for wait in _waits():
            try:
                counts = await self._attempt(items)
            except Exception as error:
                if not is_transient(error):
                    raise
                await self._rest(wait, type(error).__name__)
            else:
                self.park_limit_reached = False
                self._metrics.count(self.group, counts)
                self.progress.beat()
                return

    async def _rest(self, seconds: float, error: str) -> None:
        log.warning("batch waits", group=self.group, seconds=round(seconds, 1), error=error)
        self.progress.beat()
        await asyncio.sleep(seconds)

    async def _attempt(self, items: list[Delivery | Fault]) -> Outcomes:
        async with self._store.open(item.case_id for item in items if item.case_id is not None) as work:
            faults = [item for item in items if isinstance(item, Fault)]
            parked = await self._parking.park(work, faults)
            ready, waiting = self._divert(work, await self._parking.drop_discarded(work, items), parked)
            fresh = await self.apply(work, ready)
            if not self.holds:
                await self._parking.supersede(work, fresh)
            parked |= await self._parking.park(work, waiting)
            done = Counter([delivery.envelope.type for delivery in fresh])
        self._parking.count(len(items) - len(parked), faults, parked)
        counts = {(kind, "done"): number for kind, number in done.items()}
        return counts | {("other", "parked"): len(parked), ("other", "duplicate"): len(items) - len(fresh) - len(parked)}

    def read(self, record: ConsumerRecord) -> Delivery | Fault | Unwanted:
        """Understand one record, as this consumer does."""
        return self._decoder.read(record)

    async def apply(self, work: Work[Any], deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Take what is new of these, inside the transaction of `work`; give it."""
        fresh = await drop_known(self._memory, work, deliveries)
        if fresh:
            await self._handle(work, fresh)
        return fresh

    def _divert(
        self, work: Work[Any], items: Sequence[Delivery | Fault], parked: set[Place]
    ) -> tuple[list[Delivery], list[Fault]]:
        """Good records of a case with a parked one before them go behind it; those taken long ago are no news."""
        newly = Counter(item.case_id for item in items if place_of(item.record) in parked) if parked else Counter()
        stopped = [case_id for case_id, locked in work.cases.items() if locked.stream.parked] if self.holds else []
        blocked = {case_id for case_id in stopped if work.cases[case_id].stream.parked > newly[case_id]}
        ready: list[Delivery] = []
        waiting: list[Fault] = []
        for item in items:
            if isinstance(item, Fault):
                if item.case_id is not None and place_of(item.record) in parked:
                    blocked.add(item.case_id)
            elif item.case_id in blocked and not self._is_known(work, item):
                waiting.append(behind(item))
            else:
                ready.append(item)
        return ready, waiting

    def _is_known(self, work: Work[Any], delivery: Delivery) -> bool:
        if self._memory is not Memory.SEQUENCE or delivery.case_id is None:
            return False
        return is_old(work.cases[delivery.case_id].stream, delivery)
