"""The public catalogue of procedures."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from shared.catalogue import Catalogue
from shared.problems import Problem


class ProcedurePage(BaseModel):
    """A page of the catalogue; `next` is the cursor of the next one, null on the last."""

    items: list[dict[str, Any]]
    next: str | None


def add_procedures_routes(router: APIRouter, catalogue: Catalogue) -> None:
    """The catalogue's routes; they need no token."""
    absent: dict[int | str, dict[str, str]] = {404: {"description": "No such procedure"}}
    views = {each.code: {**each.model_dump(mode="json"), "field": catalogue.field_of(each.code)} for each in catalogue}

    @router.get("/v1/procedures", tags=["catalogue"], summary="The procedures, by code")
    async def list_procedures(
        limit: Annotated[int, Query(ge=1, le=200)] = 50, cursor: Annotated[str, Query(max_length=64)] = ""
    ) -> ProcedurePage:
        codes = [code for code in views if code > cursor][: limit + 1]
        items = [views[code] for code in codes[:limit]]
        return ProcedurePage(items=items, next=codes[limit - 1] if len(codes) > limit else None)

    @router.get("/v1/procedures/{code}", summary="One procedure", tags=["catalogue"], responses=absent)
    async def show_procedure(code: str) -> dict[str, Any]:
        view = views.get(code)
        if view is None:
            raise Problem(404, "unknown-procedure", "No such procedure", detail="GET /v1/procedures lists them")
        return view
