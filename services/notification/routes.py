"""HTTP: what became of the messages about a case."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from services.notification import repository
from services.notification.tables import LedgerRow
from shared.persistence.database import Database
from shared.security.tokens import Principal, Role, require

router = APIRouter(prefix="/v1", tags=["messages"])

Reader = Annotated[Principal, Depends(require(Role.OFFICER, Role.AUDITOR))]


class Message(BaseModel):
    """One message as the ledger knows it: never its contact, never its text."""

    id: UUID
    case_id: UUID
    agency: str
    kind: str
    fact: str
    fact_id: str
    recipient: str
    channel: str
    language: str
    status: str
    reason: str | None
    attempts: int
    origin: str
    occurred_at: datetime
    created_at: datetime
    sent_at: datetime | None


class MessagePage(BaseModel):
    """A page of messages in the order they were made; `next` is the cursor of the next page, None at the end."""

    items: list[Message]
    next: UUID | None


@router.get("/messages", responses={401: {}, 403: {}, 422: {}, 503: {}})
async def list_messages(
    request: Request,
    who: Reader,
    case_id: Annotated[UUID, Query()],
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[UUID | None, Query()] = None,
) -> MessagePage:
    """The messages about a case that the caller's agency has sent or will send."""
    database: Database = request.app.state.runtime.database
    rows = await repository.read_messages(database, case_id, agency=who.agency, after=cursor, limit=limit + 1)
    items = [_shown(row) for row in rows[:limit]]
    return MessagePage(items=items, next=items[-1].id if len(rows) > limit else None)


def _shown(row: LedgerRow) -> Message:
    return Message.model_validate(row, from_attributes=True)
