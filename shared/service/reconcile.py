"""HTTP of the bookkeeping that `motcua reconcile` compares: per case, what this service heard and stated. For administrators."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from shared.persistence.bulk import table_of
from shared.persistence.work import Store
from shared.problems import refusals
from shared.service.dead_letters import Administrator

MOST = 10_000


class Books(BaseModel):
    """A page in the order of case ids. `next` is the cursor of the following page, null at the end; `pending` is the outbox."""

    service: str
    pending: int
    items: list[tuple[UUID, int, int, int, int, int, int]]
    next: UUID | None


def reconcile_routes(store: Store[Any]) -> APIRouter:
    """The route over one service's cases."""
    router = APIRouter(prefix="/v1", tags=["service"], responses=refusals())
    cases, outbox = table_of(store.cases).name, table_of(store.outbox).name
    read = (
        "select case_id, heard_intake, heard_processing, heard_notification, stated, parked, waiting "
        f"from {cases} where $1::uuid is null or case_id > $1 order by case_id limit $2"
    )

    @router.get("/reconcile")
    async def reconcile(
        who: Administrator,  # noqa: ARG001 - only to be one
        cursor: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
    ) -> Books:
        """(case, heard of intake, of processing, of notification, stated, parked, waiting), page by page."""
        async with store.database.transaction() as tx:
            rows = [tuple(row) for row in await tx.driver.fetch(read, cursor, limit + 1)]
            pending = await tx.driver.fetchval(f"select count(*) from {outbox}")
        last = rows[limit - 1][0] if len(rows) > limit else None
        return Books(service=store.service, pending=pending, items=rows[:limit], next=last)

    return router
