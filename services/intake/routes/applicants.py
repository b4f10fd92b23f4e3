"""What is personal, over HTTP: the people of one case, and the cases of one person. Identifiers are never in an address."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field, model_validator

from services.intake.disclosure import Hit, find_cases, show_applicant
from services.intake.domain.people import Filed, IdNumber, Mail
from shared.contracts.private import Phone
from shared.persistence.database import Database
from shared.problems import Problem, refusals
from shared.security.key_ring import KeyRing
from shared.security.tokens import Principal, Role, require
from shared.service.access_log import NEVER_KEPT, Outcome, Purpose

Anyone = Annotated[Principal, Depends(require(*Role))]
"""Whoever has a token: who may not see is refused by the look itself, so that the attempt is logged."""
Why = Annotated[Purpose, Query(description="Why the data are needed; kept in the access log.")]


class People(BaseModel):
    """What was said of persons when the case was filed: applicant, representative, where the result goes; and the free text."""

    case_id: UUID
    people: dict[str, Any]
    note: str | None


class Wanted(Filed):
    """One identifier of a person, and why it is looked for."""

    id_number: IdNumber | None = None
    phone: Phone | None = None
    email: Mail | None = None
    purpose: Annotated[Purpose, Field(strict=False)]

    @property
    def given(self) -> list[tuple[str, str]]:
        """The identifiers by kind."""
        every = (("id_number", self.id_number), ("phone", self.phone), ("email", self.email))
        return [(kind, value) for kind, value in every if value is not None]

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.given) != 1:
            raise ValueError("must give one of id_number, phone and email")
        return self


class FoundCase(BaseModel):
    """A case of the person."""

    case_id: UUID
    procedure: str
    filed_at: datetime


class FoundCases(BaseModel):
    """The newest cases first, 200 at most."""

    items: list[FoundCase]


def add_applicants_routes(router: APIRouter, database: Database, keys: KeyRing) -> None:
    """The routes for those who handle cases."""

    @router.get(
        "/v1/cases/{case_id}/applicant",
        tags=["personal"],
        summary="Who filed a case",
        responses=refusals(404),
    )
    async def show(case_id: UUID, purpose: Why, who: Anyone, response: Response) -> People:
        shown = await show_applicant(database, keys, case_id, who, purpose)
        if shown.outcome is Outcome.NOT_ALLOWED:
            raise _forbidden()
        if shown.outcome is Outcome.UNREADABLE:
            raise Problem(500, "unreadable", "What is kept cannot be opened", detail="it is sealed under a key that is not here")
        if shown.outcome is not Outcome.SHOWN:
            raise Problem(404, "nothing-kept", "Nothing is kept", detail="no applicant is known of this case here")
        response.headers.update(NEVER_KEPT)
        return People(case_id=case_id, people=shown.people, note=shown.note)

    @router.post("/v1/applicants/search", tags=["personal"], summary="The cases of a person", responses=refusals())
    async def search(wanted: Wanted, who: Anyone, response: Response) -> FoundCases:
        (kind, value), *_ = wanted.given
        hits = await find_cases(database, keys, kind, value, who, wanted.purpose)
        if hits is None:
            raise _forbidden()
        response.headers.update(NEVER_KEPT)
        return FoundCases(items=list(map(_shown, hits)))


def _shown(hit: Hit) -> FoundCase:
    return FoundCase(**hit._asdict())


def _forbidden() -> Problem:
    return Problem(403, "forbidden", "Not allowed", detail="needs one of the roles: officer, counter")
