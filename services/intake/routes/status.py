"""The public look-up: code and degree of completion, nothing else (Decree 61/2018/NĐ-CP, art. 5.1.d and 17.3).

What is unknown, malformed or not public gets one answer after the same work, so that neither says anything about the others; and
nobody may try codes one after the other, since look-ups are limited for each address and for all of them.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from services.intake import repository
from services.intake.domain.case import WORDS, Case, Completion
from services.intake.metrics import IntakeMetrics
from shared.persistence.database import Database
from shared.persistence.errors import is_transient
from shared.problems import MEDIA_TYPE, Problem, unavailable
from shared.service.callers import Callers
from shared.service.rate import Rate

_CODE: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,62}[A-Za-z0-9])?")
_NO_CODE, _NO_ID = "", UUID(int=0)
"""No case has these; they are looked for in place of what is malformed."""

_REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    404: {"description": "No such case", "content": {MEDIA_TYPE: {}}},
    429: {"description": "Too many look-ups; try again after Retry-After", "content": {MEDIA_TYPE: {}}},
    503: {"description": "Not available now; try again after Retry-After", "content": {MEDIA_TYPE: {}}},
}


class Degree(BaseModel):
    """The degree of completion, as a word of ours and in two languages."""

    degree: Completion
    vi: str
    en: str


class PublicStatus(BaseModel):
    """All that anybody may see of a case; the code is there from acceptance on."""

    code: str | None
    completion: Degree


@dataclass(frozen=True, slots=True)
class Porter:
    """Counts look-ups by the address they come from, and refuses too many."""

    callers: Callers
    rate: Rate
    metrics: IntakeMetrics

    def admit(self, request: Request) -> None:
        """Raise Problem when this client, or all of them together, have asked too often."""
        refused = self.rate.ask(self.callers.of(request))
        if refused is not None:
            self.metrics.refused_lookups.labels(refused.whose).inc()
            headers = {"Retry-After": str(math.ceil(refused.wait))}
            raise Problem(429, "too-many", "Too many look-ups", detail="try again after Retry-After", headers=headers)


def add_status_routes(router: APIRouter, database: Database, porter: Porter) -> None:
    """The public routes; they need no token."""

    async def admitted(request: Request) -> None:
        porter.admit(request)

    public: dict[str, Any] = {"tags": ["public"], "responses": _REFUSALS, "dependencies": [Depends(admitted)]}

    @router.get("/v1/cases/by-code/{code:path}/status", summary="How far the case with this code has come", **public)
    async def status_by_code(code: str) -> PublicStatus:
        return _show(await _find(database, code if _CODE.fullmatch(code) else _NO_CODE))

    @router.get("/v1/cases/{case_id}/status", summary="How far a case has come", **public)
    async def status_by_id(case_id: str) -> PublicStatus:
        return _show(await _find(database, _id(case_id)))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return _NO_ID


async def _find(database: Database, wanted: UUID | str) -> Case | None:
    try:
        if isinstance(wanted, UUID):
            return await repository.find_case(database, wanted)
        return await repository.find_case_by_code(database, wanted)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        if is_transient(error):
            raise unavailable() from None
        raise


def _show(case: Case | None) -> PublicStatus:
    if case is None or case.completion is None:
        raise Problem(404, "unknown-case", "No such case", detail="no case is known by this id or code")
    degree = Completion(case.completion)
    vi, en = WORDS[degree]
    return PublicStatus(code=case.code, completion=Degree(degree=degree, vi=vi, en=en))
