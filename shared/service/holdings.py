"""HTTP of what a service still holds of a person: counts by table, so that an erasure can be followed. For administrators."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from shared.contracts.topics import CASE_PRIVATE
from shared.persistence.bulk import table_of
from shared.persistence.private import OF_CASE
from shared.persistence.work import Store
from shared.problems import refusals
from shared.service.dead_letters import Administrator
from shared.service.personal import Personal


class Holdings(BaseModel):
    """Rows with something personal of a case, still encrypted, by table; all 0 once it is erased.

    `erased` says that nothing more can come: the erasure of this case has reached this service.
    """

    service: str
    case_id: UUID
    erased: bool
    held: dict[str, int]


def holdings_routes(store: Store[Any], personal: Personal) -> APIRouter:
    """The route over one service's database."""
    router = APIRouter(prefix="/v1", tags=["service"], responses=refusals())
    statements = _common(store) | personal.held

    @router.get("/cases/{case_id}/holdings")
    async def read_holdings(case_id: UUID, who: Administrator) -> Holdings:  # noqa: ARG001 - only to be one
        """How many rows hold something personal of a case; unknown cases have none."""
        async with store.database.transaction() as tx:
            held = {table: await tx.driver.fetchval(statement, case_id) for table, statement in statements.items()}
            erased = await tx.driver.fetchval(f"select ({personal.erased}) where $1::uuid is not null", case_id)
        return Holdings(service=store.service, case_id=case_id, erased=erased, held=held)

    return router


def _common(store: Store[Any]) -> dict[str, str]:
    """What every service may hold: records of `case-private` that are still to be sent, or that could not be taken."""
    outbox, parked = table_of(store.outbox).name, table_of(store.parked).name
    ours = f"payload is not null and {OF_CASE}"
    topics = f"('{CASE_PRIVATE.name}', '{CASE_PRIVATE.dead_letters}')"
    return {
        "outbox": f"select count(*) from {outbox} where topic in {topics} and {ours}",
        "parked": f"select count(*) from {parked} where topic in {topics} and (({ours}) or "
        "(payload is not null and case_id = $1::uuid))",
    }
