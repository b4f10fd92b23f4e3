"""The histories of cases: appended by every batch, read by officers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import literal, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.processing.tables import HistoryRow
from shared.contracts.envelope import Envelope
from shared.persistence.bulk import insert_rows
from shared.persistence.database import Tx


async def write_history(tx: Tx, facts: Iterable[tuple[UUID, Envelope, str]]) -> None:
    """Append facts, with their bodies as JSON, to the histories of their cases."""
    rows = [
        (
            case_id, envelope.source.lstrip("/"), envelope.sequence, envelope.id, envelope.type, envelope.occurred_at,
            envelope.recorded_at, envelope.origin, envelope.causation_id, body,
        )
        for case_id, envelope, body in facts
    ]  # fmt: skip
    await insert_rows(tx, HistoryRow, rows)


FACTS = """
select case_id, event_id, type, occurred_at, body from history
where case_id = any($1::uuid[]) and ($2::text[] is null or type = any($2)) order by case_id, source, sequence
"""
"""Intake's one fact comes first by its name, then processing's."""


async def read_facts(
    tx: Tx, case_ids: Sequence[UUID], types: Sequence[str] | None = None
) -> list[tuple[UUID, UUID, str, datetime, str]]:
    """The histories of these cases, whole or these types of them, each in order: case, event id, type, time, JSON body."""
    return [tuple(row) for row in await tx.driver.fetch(FACTS, list(case_ids), types and list(types))]


async def list_history(session: AsyncSession, case_id: UUID, after: tuple[str, int] | None, limit: int) -> list[HistoryRow]:
    """A case's facts: its submission first, then what was stated about it, in order."""
    query = select(HistoryRow).where(col(HistoryRow.case_id) == case_id)
    if after is not None:
        query = query.where(tuple_(col(HistoryRow.source), col(HistoryRow.sequence)) > tuple_(*map(literal, after)))
    return list(await session.exec(query.order_by(col(HistoryRow.source), col(HistoryRow.sequence)).limit(limit)))
