"""HTTP of officers' free text."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from services.processing.domain.case import Case
from services.processing.handlers.notes import show_notes
from shared.persistence.work import Store
from shared.problems import Problem, refusals
from shared.security.key_ring import KeyRing
from shared.security.tokens import Principal, Role, require
from shared.service.access_log import NEVER_KEPT, Outcome, Purpose, add_access_log_route

Anyone = Annotated[Principal, Depends(require(*Role))]
"""Whoever has a token: the look itself refuses, so that the attempt is logged."""
Why = Annotated[Purpose, Query(description="Why the notes are needed; kept in the access log.")]


class NoteBody(BaseModel):
    """What was written beside a command, whose facts have `command_id` as their cause; null when it cannot be opened."""

    command_id: UUID
    written_at: datetime
    text: str | None


class Notes(BaseModel):
    """The notes of a case in order, 500 at most."""

    items: list[NoteBody]


def create_notes_router(store: Store[Case], keys: KeyRing) -> APIRouter:
    """The routes over one store."""
    router = APIRouter()

    @router.get(
        "/v1/cases/{case_id}/notes", tags=["personal"], summary="What officers wrote about a case", responses=refusals(404)
    )
    async def read_notes(case_id: UUID, purpose: Why, who: Anyone, response: Response) -> Notes:
        outcome, notes = await show_notes(store.database, keys, case_id, who, purpose)
        if outcome is Outcome.NOT_ALLOWED:
            raise Problem(403, "forbidden", "Not allowed", detail="needs one of the roles: officer, counter")
        if outcome is not Outcome.SHOWN:
            raise Problem(404, "unknown-case", "No such case")
        response.headers.update(NEVER_KEPT)
        return Notes(items=[NoteBody(command_id=n.command_id, written_at=n.written_at, text=n.text) for n in notes])

    add_access_log_route(router, store.database)
    return router
