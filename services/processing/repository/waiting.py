"""Commands that came before their case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.processing.tables import WaitingRow
from shared.contracts.envelope import Envelope
from shared.contracts.words import Origin
from shared.persistence.bulk import insert_rows
from shared.persistence.database import Tx

WAITING_COLUMNS = (
    "case_id", "command_id", "type", "source", "agency", "occurred_at", "recorded_at", "origin", "body", "arrived_at",
)  # fmt: skip
TAKE_WAITING = f"""
with taken as (
  delete from waiting where case_id = any($1::uuid[]) and arrived_at <= coalesce($2, 'infinity'::timestamptz) returning *
)
select {", ".join(WAITING_COLUMNS)} from taken order by id
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A command that came before its case; `body` is its JSON."""

    case_id: UUID
    envelope: Envelope
    body: str


async def keep_waiting(tx: Tx, commands: Sequence[Waiting], arrived_at: datetime) -> None:
    """Keep commands until their cases come."""
    rows = [
        (
            waiting.case_id, waiting.envelope.id, waiting.envelope.type, waiting.envelope.source, waiting.envelope.agency,
            waiting.envelope.occurred_at, waiting.envelope.recorded_at, waiting.envelope.origin.value, waiting.body, arrived_at,
        )
        for waiting in commands
    ]  # fmt: skip
    await insert_rows(tx, WaitingRow, rows, WAITING_COLUMNS)


async def take_waiting(tx: Tx, case_ids: Sequence[UUID], arrived_by: datetime | None = None) -> list[Waiting]:
    """Take out, in order, what waits for these (locked) cases; with a time, only what arrived by then."""
    rows = await tx.driver.fetch(TAKE_WAITING, list(case_ids), arrived_by)
    return [
        Waiting(
            row["case_id"],
            Envelope(
                id=row["command_id"],
                type=row["type"],
                source=row["source"],
                subject=str(row["case_id"]),
                agency=row["agency"],
                occurred_at=row["occurred_at"],
                recorded_at=row["recorded_at"],
                origin=Origin(row["origin"]),
            ),
            row["body"],
        )
        for row in rows
    ]


async def find_stale(session: AsyncSession, arrived_by: datetime, limit: int) -> list[UUID]:
    """Cases for which a command has waited since then or longer."""
    stale = select(WaitingRow.case_id).where(col(WaitingRow.arrived_at) <= arrived_by)
    return list(await session.exec(stale.group_by(col(WaitingRow.case_id)).limit(limit)))


async def count_waiting(session: AsyncSession) -> tuple[int, datetime | None]:
    """How many commands wait, and since when the oldest does."""
    counted = select(func.count(), func.min(col(WaitingRow.arrived_at))).select_from(WaitingRow)
    number, oldest = (await session.exec(counted)).one()
    return number, oldest
