"""HTTP: figures, backlog and turnaround of an agency, for those who may see it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AfterValidator, AwareDatetime

from services.metrics import handlers
from services.metrics.answers import BacklogAnswer, FiguresAnswer, ProceduresAnswer, TurnaroundAnswer
from services.metrics.domain.figures import Window
from services.metrics.feed_answers import FeedsAnswer
from shared.catalogue import load_catalogue
from shared.contracts.model import Slug
from shared.persistence.database import Database
from shared.problems import refusals
from shared.security.tokens import Principal, Role, check_agency, require

router = APIRouter(prefix="/v1", tags=["figures"], responses=refusals())
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _within_reach(at: datetime) -> datetime:
    if not EARLIEST <= at <= LATEST:
        raise ValueError("must lie between the years 1970 and 2200")
    return at


def _agency(
    agency: Annotated[Slug, Query(description="Agency.")],
    who: Annotated[Principal, Depends(require(Role.OFFICER, Role.AUDITOR, Role.IMPORTER))],
) -> str:
    check_agency(who, agency)
    return agency


def _agency_of_feeds(
    agency: Annotated[Slug, Query(description="Agency.")],
    who: Annotated[Principal, Depends(require(Role.OFFICER, Role.AUDITOR, Role.INTEGRATOR))],
) -> str:
    check_agency(who, agency)
    return agency


def _database(request: Request) -> Database:
    database: Database = request.app.state.runtime.database
    return database


def _fields(request: Request) -> list[str]:
    """The fields of the catalogue; any other is shown as `other`."""
    return list(load_catalogue(request.app.state.runtime.settings.catalogue_dir).fields)


Agency = Annotated[str, Depends(_agency)]
FeedAgency = Annotated[str, Depends(_agency_of_feeds)]
Fields = Annotated[list[str], Depends(_fields)]
Reads = Annotated[Database, Depends(_database)]
Moment = Annotated[
    AwareDatetime | None,
    Query(description="Moment of the past, RFC 3339 with an offset; the latest facts tell how it was then."),
    AfterValidator(lambda at: at if at is None else _within_reach(at)),
]


@router.get("/figures")
async def figures(agency: Agency, database: Reads, as_of: Moment = None) -> FiguresAnswer:
    """What came, went and stays, how long it took, and how much is late."""
    return await handlers.figures(database, agency, as_of)


@router.get("/backlog")
async def backlog(agency: Agency, database: Reads, fields: Fields) -> BacklogAnswer:
    """Open cases by kind, field and national status."""
    return await handlers.backlog(database, agency, fields)


@router.get("/turnaround")
async def turnaround(agency: Agency, database: Reads, fields: Fields, window: Window = Window.ALL) -> TurnaroundAnswer:
    """Time from acceptance to resolution, by kind and field."""
    return await handlers.turnaround(database, agency, fields, window)


@router.get("/turnaround/procedures")
async def procedures(agency: Agency, database: Reads) -> ProceduresAnswer:
    """Limits in force and handling times, by procedure and by the version under which cases were accepted."""
    return await handlers.procedures(database, agency)


@router.get("/feeds", tags=["hotline"])
async def feeds(agency: FeedAgency, database: Reads) -> FeedsAnswer:
    """How each feed of the hotline stands: last event, silence, what became of its events, and which numbers are missing."""
    return await handlers.feeds(database, agency)
