"""Reads of cases as they stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, case, func, literal, or_
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.processing.domain.case import OPEN, Case
from services.processing.tables import CaseRow, ClockRow
from shared.contracts.words import ClockMode, StopKind
from shared.persistence.database import Tx

ZONE_NAME = "Asia/Ho_Chi_Minh"


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of cases is narrowed to; None is no restriction. `overdue` is told by the agency's business clock.

    `apology`: whether a new appointment was set with an apology, as it must be before a case is late (Decree 61/2018/NĐ-CP,
    art. 19.9); overdue without one is a breach. `contacted`: whether a citizen asked after it.
    """

    agency: str | None = None
    kind: str | None = None
    status: int | None = None
    unit: str | None = None
    field: str | None = None
    overdue: bool | None = None
    code: str | None = None
    holder: str | None = None
    apology: bool | None = None
    matter: str | None = None
    contacted: bool | None = None


async def agencies_of(tx: Tx, case_id: UUID) -> list[str]:
    """The agency of a case and, where another one holds it, that one; nothing of a case that is not known."""
    row = await tx.driver.fetchrow("select agency, holder from cases where case_id = $1 and agency is not null", case_id)
    return [each for each in row if each is not None] if row else []


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
        "code": filters.code,
        "holder": filters.holder,
        "matter": filters.matter,
    }
    conditions = [getattr(CaseRow, name) == value for name, value in equal.items() if value is not None]
    if filters.overdue is not None:
        conditions.append(_overdue(now) if filters.overdue else func.coalesce(_overdue(now), False).is_(False))
    if filters.apology is not None:
        conditions.append((func.coalesce(CaseRow.extensions, 0) > 0).is_(filters.apology))
    if filters.contacted is not None:
        conditions.append(col(CaseRow.contacted_at).is_not(None).is_(filters.contacted))
    return conditions


def _overdue(now: datetime) -> ColumnElement[bool]:
    """Open, and the local date of the agency's business clock is after the due date; one that stands still tells its own date."""
    historical = col(ClockRow.mode) == ClockMode.HISTORICAL.value
    business_now = case((historical, col(ClockRow.at)), else_=literal(now, CaseRow.__table__.c.due_at.type))  # type: ignore[attr-defined]
    stands_at = func.least(business_now, col(CaseRow.stopped_at))
    local_midnight = func.timezone(ZONE_NAME, func.date_trunc("day", func.timezone(ZONE_NAME, stands_at)))
    suspended = col(CaseRow.stop_kind) == StopKind.SUSPENDED.value
    is_open = or_(col(CaseRow.status).in_([int(status) for status in OPEN]), suspended)
    return and_(is_open, col(CaseRow.due_at) < local_midnight)


def _case_of(row: CaseRow) -> Case:
    return Case(**{name: getattr(row, name) for name in Case._fields})
