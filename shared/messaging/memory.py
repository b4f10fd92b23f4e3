"""How a consumer knows what it has taken already: sequences for events, an inbox for what comes from outside."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from shared.contracts.envelope import Envelope
from shared.messaging.delivery import Delivery
from shared.persistence.bulk import add_new, insert_rows, table_of
from shared.persistence.work import Store, Stream, Work

KEPT = timedelta(days=14)
LARGEST_GAP = 10_000
"""More missing events of one case than this is no loss on the way but a wrong number."""


class SequenceError(ValueError):
    """A sequence number so far ahead that it cannot be right."""


class Memory(Enum):
    """What tells a duplicate from a new record."""

    SEQUENCE = "sequence"
    """Events: at most the case's last number from that source is known."""
    INBOX = "inbox"
    """Commands: (source, id) was seen before."""
    LATEST = "latest"
    """Compacted topics: the last value per key holds; taking one again changes nothing."""


async def drop_known(memory: Memory, work: Work[Any], deliveries: Sequence[Delivery]) -> list[Delivery]:
    """The deliveries that are new, in order; the others were taken before."""
    if memory is Memory.SEQUENCE:
        return await _unheard(work, deliveries)
    if memory is Memory.INBOX:
        return await _unclaimed(work, deliveries)
    return list(deliveries)


@functools.lru_cache(64)
def _heard(source: str) -> str:
    return f"heard_{source.lstrip('/')}"


async def _unheard(work: Work[Any], deliveries: Sequence[Delivery]) -> list[Delivery]:
    late = await _late_ones(work, deliveries)
    fresh, gaps = [], []
    for delivery in deliveries:
        if delivery.case_id is None:  # keyed by an agency: the handler compares the sequence under the agency's own lock
            fresh.append(delivery)
            continue
        stream, envelope = work.cases[delivery.case_id].stream, delivery.envelope
        name, sequence = _heard(envelope.source), envelope.sequence
        last: int = getattr(stream, name)
        if sequence > last:
            if sequence - last > LARGEST_GAP:
                raise SequenceError(f"ce_sequence {sequence} after {last}")
            if sequence - last > 1:
                gaps += [(delivery.case_id, envelope.source, number) for number in range(last + 1, sequence)]
            setattr(stream, name, sequence)
            fresh.append(delivery)
        elif (place := (delivery.case_id, envelope.source, sequence)) in late:
            late.discard(place)
            fresh.append(delivery)
        elif place in gaps:
            gaps.remove(place)
            fresh.append(delivery)
    if work.store.missing is not None:
        await insert_rows(work.tx, work.store.missing, gaps, ("case_id", "source", "sequence"))
    return fresh


async def _late_ones(work: Work[Any], deliveries: Sequence[Delivery]) -> set[tuple[UUID, str, int]]:
    """Of the numbers that are not above the last heard, those that were remembered as missing; they are forgotten here."""
    if work.store.missing is None:
        return set()
    places = [
        (d.case_id, d.envelope.source, d.envelope.sequence)
        for d in deliveries
        if d.case_id and is_old(work.cases[d.case_id].stream, d)
    ]
    if not places:
        return set()
    rows = await work.tx.driver.fetch(
        f"delete from {table_of(work.store.missing).name} m using unnest($1::uuid[], $2::text[], $3::int[]) u(c, s, n) "
        "where m.case_id = u.c and m.source = u.s and m.sequence = u.n returning m.case_id, m.source, m.sequence",
        *map(list, zip(*places, strict=True)),
    )
    return {(row[0], row[1], row[2]) for row in rows}


def is_old(stream: Stream, delivery: Delivery) -> bool:
    """Whether this number, or a later one, was heard from that source before."""
    heard: int = getattr(stream, _heard(delivery.envelope.source))
    return delivery.envelope.sequence <= heard


def pass_over(stream: Stream, envelope: Envelope) -> None:
    """A fact that is given up counts as heard if it is the next one: what comes later is no gap then."""
    name = _heard(envelope.source)
    if hasattr(stream, name) and envelope.sequence == getattr(stream, name) + 1:
        setattr(stream, name, envelope.sequence)


async def claim(work: Work[Any], ids: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Write (source, id) pairs into the inbox; those that were not there yet are ours."""
    if work.store.inbox is None:
        raise TypeError(f"{work.store.service} has no inbox")
    pairs = sorted(set(ids))
    key = ("source", "id")
    return {(row[0], row[1]) for row in await add_new(work.tx, work.store.inbox, pairs, key, key)}


async def forget_old(store: Store[Any]) -> None:
    """Delete what the inbox has kept for 14 days; a command recorded earlier is refused anyway."""
    if store.inbox is not None:
        async with store.database.transaction() as tx:
            await tx.driver.execute(f"delete from {table_of(store.inbox).name} where seen_at < $1", tx.now - KEPT)


async def _unclaimed(work: Work[Any], deliveries: Sequence[Delivery]) -> list[Delivery]:
    ours = await claim(work, ((d.envelope.source, d.envelope.id) for d in deliveries))
    fresh = []
    for delivery in deliveries:
        pair = (delivery.envelope.source, delivery.envelope.id)
        if pair in ours:
            ours.discard(pair)
            fresh.append(delivery)
    return fresh
