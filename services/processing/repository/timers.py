"""When cases must be looked at again, and which are due by their agencies' business clocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.processing.domain.case import Case
from shared.contracts.words import Origin
from shared.persistence.database import Tx

TIMERS_LOCK = 0x54696D65
"""Advisory lock of the one replica that raises timers; it ends with the transaction that holds it."""

# One statement for a whole batch. Rows of `timers` change under the lock of their case only, so none can be waited for.
KEEP = """
with ended as (delete from timers where case_id = any($1::uuid[]))
insert into timers as t (case_id, agency, at, replayed)
select * from unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::boolean[]) order by 1
on conflict (case_id) do update set at = excluded.at
"""
# The agencies that have timers, one step of the index each, however many timers there are.
AGENCIES = """
recursive agencies as (
  (select agency from timers where not replayed order by agency limit 1)
  union all
  select (select t.agency from timers t where not t.replayed and t.agency > a.agency order by t.agency limit 1)
  from agencies a where a.agency is not null
)"""
LIVE = f"""
with {AGENCIES}
select due.case_id, $1::timestamptz as until
from agencies a
cross join lateral (
  select t.case_id, t.at from timers t where not t.replayed and t.agency = a.agency and t.at <= $1 order by t.at limit $2
) due
where not exists (select from agency_clocks c where c.agency = a.agency and c.mode = 'historical')
limit $2
"""
HISTORICAL = """
select due.case_id, c.at as until
from agency_clocks c
cross join (values (false), (true)) as kinds (replayed)
cross join lateral (
  select t.case_id from timers t
  where t.replayed = kinds.replayed and t.agency = c.agency and t.at <= c.at order by t.at limit $1
) due
where c.mode = 'historical'
limit $1
"""
OLDEST = f"""
with {AGENCIES}
select min(due.at) from agencies a
cross join lateral (
  select t.at from timers t where not t.replayed and t.agency = a.agency and t.at <= $1 order by t.at limit 1
) due
where not exists (select from agency_clocks c where c.agency = a.agency and c.mode = 'historical')
"""


async def lead_timers(tx: Tx) -> bool:
    """Whether this transaction is the one that raises timers now; nobody waits for the other."""
    leading: bool = await tx.driver.fetchval("select pg_try_advisory_xact_lock($1)", TIMERS_LOCK)
    return leading


async def keep_timers(tx: Tx, changed: Sequence[tuple[UUID, Case]]) -> None:
    """Keep, for these (locked) cases, when they must be looked at again."""
    if not changed:
        return
    ended = [case_id for case_id, case in changed if case.timer_at is None]
    rows = [
        (case_id, case.agency, case.timer_at, case.origin == Origin.REPLAY.value)
        for case_id, case in changed
        if case.timer_at is not None
    ]
    columns = zip(*rows, strict=True) if rows else ((), (), (), ())
    await tx.driver.execute(KEEP, ended, *columns)


async def find_due(tx: Tx, until: datetime, limit: int) -> dict[UUID, datetime]:
    """Cases that are due in the agencies of today, each with the time up to which its facts may be stated."""
    return dict(map(tuple, await tx.driver.fetch(LIVE, until, limit)))


async def find_due_in_history(tx: Tx, limit: int) -> dict[UUID, datetime]:
    """The same in the agencies whose business clocks stand in the past, replayed cases among them."""
    return dict(map(tuple, await tx.driver.fetch(HISTORICAL, limit)))


async def find_oldest_due(tx: Tx, until: datetime) -> datetime | None:
    """When the oldest timer that is due and was not raised yet fell due, in the agencies of today."""
    oldest: datetime | None = await tx.driver.fetchval(OLDEST, until)
    return oldest
