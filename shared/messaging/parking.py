"""Where a consumer puts what it cannot take: its own `parked` table, with a copy to the topic's `.dlq`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from aiokafka import ConsumerRecord
from ormsgpack import packb
from uuid_utils.compat import uuid7

from shared.contracts.topics import CASE_COMMANDS, CASE_PRIVATE, HOTLINE_EVENTS
from shared.contracts.words import Lane
from shared.messaging.delivery import BAD_BODY, BAD_HEADER, Delivery, Fault
from shared.messaging.recent import Recent
from shared.persistence.bulk import insert_new, table_of
from shared.persistence.parked import list_discarded, supersede
from shared.persistence.work import Work

Item = TypeVar("Item", bound=Delivery | Fault)

COLUMNS = (
    "id", "consumer_group", "topic", "partition", "position", "key", "headers", "payload", "case_id", "type", "reason", "detail",
)  # fmt: skip
BEHIND, HANDLER = "behind", "handler_error"
WINDOW = timedelta(minutes=10)
COPIED_BYTES = 900_000
"""The largest copy: headers of its own make it larger than the record was, and a broker takes a megabyte."""

Place = tuple[int, int]
"""Partition and offset of a record in its topic."""


def place_of(record: ConsumerRecord) -> Place:
    """Where a record stands in its topic."""
    return record.partition, record.offset


def is_left_out(topic: str, reason: str) -> bool:
    """Whether nothing but the place of a record is kept: a stranger's command that could not be read may hold anything.

    Such as an officer's note, which an erasure must reach; and what a call centre sends holds what citizens said, in headers and
    key too. What it was can be read in the topic itself, while that keeps it.
    """
    if topic == HOTLINE_EVENTS.name:
        return True
    return topic == CASE_COMMANDS.name and reason in {BAD_HEADER, BAD_BODY}


class ParkLimitReachedError(Exception):
    """So many records were parked that the consumer itself must be wrong: it waits instead of parking more."""


def behind(delivery: Delivery) -> Fault:
    """A good record of a case that has a parked one: it waits its turn."""
    return Fault(delivery.record, delivery.envelope.type, BEHIND, "follows a parked record of its case", delivery.case_id)


def poison(delivery: Delivery, error: Exception, *, holds: bool) -> Fault:
    """A record that was understood and could not be taken; `holds` says whether what follows for its case must wait."""
    case_id = delivery.case_id if holds else None
    return Fault(delivery.record, delivery.envelope.type, *handler_fault(error), case_id)


def handler_fault(error: Exception) -> tuple[str, str]:
    """Reason and detail of a failure that is the record's own; never the error's text, which may repeat the input."""
    return HANDLER, type(error).__name__


class Parking:
    """Parks records of one group, up to a limit in ten minutes: a number, and with `recent` also a share of what was read.

    Without `recent` strangers write the topic: what cannot be read is their fault, and only our handler's failures count.
    """

    def __init__(self, group: str, topic: str, dead_letters: str, limit: int, recent: Recent | None = None) -> None:
        self.group, self.topic, self.dead_letters, self.limit, self.recent = group, topic, dead_letters, limit, recent
        self._counted = (HANDLER,) if recent is None else (HANDLER, BAD_HEADER, BAD_BODY)

    async def park(self, work: Work[Any], faults: list[Fault]) -> set[Place]:
        """Park these records inside the batch's transaction; give the places of those that were not parked before.

        Raises:
            ParkLimitReachedError: The limit is passed; the transaction must not commit.
        """
        if not faults:
            return set()
        rows = [self._row(fault) for fault in faults]
        new: set[Place] = {
            (row[0], row[1]) for row in await insert_new(work.tx, work.store.parked, rows, COLUMNS, ("partition", "position"))
        }
        if poisoned := sum(fault.reason in self._counted and place_of(fault.record) in new for fault in faults):
            await self._check(work, poisoned)
        for fault in faults:
            if place_of(fault.record) in new:
                if fault.case_id in work.cases:
                    work.cases[fault.case_id].stream.parked += 1
                self._copy(work, fault)
        return new

    async def drop_discarded(self, work: Work[Any], items: Sequence[Item]) -> list[Item]:
        """Without the records that were given up for good: when offsets go back they come again, and may be readable now."""
        first = min(item.record.offset for item in items)
        discarded = await list_discarded(work.tx, work.store.parked, self.group, first)
        return [item for item in items if place_of(item.record) not in discarded] if discarded else list(items)

    async def supersede(self, work: Work[Any], taken: Sequence[Delivery]) -> None:
        """Where only the last value of a key holds, a parked one before it must not come back, nor be kept."""
        newest = {delivery.record.key: delivery.record.offset for delivery in taken}
        if newest:
            await supersede(work.tx, work.store.parked, self.group, newest)

    def count(self, taken: int, faults: Iterable[Fault], new: set[Place]) -> None:
        """Remember what became of a batch, once it is committed."""
        if self.recent is not None:
            self.recent.add(taken, sum(fault.reason != BEHIND and place_of(fault.record) in new for fault in faults))

    async def _check(self, work: Work[Any], poisoned: int) -> None:
        if self.recent is not None and self.recent.is_mostly_parked(poisoned):
            raise ParkLimitReachedError("most of what was read in ten minutes is parked")
        table = table_of(work.store.parked).name
        recent = await work.tx.driver.fetchval(
            f"select count(*) from {table} where consumer_group = $1 and parked_at > $2 and reason = any($3) "
            "and state = 'parked'",
            self.group, work.now - WINDOW, self._counted,
        )  # fmt: skip
        if recent > self.limit:
            raise ParkLimitReachedError(f"{recent} records parked in ten minutes, limit {self.limit}")

    def _row(
        self, fault: Fault
    ) -> tuple[UUID, str, str, int, int, bytes | None, bytes, bytes | None, UUID | None, str, str, str]:
        record, bare = fault.record, self.topic == HOTLINE_EVENTS.name
        key, headers = (None, packb([])) if bare else (record.key, packb(list(record.headers)))
        value = None if is_left_out(self.topic, fault.reason) else record.value
        return (
            uuid7(), self.group, self.topic, record.partition, record.offset, key, headers, value, fault.case_id,
            fault.type, fault.reason, fault.detail,
        )  # fmt: skip

    def _copy(self, work: Work[Any], fault: Fault) -> None:
        """The record as it was; one that is private, may be, or is too large to be sent again, is named by its place.

        An erasure would not reach the copy.
        """
        record: ConsumerRecord = fault.record
        key, headers, value = record.key or b"", list(record.headers), record.value
        size = len(key) + len(value or b"") + sum(len(name) + len(each or b"") for name, each in headers)
        if size > COPIED_BYTES or self.topic == CASE_PRIVATE.name or is_left_out(self.topic, fault.reason):
            key = b"" if self.topic == HOTLINE_EVENTS.name else key[:64]
            headers, value = [("dlq_left_out", str(size).encode())], None
        headers += [
            ("dlq_group", self.group.encode()),
            ("dlq_reason", fault.reason.encode()),
            ("dlq_detail", fault.detail.encode()),
            ("dlq_place", f"{record.partition}:{record.offset}".encode()),
        ]
        work.put(self.dead_letters, key, headers, value, Lane.INTERACTIVE)
