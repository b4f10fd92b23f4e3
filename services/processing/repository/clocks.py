"""Where the business clocks of agencies stand."""

from __future__ import annotations

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from services.processing.domain.clock import AgencyClock
from services.processing.tables import ClockRow
from shared.contracts.words import ClockMode
from shared.persistence.database import Tx

SET_CLOCK = """
insert into agency_clocks as c (agency, mode, at, sequence) values ($1, $2, $3, 1)
on conflict (agency) do update set mode = excluded.mode, at = excluded.at, sequence = c.sequence + 1
where (c.mode, c.at) is distinct from (excluded.mode, excluded.at)
returning sequence
"""


async def set_clock(tx: Tx, agency: str, mode: ClockMode, at: datetime | None) -> int | None:
    """Set an agency's clock; give the number of the change, or None when nothing changed."""
    sequence: int | None = await tx.driver.fetchval(SET_CLOCK, agency, mode.value, at)
    return sequence


async def find_clock(session: AsyncSession, agency: str) -> AgencyClock:
    """An agency's clock; one that was never set is live."""
    row = await session.get(ClockRow, agency)
    return AgencyClock(ClockMode(row.mode), row.at, row.sequence) if row else AgencyClock()


async def read_clocks(tx: Tx) -> dict[str, AgencyClock]:
    """The clocks of all agencies that ever set one."""
    rows = await tx.driver.fetch("select agency, mode, at, sequence from agency_clocks")
    return {agency: AgencyClock(ClockMode(mode), at, sequence) for agency, mode, at, sequence in rows}
