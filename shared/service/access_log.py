"""The access log: who looked at what is personal, why, and what they were shown. The same in every service that shows any.

A line is written in the transaction that reads, and is committed before the answer leaves: nothing is shown without its line.
Nothing personal is in it but who asked. The table is `access_log` (`AccessLogColumns`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from shared.persistence.database import Database, Tx
from shared.problems import refusals
from shared.security.tokens import Principal, Role, require


class Purpose(StrEnum):
    """Why somebody may look (Decree 13/2023/NĐ-CP, art. 3.3: only for what was declared). A closed list; no free text."""

    HANDLE_CASE = "handle_case"
    REACH_APPLICANT = "reach_applicant"
    CHECK_IDENTITY = "check_identity"
    RETURN_RESULT = "return_result"
    ANSWER_COMPLAINT = "answer_complaint"
    APPLICANT_ASKED = "applicant_asked"
    INSPECTION = "inspection"
    COURT_ORDER = "court_order"


class Outcome(StrEnum):
    """What came of an attempt."""

    SHOWN = "shown"
    NOTHING_KEPT = "nothing_kept"
    ERASED = "erased"
    UNKNOWN_CASE = "unknown_case"
    OTHER_AGENCY = "other_agency"
    NOT_ALLOWED = "not_allowed"
    UNREADABLE = "unreadable"


_WRITE: Final = """
insert into access_log (at, subject, role, asker_agency, agency, action, purpose, case_id, outcome, found)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_READ: Final = """
select id, at, subject, role, asker_agency, agency, action, purpose, case_id, outcome, found from access_log
where ($1::bigint is null or id < $1) and ($2::text is null or agency = $2) and ($3::uuid is null or case_id = $3)
order by id desc limit $4
"""

NEVER_KEPT: Final = {"Cache-Control": "no-store"}
"""What every answer says that shows something personal: no cache on its way may keep it."""

Auditor = Annotated[Principal, Depends(require(Role.AUDITOR))]


class Access(BaseModel):
    """One line of the log."""

    id: int
    at: datetime
    subject: str
    role: str
    asker_agency: str | None
    agency: str | None
    action: str
    purpose: str
    case_id: UUID | None
    outcome: str
    found: int


class AccessPage(BaseModel):
    """A page, the newest first; `next` is the cursor of the following page, null at the end."""

    items: list[Access]
    next: int | None


async def log_access(
    tx: Tx,
    who: Principal,
    action: str,
    purpose: str,
    outcome: Outcome,
    *,
    case_id: UUID | None = None,
    agency: str | None = None,
    found: int = 0,
) -> None:
    """Write a line. `agency` is the case's, where one is known: its auditors see the line, and the city's; else the asker's."""
    concerned = agency or who.agency
    line = (tx.now, who.subject[:200], who.role.value, who.agency, concerned, action, purpose, case_id, outcome.value, found)
    await tx.driver.execute(_WRITE, *line)


async def log_found(tx: Tx, who: Principal, action: str, purpose: str, cases: Sequence[tuple[UUID, str]]) -> None:
    """Write a line for each case (with its agency) that a search found."""
    start = (tx.now, who.subject[:200], who.role.value, who.agency)
    lines = [(*start, agency, action, purpose, case_id, Outcome.SHOWN.value, 1) for case_id, agency in cases]
    await tx.driver.executemany(_WRITE, lines)


def add_access_log_route(router: APIRouter, database: Database) -> None:
    """The log over HTTP. An agency's auditor reads the lines that concern it, a city's auditor every line."""

    @router.get("/v1/access-log", tags=["personal"], summary="Who looked at what is personal, and why", responses=refusals())
    async def read_access_log(
        who: Auditor,
        case_id: UUID | None = None,
        cursor: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> AccessPage:
        async with database.transaction() as tx:
            rows = await tx.driver.fetch(_READ, cursor, who.agency, case_id, limit + 1)
        items = [Access(**dict(row)) for row in rows[:limit]]
        return AccessPage(items=items, next=items[-1].id if len(rows) > limit else None)
