"""The public catalogue: procedures, matters of feedback, and reasons with their words."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from shared.catalogue import Catalogue
from shared.problems import Problem

Views = dict[str, dict[str, Any]]
Agency = Annotated[str, Query(max_length=64, description="Show this agency's own procedures in the place of the common ones.")]


class ProcedurePage(BaseModel):
    """A page of the catalogue; `next` is the cursor of the next one, null on the last."""

    items: list[dict[str, Any]]
    next: str | None


def add_procedures_routes(router: APIRouter, catalogue: Catalogue) -> None:
    """The catalogue's routes; they need no token."""
    absent: dict[int | str, dict[str, str]] = {404: {"description": "No such procedure"}}
    everybodys = _views(catalogue)
    own = {agency: _views(catalogue.of(agency)) for agency in catalogue.agencies}
    reasons = [reason.model_dump(mode="json") for reason in catalogue.reasons.values()]
    matters = [matter.model_dump(mode="json") for matter in catalogue.matters.values()]

    @router.get("/v1/procedures", tags=["catalogue"], summary="The procedures, by code")
    async def list_procedures(
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str, Query(max_length=64)] = "",
        agency: Agency = "",
    ) -> ProcedurePage:
        views = own.get(agency, everybodys)
        codes = [code for code in views if code > cursor][: limit + 1]
        items = [views[code] for code in codes[:limit]]
        return ProcedurePage(items=items, next=codes[limit - 1] if len(codes) > limit else None)

    @router.get("/v1/procedures/{code}", summary="One procedure", tags=["catalogue"], responses=absent)
    async def show_procedure(code: str, agency: Agency = "") -> dict[str, Any]:
        view = own.get(agency, everybodys).get(code)
        if view is None:
            raise Problem(404, "unknown-procedure", "No such procedure", detail="GET /v1/procedures lists them")
        return view

    @router.get("/v1/matters", summary="What feedback may be about", tags=["catalogue"])
    async def list_matters() -> list[dict[str, Any]]:
        return matters

    @router.get("/v1/reasons", summary="The reasons, with their words", tags=["catalogue"])
    async def list_reasons() -> list[dict[str, Any]]:
        return reasons


def _views(catalogue: Catalogue) -> Views:
    return {each.code: {**each.model_dump(mode="json"), "field": catalogue.field_of(each.code)} for each in catalogue}
