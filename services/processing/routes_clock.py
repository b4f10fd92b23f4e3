"""HTTP of the legal clock: where the clock of a case stands, explained."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from services.processing.clock_bodies import CaseClockBody, clock_body
from services.processing.domain.case import Case
from services.processing.handlers.explaining import explain_case
from services.processing.handlers.settling import Rules
from services.processing.routes import Reader, find_visible
from shared.clock import Clock, real_time
from shared.persistence.work import Store
from shared.problems import refusals


def create_clock_router(store: Store[Case], rules: Rules, now: Clock = real_time) -> APIRouter:
    """The route over one store."""
    router = APIRouter(tags=["cases"], responses=refusals())

    @router.get("/cases/{case_id}/clock", responses=refusals(404))
    async def read_case_clock(case_id: UUID, who: Reader) -> CaseClockBody:
        """Where a case's clock stands and why: segment by segment and day by day, with words and articles of law."""
        case, clock = await find_visible(store, case_id, who)
        said, version = await explain_case(store.database, case_id, case, clock.time(now()), rules)
        decision, assumed = (version.decision, version.assumed) if version is not None else (None, False)
        return clock_body(case_id, case, clock.mode, said, decision, assumed=assumed)

    return router
