"""The calendar's tables: the days, the counter hours, the number of the last change, and how far cases were counted again.

Whoever decides holds the state row shared until the end of its transaction, after its cases' locks; whoever changes the
calendar holds it alone. So every decision under the old days is committed before the change is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from services.processing.domain.almanac import Almanac
from services.processing.domain.recalculation import OPEN
from services.processing.tables import CalendarDayRow, CounterHoursRow
from shared.calendar import CalendarDay, DayKind, DayStatus, parse_hours
from shared.persistence.bulk import insert_rows
from shared.persistence.database import Tx

SWEEP_LOCK = 0x43616C65
FIRST = UUID(int=0)
EVERYBODY = "*"
"""The agency of the counter hours that hold where no others do."""

HOLD = "select revision, changed_at from calendar_state for share"
# Sharers of a row never wait for each other, and a stream of them would starve who wants it alone; for a table they queue.
TAKE = "lock table calendar_state in exclusive mode"
REVISION = "select revision from calendar_state"
DAYS = "select day, kind, name_vi, name_en, status, swap from calendar_days order by day"
HOURS = "select agency, spans from counter_hours"
ADVANCE = "update calendar_state set revision = revision + 1, changed_at = $1 returning revision"

SWEEP = "select revision, after, cases, moved, began_at, ended_at, told from calendar_sweep"
PENDING = "select s.revision > w.revision or w.ended_at is null or not w.told from calendar_state s, calendar_sweep w"
PUT_SWEEP = "update calendar_sweep set revision = $1, after = $2, cases = $3, moved = $4, began_at = $5, ended_at = $6, told = $7"
COUNTABLE = f"""
select case_id from cases
where case_id > $1 and status in ({", ".join(str(int(status)) for status in OPEN)}) and due_at is not null
order by case_id limit $2
"""


class Edition(NamedTuple):
    """Which calendar: the number of its last change, and when that was, since a restored database counts on from less."""

    revision: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Sweep:
    """How far the open cases were counted again since the change `revision`: `CalendarSweepRow`."""

    revision: int
    after: UUID | None
    cases: int
    moved: int
    began_at: datetime
    ended_at: datetime | None
    told: bool


async def hold_calendar(tx: Tx) -> Edition:
    """Keep the calendar as it is until this transaction ends; say which one it is."""
    return Edition(*await tx.driver.fetchrow(HOLD))


async def take_calendar(tx: Tx) -> Almanac:
    """Wait for every decision under way, keep others out, and give the calendar, to be changed."""
    await tx.driver.execute(TAKE)
    return await read_almanac(tx, await tx.driver.fetchval(REVISION))


async def read_almanac(tx: Tx, revision: int) -> Almanac:
    """The calendar, which the caller holds."""
    days = tuple(
        CalendarDay(day, DayKind(kind), name_vi, name_en, DayStatus(status), swap)
        for day, kind, name_vi, name_en, status, swap in await tx.driver.fetch(DAYS)
    )
    hours = {agency: parse_hours(spans.split()) for agency, spans in await tx.driver.fetch(HOURS)}
    return Almanac(days, hours.pop(EVERYBODY), MappingProxyType(hours), revision)


async def write_almanac(tx: Tx, almanac: Almanac) -> int:
    """Put this calendar in the place of the one that was taken; give the number of the change."""
    await tx.driver.execute("delete from calendar_days")
    await tx.driver.execute("delete from counter_hours")
    days = [(day.on, day.kind.value, day.name_vi, day.name_en, day.status.value, day.swap) for day in almanac.days]
    hours = [(EVERYBODY, almanac.hours), *almanac.agencies.items()]
    await insert_rows(tx, CalendarDayRow, days)
    await insert_rows(tx, CounterHoursRow, [(agency, " ".join(each.texts)) for agency, each in hours])
    revision: int = await tx.driver.fetchval(ADVANCE, tx.now)
    return revision


# --- counting again --------------------------------------------------------------------------------


async def is_sweep_pending(tx: Tx) -> bool:
    """Whether open cases must be counted again, or the first calendar was not stated yet."""
    pending: bool = await tx.driver.fetchval(PENDING)
    return pending


async def lead_sweep(tx: Tx) -> bool:
    """Whether this transaction may count cases again until it ends; another replica does while this is False."""
    leads: bool = await tx.driver.fetchval("select pg_try_advisory_xact_lock($1)", SWEEP_LOCK)
    return leads


async def read_sweep(tx: Tx, *, lock: bool = False) -> Sweep:
    """How far it is; locked, no other replica goes on until this transaction ends."""
    row = await tx.driver.fetchrow(f"{SWEEP} for update" if lock else SWEEP)
    return Sweep(*row)


async def write_sweep(tx: Tx, sweep: Sweep) -> None:
    """Remember how far it is."""
    values = (sweep.revision, sweep.after, sweep.cases, sweep.moved, sweep.began_at, sweep.ended_at, sweep.told)
    await tx.driver.execute(PUT_SWEEP, *values)


async def find_countable(tx: Tx, after: UUID | None, limit: int) -> list[UUID]:
    """Open cases with a due date, in the order of their ids."""
    return [row[0] for row in await tx.driver.fetch(COUNTABLE, after or FIRST, limit)]
