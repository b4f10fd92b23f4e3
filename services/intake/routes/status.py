"""The public look-up: code and degree of completion, nothing else (Decree 61/2018/NĐ-CP, art. 5.1.d and 17.3)."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from services.intake import repository
from services.intake.domain.case import WORDS, Case, Completion
from shared.persistence.database import Database
from shared.persistence.errors import is_transient
from shared.problems import Problem, unavailable

_CODE: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,62}[A-Za-z0-9])?")


class Degree(BaseModel):
    """The degree of completion, as a word of ours and in two languages."""

    degree: Completion
    vi: str
    en: str


class PublicStatus(BaseModel):
    """All that anybody may see of a case; the code is there from acceptance on."""

    code: str | None
    completion: Degree


def add_status_routes(router: APIRouter, database: Database) -> None:
    """The public routes; they need no token."""
    absent: dict[int | str, dict[str, str]] = {404: {"description": "No such case"}}

    @router.get(
        "/v1/cases/by-code/{code:path}/status",
        tags=["public"],
        summary="How far the case with this code has come",
        responses=absent,
    )
    async def status_by_code(code: str) -> PublicStatus:
        return _show(await _find(database, code) if _CODE.fullmatch(code) else None)

    @router.get("/v1/cases/{case_id}/status", tags=["public"], summary="How far a case has come", responses=absent)
    async def status_by_id(case_id: str) -> PublicStatus:
        try:
            wanted = UUID(case_id)
        except ValueError:
            raise _unknown() from None
        return _show(await _find(database, wanted))


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
        raise _unknown()
    degree = Completion(case.completion)
    vi, en = WORDS[degree]
    return PublicStatus(code=case.code, completion=Degree(degree=degree, vi=vi, en=en))


def _unknown() -> Problem:
    return Problem(404, "unknown-case", "No such case", detail="no case is known by this id or code")
