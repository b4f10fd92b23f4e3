"""What was refused: why, and for a day the payload itself, sealed, so that it can be tried again under a better mapping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from ormsgpack import packb, unpackb
from pydantic_core import to_json
from uuid_utils.compat import uuid7

from services.intake.hotline.arrivals import Arrival, Taken
from shared.contracts.hotline import EventOutcome
from shared.hotline.payload import LARGEST_PAYLOAD
from shared.persistence.database import Database, Tx
from shared.security.key_file import CipherError
from shared.security.key_ring import KeyRing

SEALED_FOR: Final = timedelta(hours=23, minutes=50)
"""So that a payload is gone within 24 hours, the pause of the job that erases it included."""
KEPT_DAYS: Final = timedelta(days=14)
"""How long is known what became of an event."""
NAME: Final = "hotline"
"""What a sealed payload is called, beside the id of its refusal."""
MOST_SEALED: Final = 5_000
"""Payloads of a source that are kept at a time; of those beyond only why they were refused."""
ROWS_AT_ONCE: Final = 5_000

_WRITE: Final = """
insert into hotline_refusals (id, source, event_id, agency, received_at, door, faults, payload, place)
select u.id, u.source, u.event_id, u.agency, $9, u.door, u.faults::jsonb, u.payload, u.place
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::text[])
  as u(id, source, event_id, agency, door, faults, payload, place) order by u.place, u.id
on conflict (place) where place is not null do nothing returning id
"""
_KEPT: Final = """
select u.source, k.kept from unnest($1::text[]) as u(source) cross join lateral (
  select count(*) as kept from (select from hotline_refusals r where r.source = u.source and r.payload is not null limit $2) r
) k
"""
_ERASE: Final = """
update hotline_refusals set payload = null where id = any(array(
  select id from hotline_refusals where payload is not null and received_at < $1 limit $2 for update skip locked
))
"""
_FORGET: Final = (
    "delete from hotline_events where ctid = any(array(select ctid from hotline_events where received_at < $1 limit $2))",
    "delete from hotline_refusals where id = any(array(select id from hotline_refusals where received_at < $1 limit $2))",
)
_SEALED: Final = """
select id, source, door, payload from hotline_refusals
where source = $1 and payload is not null and received_at > $2 and ($3::uuid is null or id > $3) order by id limit $4
"""
_HOLD: Final = "select true from hotline_refusals where id = $1 and payload is not null for update"
_DROP: Final = "update hotline_refusals set payload = null where id = $1"


Position = tuple[int, int]
"""Of an event: its payload's number, and its own in there."""


class Kept(NamedTuple):
    """A refused payload, opened."""

    id: UUID
    door: str
    payload: bytes
    attributes: dict[str, str]


async def keep_refused(tx: Tx, keys: KeyRing, arrivals: Sequence[Arrival], answers: Sequence[Sequence[Taken]]) -> set[Position]:
    """Write why events were refused. Of several refused events of one payload the first one keeps it.

    Gives the events that were refused before, of records that are read again: they are neither told nor counted twice.
    """
    refused = [[number for number, each in enumerate(taken) if each.outcome is EventOutcome.REFUSED] for taken in answers]
    sources = {arrival.source for arrival, numbers in zip(arrivals, refused, strict=True) if numbers}
    if not sources:
        return set()
    kept = Counter(dict(map(tuple, await tx.driver.fetch(_KEPT, sorted(sources), MOST_SEALED))))
    rows: dict[UUID, tuple[Position, tuple[Any, ...]]] = {}
    for payload, (arrival, numbers) in enumerate(zip(arrivals, refused, strict=True)):
        is_kept = bool(numbers) and len(arrival.payload) <= LARGEST_PAYLOAD and kept[arrival.source] < MOST_SEALED
        kept[arrival.source] += is_kept
        for number in numbers:
            refusal_id: UUID = uuid7()
            row = _row(keys, refusal_id, arrival, answers[payload][number], number, keep=is_kept and number == numbers[0])
            rows[refusal_id] = (payload, number), row
    written = await tx.driver.fetch(_WRITE, *zip(*(row for _, row in rows.values()), strict=True), tx.now)
    new = {row[0] for row in written}
    return {position for refusal_id, (position, _) in rows.items() if refusal_id not in new}


def _row(keys: KeyRing, refusal_id: UUID, arrival: Arrival, taken: Taken, number: int, *, keep: bool) -> tuple[Any, ...]:
    payload = None
    if keep:
        payload = keys.new_case(refusal_id).seal(packb([arrival.payload, dict(arrival.attributes)]), NAME)
    faults = to_json([each._asdict() for each in taken.wrong]).decode()
    place = None if arrival.place is None else f"{arrival.place}:{number}"
    return (
        refusal_id, arrival.source, taken.event_id, arrival.agency, arrival.door.value, faults, payload, place,
    )  # fmt: skip


async def sealed_of(tx: Tx, keys: KeyRing, source: str, after: UUID | None, most: int) -> tuple[list[Kept], UUID | None]:
    """Refused payloads of a source that can still be opened, the oldest first, and the id after which to go on."""
    rows = await tx.driver.fetch(_SEALED, source, tx.now - SEALED_FOR, after, most)
    found = [kept for row in rows if (kept := _opened(keys, row)) is not None]
    return found, rows[-1][0] if len(rows) == most else None


def _opened(keys: KeyRing, row: Any) -> Kept | None:
    try:
        payload, attributes = unpackb(keys.open(row[3], row[0], NAME))
    except CipherError:  # its master key is gone: so is the payload
        return None
    return Kept(row[0], row[2], payload, attributes)


async def hold_payload(tx: Tx, refusal_id: UUID) -> bool:
    """Lock a payload to try it again; False when somebody was quicker."""
    return bool(await tx.driver.fetchval(_HOLD, refusal_id))


async def drop_payload(tx: Tx, refusal_id: UUID) -> None:
    """Erase a payload of which nothing is refused any more."""
    await tx.driver.execute(_DROP, refusal_id)


async def erase_payloads(database: Database) -> None:
    """Erase payloads whose time is up."""
    await _in_parts(database, _ERASE, SEALED_FOR)


async def forget_events(database: Database) -> None:
    """Forget what became of events long ago; ids of that age are not known again."""
    for statement in _FORGET:
        await _in_parts(database, statement, KEPT_DAYS)


async def _in_parts(database: Database, statement: str, age: timedelta) -> None:
    done = f"UPDATE {ROWS_AT_ONCE}"
    while done.endswith(f" {ROWS_AT_ONCE}"):
        async with database.transaction() as tx:
            before: datetime = tx.now - age
            done = await tx.driver.execute(statement, before, ROWS_AT_ONCE)
