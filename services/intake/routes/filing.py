"""`POST /v1/cases`: file one case."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.intake.domain.filing import Filer
from services.intake.domain.submission import Submission
from services.intake.handlers import Desk, Opening, Outcome
from services.intake.routes.problems import key_conflict, problem_of
from services.intake.routes.schemas import flat_schema
from shared.problems import Problem
from shared.security.tokens import Principal, Role, require

LARGEST_BODY: Final = 64 * 1024

may_file = require(Role.COUNTER, Role.OFFICER, Role.IMPORTER, Role.INTEGRATOR)
Who = Annotated[Principal, Depends(may_file)]
KEY_PARAMETER: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "The sender's own id of this filing: the same key with the same content opens one case, ever.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[\x21-\x7e]+$"},
}


class Filed(BaseModel):
    """The case that the key stands for."""

    case_id: str
    status_url: str


def filer_of(who: Principal) -> Filer:
    """The filer that a token stands for."""
    return Filer(who.subject, who.role.value, who.agency)


def filed(opening: Opening) -> dict[str, str]:
    """The answer of a case; the same whenever its key is used again."""
    return {"case_id": str(opening.case_id), "status_url": f"/v1/cases/{opening.case_id}/status"}


async def read_body(request: Request) -> bytes:
    """The whole body.

    Raises:
        Problem: 413 when it is larger than 64 KiB.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise Problem(413, "too-large", "The body is too large", detail=f"at most {LARGEST_BODY} bytes")
    return bytes(body)


def add_filing_route(router: APIRouter, desk: Desk) -> None:
    """The route of single filings."""

    @router.post(
        "/v1/cases",
        tags=["cases"],
        status_code=201,
        summary="File a case",
        response_model=Filed,
        responses={
            200: {"model": Filed, "description": "The key had opened this case before"},
            401: {"description": "No valid token"},
            403: {"description": "Another agency's case, or the role importer is needed"},
            409: {"description": "The key was used with other content"},
            413: {"description": "The body is too large"},
            422: {"description": "Not valid; `errors` lists every fault"},
            503: {"description": "Not committed; send it again after Retry-After"},
        },
        openapi_extra={
            "parameters": [KEY_PARAMETER],
            "requestBody": {"required": True, "content": {"application/json": {"schema": flat_schema(Submission)}}},
        },
    )
    async def file_case(request: Request, who: Who) -> JSONResponse:
        body = await read_body(request)
        try:
            opening = await desk.file(body, request.headers.get("idempotency-key"), filer_of(who))
        except Exception as error:
            raise problem_of(error) from error
        if opening.outcome is Outcome.CONFLICT:
            raise key_conflict()
        answer = filed(opening)
        return JSONResponse(answer, 201 if opening.outcome is Outcome.OPENED else 200, {"Location": answer["status_url"]})
