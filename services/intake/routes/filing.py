"""`POST /v1/cases`: file one case."""

from __future__ import annotations

from typing import Annotated, Any, Final, NoReturn

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.intake.domain.filing import Filer
from services.intake.domain.submission import Submission
from services.intake.handlers import Desk
from services.intake.opening import Opening, Outcome
from services.intake.routes.problems import key_conflict, problem_of
from services.intake.routes.schemas import flat_schema
from shared.security.tokens import Principal, Role, require
from shared.service.door import Reply, ShortWay, Visit

LARGEST_BODY: Final = 64 * 1024

PATH: Final = "/v1/cases"
JSON_CONTENT: Final = (b"content-type", b"application/json")

MAY_FILE: Final = (Role.COUNTER, Role.OFFICER, Role.IMPORTER, Role.INTEGRATOR)
Who = Annotated[Principal, Depends(require(*MAY_FILE))]
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
    return Filer(who.subject, who.role, who.agency)


def filed(opening: Opening) -> Reply:
    """The answer of a case; its body is the same whenever its key is used again."""
    status_url = f"/v1/cases/{opening.case_id}/status"
    body = f'{{"case_id":"{opening.case_id}","status_url":"{status_url}"}}'.encode()
    headers = [(b"content-length", b"%d" % len(body)), JSON_CONTENT, (b"location", status_url.encode())]
    return Reply(201 if opening.outcome is Outcome.OPENED else 200, headers, body)


def make_filing(desk: Desk) -> ShortWay:
    """What answers `POST /v1/cases`: the busiest request of all, so it has a door of its own."""

    async def answer(visit: Visit) -> Reply:
        key = visit.headers.get(b"idempotency-key")
        try:
            opening = await desk.file(visit.body, None if key is None else key.decode("latin-1"), filer_of(visit.who))
        except Exception as error:
            raise problem_of(error) from error
        if opening.outcome is Outcome.CONFLICT:
            raise key_conflict()
        return filed(opening)

    return ShortWay(PATH, MAY_FILE, LARGEST_BODY, answer)


def add_filing_route(router: APIRouter) -> None:
    """Declare and document the route of single filings; `make_filing` answers it."""

    @router.post(
        PATH,
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
            422: {"description": "Not valid; `errors` lists the faults, 100 at most"},
            503: {"description": "Not committed; send it again after Retry-After"},
        },
        openapi_extra={
            "parameters": [KEY_PARAMETER],
            "requestBody": {"required": True, "content": {"application/json": {"schema": flat_schema(Submission)}}},
        },
    )
    async def file_case(who: Who) -> NoReturn:  # noqa: ARG001 - declares the token
        raise AssertionError(f"POST {PATH} is answered by its door")
