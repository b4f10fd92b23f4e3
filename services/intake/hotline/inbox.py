"""Which events of a source were taken already: one row each, which is also the log of what became of them.

A refused event leaves no row here, so that it may be sent again when what it needs has come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from shared.persistence.database import Tx

EventKey = tuple[str, str]
"""A source, and its id of an event."""

_CLAIM: Final = """
insert into hotline_events (source, event_id, agency, received_at, occurred_at, door, type, outcome, note)
select source, event_id, agency, $9, occurred_at, door, type, outcome, note
from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[])
  as u(source, event_id, agency, occurred_at, door, type, outcome, note)
order by source, event_id on conflict do nothing returning source, event_id
"""
_KNOWN: Final = """
select source, event_id, case_id from unnest($1::text[], $2::text[]) as u(source, event_id)
join hotline_events using (source, event_id)
"""
_SETTLE: Final = """
update hotline_events e set outcome = u.outcome, case_id = u.case_id, note = u.note
from unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::text[]) as u(source, event_id, outcome, case_id, note)
where e.source = u.source and e.event_id = u.event_id
"""
_GIVE_BACK: Final = """
delete from hotline_events e using unnest($1::text[], $2::text[]) as u(source, event_id)
where e.source = u.source and e.event_id = u.event_id
"""


class Claim(NamedTuple):
    """An event as it is written when it is new."""

    source: str
    event_id: str
    agency: str
    occurred_at: datetime
    door: str
    type: str | None
    outcome: str
    note: str | None


async def claim(tx: Tx, claims: Sequence[Claim]) -> set[EventKey]:
    """Write the events that are not known yet; their keys. Waits for a transaction that takes the same ones."""
    rows = await tx.driver.fetch(_CLAIM, *zip(*claims, strict=True), tx.now) if claims else ()
    return {(row[0], row[1]) for row in rows}


async def find_known(tx: Tx, keys: Iterable[EventKey]) -> dict[EventKey, UUID | None]:
    """The cases of events that were taken before."""
    wanted = sorted(set(keys))
    rows = await tx.driver.fetch(_KNOWN, *zip(*wanted, strict=True)) if wanted else ()
    return {(row[0], row[1]): row[2] for row in rows}


async def settle(tx: Tx, rows: Sequence[tuple[str, str, str, UUID | None, str | None]]) -> None:
    """Write what came of events that this transaction claimed: source, id, outcome, case and note."""
    if rows:
        await tx.driver.execute(_SETTLE, *zip(*rows, strict=True))


async def give_back(tx: Tx, keys: Sequence[EventKey]) -> None:
    """Forget events that this transaction claimed and could not take."""
    if keys:
        await tx.driver.execute(_GIVE_BACK, *zip(*keys, strict=True))
