"""Tickets that became feedback cases: which case a ticket is, and which tickets concern one matter."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from services.intake.hotline.orders import Place
from shared.persistence.database import Tx

SAME_WITHIN: Final = timedelta(days=30)
"""How long a matter's first ticket gathers those that follow."""

TicketKey = tuple[str, str]
"""A source, and its id of a ticket."""
MatterKey = tuple[str, bytes]
"""An agency, and the HMAC of what is equal in tickets of one matter."""

_FIND: Final = """
select source, ticket_id, case_id, agency from unnest($1::text[], $2::text[]) as u(source, ticket_id)
join tickets using (source, ticket_id)
"""
_LOCK: Final = "select pg_advisory_xact_lock(key) from (select distinct unnest($1::bigint[]) as key order by 1) keys"
_FIRST: Final = """
select u.agency, u.matter_key, t.case_id from unnest($1::text[], $2::bytea[]) as u(agency, matter_key)
cross join lateral (
  select case_id from tickets t where t.agency = u.agency and t.matter_key = u.matter_key and t.opened_at > $3
  order by opened_at, case_id limit 1
) t
"""
_WRITE: Final = """
insert into tickets (source, ticket_id, case_id, agency, matter_key, opened_at)
select source, ticket_id, case_id, agency, matter_key, $6
from unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::bytea[]) as u(source, ticket_id, case_id, agency, matter_key)
order by source, ticket_id
"""


class Ticket(NamedTuple):
    """A ticket whose case is new."""

    source: str
    ticket_id: str
    case_id: UUID
    agency: str
    matter_key: bytes | None

    @property
    def matter(self) -> MatterKey | None:
        """What it has in common with others, None when that is not known."""
        return None if self.matter_key is None else (self.agency, self.matter_key)


async def find_tickets(tx: Tx, keys: Collection[TicketKey]) -> dict[TicketKey, Place]:
    """The cases of these tickets; a ticket that nobody has seen is left out."""
    rows = await tx.driver.fetch(_FIND, *zip(*keys, strict=True)) if keys else ()
    return {(row[0], row[1]): Place(row[2], row[3]) for row in rows}


async def keep_tickets(tx: Tx, tickets: Sequence[Ticket]) -> dict[UUID, UUID]:
    """Write new tickets; which earlier case each one's matter began with, where it is not the first.

    Two transactions with tickets of one matter wait for each other here, or both would take theirs for the first.
    """
    if not tickets:
        return {}
    matters = {matter for ticket in tickets if (matter := ticket.matter) is not None}
    first = await _first_of(tx, sorted(matters), tx.now - SAME_WITHIN) if matters else {}
    same: dict[UUID, UUID] = {}
    for ticket in tickets:
        if ticket.matter is not None:
            begun = first.setdefault(ticket.matter, ticket.case_id)
            if begun != ticket.case_id:
                same[ticket.case_id] = begun
    await tx.driver.execute(_WRITE, *zip(*tickets, strict=True), tx.now)
    return same


async def _first_of(tx: Tx, matters: Sequence[MatterKey], since: datetime) -> dict[MatterKey, UUID]:
    await tx.driver.fetch(_LOCK, [int.from_bytes(key[:8], "big", signed=True) for _, key in matters])
    rows = await tx.driver.fetch(_FIRST, *zip(*matters, strict=True), since)
    return {(row[0], bytes(row[1])): row[2] for row in rows}
