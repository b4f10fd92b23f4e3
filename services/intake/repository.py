"""Intake's SQL: claiming keys, writing new cases, the public look-up. Set-based on the hot path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from services.intake.domain.case import Case
from services.intake.domain.submission import Submission
from services.intake.tables import ApplicantRow, CaseRow, IdempotencyRow, SubmissionRow
from shared.contracts.words import Lane
from shared.persistence.bulk import insert_new, insert_rows
from shared.persistence.database import Database, Tx

_KNOWN = """
select i.scope, i.key, i.digest, i.case_id
from unnest($1::text[], $2::text[]) as u(scope, key) join idempotency i using (scope, key)
"""

KeyOf = tuple[str, str]
"""Scope and key."""


@dataclass(frozen=True, slots=True)
class NewCase:
    """A valid submission that waits to become a case: everything that is written about it, made beforehand."""

    case_id: UUID
    scope: str
    key: str
    digest: bytes
    submission: Submission
    filed_at: datetime
    lane: Lane


async def claim_keys(tx: Tx, cases: Sequence[NewCase]) -> set[UUID]:
    """Claim each case's key; the ids of those whose key was free. Waits for transactions that claim the same key."""
    rows = [(new.scope, new.key, new.digest, new.case_id, tx.now) for new in cases]
    columns = ("scope", "key", "digest", "case_id", "created_at")
    return {case_id for (case_id,) in await insert_new(tx, IdempotencyRow, rows, columns, ("case_id",))}


async def find_keys(tx: Tx, cases: Sequence[NewCase]) -> dict[KeyOf, tuple[bytes, UUID]]:
    """Digest and case of keys that are taken."""
    rows = await tx.driver.fetch(_KNOWN, [new.scope for new in cases], [new.key for new in cases])
    return {(scope, key): (digest, case_id) for scope, key, digest, case_id in rows}


async def insert_cases(tx: Tx, rows: Sequence[tuple[UUID, int, str]]) -> None:
    """Write new cases: id, last sequence stated, degree of completion."""
    await insert_rows(tx, CaseRow, rows, ("case_id", "stated", "completion"))


async def insert_submissions(tx: Tx, cases: Sequence[NewCase]) -> None:
    """Write what was filed."""
    rows = [
        (
            new.case_id,
            filed.agency,
            filed.kind.value,
            filed.procedure,
            filed.channel.value,
            filed.return_channel and filed.return_channel.value,
            filed.documents,
            new.filed_at,
            tx.now,
            filed.origin.value,
            int(new.lane),
        )
        for new in cases
        for filed in (new.submission,)
    ]
    await insert_rows(tx, SubmissionRow, rows)


async def insert_applicants(tx: Tx, rows: Sequence[tuple[UUID, bytes]]) -> None:
    """Write encrypted contacts."""
    await insert_rows(tx, ApplicantRow, rows)


async def find_case(database: Database, case_id: UUID) -> Case | None:
    """The public side of a case, None when nothing is known of it."""
    async with database.session() as session:
        row = (await session.exec(select(CaseRow).where(col(CaseRow.case_id) == case_id))).one_or_none()
    return _public(row)


async def find_case_by_code(database: Database, code: str) -> Case | None:
    """The public side of the case with this dossier code, None when there is none."""
    async with database.session() as session:
        row = (await session.exec(select(CaseRow).where(col(CaseRow.code) == code).limit(1))).one_or_none()
    return _public(row)


def _public(row: CaseRow | None) -> Case | None:
    return None if row is None or row.completion is None else Case(row.code, row.completion)
