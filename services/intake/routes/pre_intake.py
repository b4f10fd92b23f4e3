"""`/v1/cases/pre-intake`: what the hotline notes before anyone files: the pre-check's answer, a wish to be called back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from services.intake import pre_intakes
from services.intake.domain.pre_intake import PreIntake
from services.intake.handlers import Desk
from services.intake.routes.bodies import read_body
from services.intake.routes.filing import MAY_FILE, Who, filer_of
from services.intake.routes.problems import NOT_VALID
from services.intake.routes.schemas import flat_schema
from shared.contracts.model import Slug
from shared.persistence.database import Database
from shared.problems import Problem, refusals
from shared.security.tokens import Principal, Role, require

PATH: Final = "/v1/cases/pre-intake"
Reader = Annotated[Principal, Depends(require(*MAY_FILE, Role.ADMIN))]


class Kept(BaseModel):
    """A pre-intake: a filing names it as its `pre_intake_id`."""

    pre_intake_id: UUID
    complete: bool | None
    missing: list[str]


class Listed(Kept):
    """A pre-intake as it was noted; `named_at` is when a filing last named it."""

    agency: str
    procedure: str
    documents: list[str]
    call: str | None
    callback_at: datetime | None
    created_at: datetime
    named_at: datetime | None


class ListedPage(BaseModel):
    """A page in the order of arrival; `next` is the cursor of the next one, null on the last."""

    items: list[Listed]
    next: UUID | None


def add_pre_intake_routes(router: APIRouter, desk: Desk, database: Database) -> None:
    """The hotline's routes."""

    @router.post(
        PATH,
        tags=["hotline"],
        status_code=201,
        summary="Note a dossier that somebody means to file",
        responses=refusals(413) | NOT_VALID,
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/json": {"schema": flat_schema(PreIntake)}}},
        },
    )
    async def keep(request: Request, who: Who) -> Kept:
        """It is no filing: no time limit runs, and no case is opened. It has no field for a person."""
        draft, documents = await read_body(request, lambda raw: desk.pre_intake(raw, filer_of(who)))
        made = await pre_intakes.keep(database, draft, documents)
        return Kept(pre_intake_id=made, complete=documents.complete, missing=[each.code for each in documents.missing])

    @router.get(PATH, tags=["hotline"], summary="The pre-intakes of an agency", responses=refusals())
    async def list_kept(
        who: Reader,
        agency: Annotated[Slug, Query()],
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: UUID | None = None,
        waiting: Annotated[bool, Query(description="Only those that no filing has named yet.")] = True,
    ) -> ListedPage:
        """Whom to call back is known to the call centre, by the code of the call."""
        if not who.may_see(agency):
            raise Problem(403, "wrong-agency", "Not allowed", detail="the token is another agency's")
        rows = await pre_intakes.list_open(database, agency, cursor, limit + 1, waiting=waiting)
        items = [Listed.model_validate({**row, "pre_intake_id": row["id"]}) for row in rows[:limit]]
        return ListedPage(items=items, next=items[-1].pre_intake_id if len(rows) > limit else None)
