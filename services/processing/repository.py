"""Processing's SQL: what one batch reads and writes besides the cases themselves, and the reads of HTTP and jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import and_, case, delete, func, literal, tuple_
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.processing.domain.case import OPEN, Case
from services.processing.domain.clock import AgencyClock
from services.processing.tables import AnswerRow, CaseRow, ClockRow, HistoryRow, WaitingRow
from shared.contracts.envelope import Envelope
from shared.contracts.words import ClockMode, Origin
from shared.persistence.bulk import insert_new, insert_rows
from shared.persistence.database import Tx

ZONE_NAME = "Asia/Ho_Chi_Minh"
WAITING_COLUMNS = (
    "case_id", "command_id", "type", "source", "agency", "occurred_at", "recorded_at", "origin", "body", "arrived_at",
)  # fmt: skip

# One statement for a whole batch, in key order so that two transactions cannot deadlock; the last lock they take.
ALLOT = """
insert into serials as s (prefix, day, last)
select prefix, day, wanted from unnest($1::text[], $2::date[], $3::int[]) as u(prefix, day, wanted) order by prefix, day
on conflict (prefix, day) do update set last = s.last + excluded.last
returning prefix, day, last
"""
TAKE_WAITING = f"""
with taken as (
  delete from waiting where case_id = any($1::uuid[]) and arrived_at <= coalesce($2, 'infinity'::timestamptz) returning *
)
select {", ".join(WAITING_COLUMNS)} from taken order by id
"""
SET_CLOCK = """
insert into agency_clocks as c (agency, mode, at, sequence) values ($1, $2, $3, 1)
on conflict (agency) do update set mode = excluded.mode, at = excluded.at, sequence = c.sequence + 1
where (c.mode, c.at) is distinct from (excluded.mode, excluded.at)
returning sequence
"""


async def allot_serials(tx: Tx, wanted: Sequence[tuple[str, date]]) -> list[int]:
    """One serial for every (prefix, day), in their order."""
    counts = Counter(wanted)
    if not counts:
        return []
    prefixes, days = zip(*counts, strict=True)
    rows = await tx.driver.fetch(ALLOT, list(prefixes), list(days), list(counts.values()))
    last = {(row[0], row[1]): row[2] - counts[row[0], row[1]] for row in rows}
    serials = []
    for key in wanted:
        last[key] += 1
        serials.append(last[key])
    return serials


async def write_history(tx: Tx, facts: Iterable[tuple[UUID, Envelope, str]]) -> None:
    """Append facts, with their bodies as JSON, to the histories of their cases."""
    rows = [
        (
            case_id, envelope.source.lstrip("/"), envelope.sequence, envelope.id, envelope.type, envelope.occurred_at,
            envelope.recorded_at, envelope.origin.value, envelope.causation_id, body,
        )
        for case_id, envelope, body in facts
    ]  # fmt: skip
    await insert_rows(tx, HistoryRow, rows)


# --- early commands --------------------------------------------------------------------------------


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


# --- answers to HTTP commands ----------------------------------------------------------------------


async def find_answer(tx: Tx, source: str, key: str) -> tuple[str, str] | None:
    """The content and the answer of an earlier command with this key."""
    found = select(col(AnswerRow.content), col(AnswerRow.answer)).where(
        col(AnswerRow.source) == source, col(AnswerRow.key) == key
    )
    row = (await tx.connection.execute(found)).one_or_none()
    return (row[0], row[1]) if row else None


async def keep_answer(tx: Tx, source: str, key: str, content: str, answer: str) -> bool:
    """Keep an answer; False when the key was used meanwhile, on another case."""
    row = (source, key, content, answer, tx.now)
    columns = ("source", "key", "content", "answer", "answered_at")
    return bool(await insert_new(tx, AnswerRow, [row], columns, ("key",)))


async def forget_answers(tx: Tx, answered_by: datetime) -> None:
    """Drop answers that are this old."""
    await tx.connection.execute(delete(AnswerRow).where(col(AnswerRow.answered_at) <= answered_by))


# --- business clocks -------------------------------------------------------------------------------


async def set_clock(tx: Tx, agency: str, mode: ClockMode, at: datetime | None) -> int | None:
    """Set an agency's clock; give the number of the change, or None when nothing changed."""
    sequence: int | None = await tx.driver.fetchval(SET_CLOCK, agency, mode.value, at)
    return sequence


async def find_clock(session: AsyncSession, agency: str) -> AgencyClock:
    """An agency's clock; one that was never set is live."""
    row = await session.get(ClockRow, agency)
    return AgencyClock(ClockMode(row.mode), row.at, row.sequence) if row else AgencyClock()


# --- reads -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of cases is narrowed to; None is no restriction. `overdue` is told by the agency's business clock."""

    agency: str | None = None
    kind: str | None = None
    status: int | None = None
    unit: str | None = None
    field: str | None = None
    overdue: bool | None = None


async def find_case(session: AsyncSession, case_id: UUID) -> Case | None:
    """A case that was submitted."""
    row = await session.get(CaseRow, case_id)
    return _case_of(row) if row and row.status is not None else None


async def list_cases(
    session: AsyncSession, filters: Filters, now: datetime, after: UUID | None, limit: int
) -> list[tuple[UUID, Case]]:
    """Submitted cases in the order of their ids, which is the order of their making."""
    query = select(CaseRow).where(col(CaseRow.status).is_not(None), *_conditions(filters, now))
    if filters.overdue is not None:
        query = query.outerjoin(ClockRow, col(ClockRow.agency) == col(CaseRow.agency))
    if after is not None:
        query = query.where(col(CaseRow.case_id) > after)
    rows = await session.exec(query.order_by(col(CaseRow.case_id)).limit(limit))
    return [(row.case_id, _case_of(row)) for row in rows]


def _conditions(filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    equal = {
        "agency": filters.agency,
        "kind": filters.kind,
        "status": filters.status,
        "unit": filters.unit,
        "field": filters.field,
    }
    conditions = [getattr(CaseRow, name) == value for name, value in equal.items() if value is not None]
    if filters.overdue is not None:
        conditions.append(_overdue(now) if filters.overdue else func.coalesce(_overdue(now), False).is_(False))
    return conditions


def _overdue(now: datetime) -> ColumnElement[bool]:
    """Open, and the local date of the agency's business clock is after the due date."""
    historical = col(ClockRow.mode) == ClockMode.HISTORICAL.value
    business_now = case((historical, col(ClockRow.at)), else_=literal(now, CaseRow.__table__.c.due_at.type))  # type: ignore[attr-defined]
    local_midnight = func.timezone(ZONE_NAME, func.date_trunc("day", func.timezone(ZONE_NAME, business_now)))
    return and_(col(CaseRow.status).in_([int(status) for status in OPEN]), col(CaseRow.due_at) < local_midnight)


def _case_of(row: CaseRow) -> Case:
    return Case(**{name: getattr(row, name) for name in Case._fields})


async def list_history(session: AsyncSession, case_id: UUID, after: tuple[str, int] | None, limit: int) -> list[HistoryRow]:
    """A case's facts: its submission first, then what was stated about it, in order."""
    query = select(HistoryRow).where(col(HistoryRow.case_id) == case_id)
    if after is not None:
        query = query.where(tuple_(col(HistoryRow.source), col(HistoryRow.sequence)) > tuple_(*map(literal, after)))
    return list(await session.exec(query.order_by(col(HistoryRow.source), col(HistoryRow.sequence)).limit(limit)))


async def find_fact(session: AsyncSession, case_id: UUID, kind: str) -> str | None:
    """The newest fact of a type in a case's history, as its JSON body."""
    query = select(col(HistoryRow.body)).where(col(HistoryRow.case_id) == case_id, col(HistoryRow.type) == kind)
    return (await session.exec(query.order_by(col(HistoryRow.sequence).desc()).limit(1))).one_or_none()
