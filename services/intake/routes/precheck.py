"""`POST /v1/cases/pre-check`: what a filing lacks, before anyone files. Nothing is stored."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel

from services.intake.domain.precheck import PreCheck
from services.intake.domain.submission import Submission
from services.intake.handlers import Desk
from services.intake.routes.bodies import read_body
from services.intake.routes.filing import Who, filer_of
from services.intake.routes.problems import NOT_VALID
from services.intake.routes.schemas import flat_schema
from shared.problems import refusals


class DocumentName(BaseModel):
    """A document in Vietnamese and English."""

    vi: str
    en: str


class MissingDocument(BaseModel):
    """A required document that was not named."""

    code: str
    name: DocumentName


class PreChecked(BaseModel):
    """It would be filed. `complete` is null where no list of documents is known from a source.

    `unlisted` documents are not on the procedure's list: nobody may ask for them. `return_needs` says what the wished way of
    return still lacks, null when nothing.
    """

    complete: bool | None
    missing: list[MissingDocument]
    unlisted: list[str]
    return_needs: str | None


def add_precheck_route(router: APIRouter, desk: Desk) -> None:
    """The route; the same body, rules and roles as a filing."""

    @router.post(
        "/v1/cases/pre-check",
        tags=["cases"],
        summary="What is missing, before anyone files",
        responses=refusals(413) | NOT_VALID,
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/json": {"schema": flat_schema(Submission)}}},
        },
    )
    async def check_case(request: Request, who: Who) -> PreChecked:
        """200: it would be filed, and this is how its documents stand. 422: every fault, missing documents among them."""
        return _answer(await read_body(request, lambda raw: desk.pre_check(raw, filer_of(who))))


def _answer(found: PreCheck) -> PreChecked:
    documents = found.documents
    missing = [(each.code, DocumentName(vi=each.name.vi, en=each.name.en)) for each in documents.missing]
    return PreChecked(
        complete=documents.complete,
        missing=[MissingDocument(code=code, name=name) for code, name in missing],
        unlisted=list(documents.unlisted),
        return_needs=found.return_needs,
    )
