"""`DELETE /v1/cases/{case_id}/applicant`: forget the people of a case."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.intake.erasure import erase
from shared.contracts.erasure import ErasureReason
from shared.persistence.work import Store
from shared.problems import Problem, refusals
from shared.security.tokens import Principal, Role, require

Administrator = Annotated[Principal, Depends(require(Role.ADMIN))]


class ErasureDone(BaseModel):
    """What was erased here, and the keys on `case-private` whose values are erased by it."""

    case_id: UUID
    rows: int
    keys: list[str]


def add_erasure_route(router: APIRouter, store: Store[Any]) -> None:
    """The route; it may be called again at any time."""

    @router.delete(
        "/v1/cases/{case_id}/applicant",
        tags=["people"],
        summary="Erase the personal data of a case, everywhere",
        responses=refusals(404),
    )
    async def erase_applicant(case_id: UUID, who: Administrator, reason: Annotated[ErasureReason, Query()]) -> ErasureDone:
        """Applicant, data key, tokens and free text go at once; the other services and the topic follow."""
        done = await erase(store, case_id, who, reason)
        if done is None:
            raise Problem(404, "unknown-case", "No such case")
        return ErasureDone(case_id=case_id, rows=done.rows, keys=list(done.keys))
