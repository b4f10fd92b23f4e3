"""The newest calendar that processing stated, and how far working time was measured again since.

A batch that measures holds the row shared until it commits; the batch that brings a newer calendar waits for it. So whatever
was measured by the older one is there when measuring again begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.metrics.domain.calendars import Calendars
from shared.contracts.events import CalendarChanged
from shared.persistence.database import Tx

HOLD = "select revision from calendar_in_force for share"
BODY = "select body from calendar_in_force"
SET = """
update calendar_in_force set revision = $1, body = $2, after = null, measured = $3 where revision < $1
"""
SWEEP = "select revision, measured, after from calendar_in_force"
GO_ON = "update calendar_in_force set after = $1, measured = $2 where revision = $3"
RESOLVED = """
select case_id from cases where case_id > $1 and resolved_at is not null and received_at is not null order by case_id limit $2
"""
SWEEP_LOCK = 0x43616C65
FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Sweep:
    """`measured`: every resolved case is measured by `revision`; `after` is the last one that was."""

    revision: int
    measured: bool
    after: UUID | None


async def hold_calendars(tx: Tx) -> int:
    """Keep the calendar as it is until this transaction ends; give its revision."""
    revision: int = await tx.driver.fetchval(HOLD)
    return revision


async def read_calendars(tx: Tx) -> Calendars:
    """The calendar as it stands."""
    body = await tx.driver.fetchval(BODY)
    return Calendars() if body is None else Calendars.stated(CalendarChanged.model_validate_json(body))


async def set_calendars(tx: Tx, event: CalendarChanged) -> None:
    """Take a newer calendar; an older one says nothing new. Where it counts otherwise, everything is measured again."""
    same = (await read_calendars(tx)).counts_like(Calendars.stated(event)) and (await read_sweep(tx)).measured
    await tx.driver.execute(SET, event.revision, event.model_dump_json(), same)


async def lead_measuring(tx: Tx) -> bool:
    """Whether this transaction is the one that measures again; nobody waits for the other."""
    leads: bool = await tx.driver.fetchval("select pg_try_advisory_xact_lock($1)", SWEEP_LOCK)
    return leads


async def read_sweep(tx: Tx) -> Sweep:
    """How far it is."""
    return Sweep(*await tx.driver.fetchrow(SWEEP))


async def go_on(tx: Tx, revision: int, after: UUID | None, *, measured: bool) -> None:
    """Remember how far it is, unless a newer calendar has come."""
    await tx.driver.execute(GO_ON, after, measured, revision)


async def find_resolved(tx: Tx, after: UUID | None, limit: int) -> list[UUID]:
    """Cases with a turnaround, in the order of their ids."""
    return [row[0] for row in await tx.driver.fetch(RESOLVED, after or FIRST, limit)]
