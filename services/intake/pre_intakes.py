"""Pre-intakes in the database: kept by the hotline, listed for who calls back, named by the filing that came of one.

They are not forgotten: guidance that was given must be kept (Decree 61/2018/NĐ-CP, art. 15.2.b), and nothing in them is personal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from uuid_utils import uuid7

from services.intake.domain.pre_intake import PreIntake, refuse_pre_intake
from services.intake.domain.stating import Documents
from services.intake.group_commit import UnavailableError
from shared.persistence.database import Database
from shared.persistence.errors import is_transient

_KEEP: Final = """
insert into pre_intakes (id, agency, procedure, documents, complete, missing, call, callback_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_CHECK: Final = "select 1 from pre_intakes where id = $1 and agency = $2"
_MARK: Final = "update pre_intakes set named_at = now() where id = $1 returning 1"
_LIST: Final = """
select id, agency, procedure, documents, complete, missing, call, callback_at, created_at, named_at from pre_intakes
where agency = $1 and ($2::uuid is null or id > $2) and (named_at is null or not $3) order by id limit $4
"""


async def keep(database: Database, draft: PreIntake, documents: Documents) -> UUID:
    """Keep a pre-intake with what the pre-check said; its id."""
    made, missing = UUID(str(uuid7())), [each.code for each in documents.missing]
    async with database.transaction() as tx:
        await tx.driver.execute(
            _KEEP, made, draft.agency, draft.procedure, list(draft.documents), documents.complete, missing, draft.call,
            draft.callback_at,
        )  # fmt: skip
    return made


async def check(database: Database, wanted: UUID, agency: str) -> None:
    """See that a filing may name it.

    Raises:
        NotValidError: The agency has none of this id.
        UnavailableError: The database does not answer now.
    """
    if await _ask(database, _CHECK, wanted, agency) is None:
        await refuse_pre_intake(wanted, agency)


async def mark(database: Database, named: UUID) -> None:
    """Note that a filing named it, once there is a case; raises UnavailableError, and the same filing sent again notes it."""
    await _ask(database, _MARK, named)


async def _ask(database: Database, statement: str, *values: object) -> Any:
    try:
        async with database.transaction() as tx:
            return await tx.driver.fetchval(statement, *values)
    except Exception as error:
        if not is_transient(error):
            raise
        raise UnavailableError("the pre-intake cannot be looked up") from error


async def list_open(database: Database, agency: str, after: UUID | None, limit: int, *, waiting: bool) -> Sequence[Any]:
    """An agency's pre-intakes in the order of their arrival; only those `waiting` for a filing when asked so."""
    async with database.transaction() as tx:
        rows: Sequence[Any] = await tx.driver.fetch(_LIST, agency, after, waiting, limit)
    return rows
