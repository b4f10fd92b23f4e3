"""HTTP of the calendar: read by everybody with a token, changed by the city's administrators.

Every change is checked as a whole before anything is written, and may be asked for again: what changes nothing is no change.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request

from services.processing.bodies import inlined
from services.processing.calendar_bodies import (
    CSV,
    CalendarBody,
    Days,
    Hours,
    SetDay,
    calendar_body,
    read_all_days,
    read_hours,
    read_set_day,
    unfit,
)
from services.processing.domain.almanac import UnfitCalendarError
from services.processing.domain.case import Case
from services.processing.handlers.calendar import Edit, change_calendar, read_calendar, read_progress
from shared.contracts.model import Slug
from shared.persistence.work import Store
from shared.problems import MEDIA_TYPE, Problem, refusals
from shared.security.tokens import Principal, Role, check_agency, require

Reader = Annotated[Principal, Depends(require(*Role))]
Administrator = Annotated[Principal, Depends(require(Role.ADMIN))]
AgencyPath = Annotated[Slug, Path()]
DayPath = Annotated[date, Path()]
Changed = Callable[[], None]
CHANGING = refusals(413) | {422: {"description": "Not valid; every fault with its place", "content": {MEDIA_TYPE: {}}}}


def _body(model: type[Any], *, file: bool = False) -> dict[str, Any]:
    """The request body in the OpenAPI document."""
    content: dict[str, Any] = {"application/json": {"schema": inlined(model.model_json_schema())}}
    if file:
        content[CSV] = {"schema": {"type": "string", "description": "date,weekday,kind,name_vi,name_en,status,swap"}}
    return {"requestBody": {"required": True, "content": content}}


def create_calendar_router(store: Store[Case], on_change: Changed) -> APIRouter:
    """The routes; `on_change` is called after each change, so that open cases are counted again soon."""
    router = APIRouter(prefix="/calendar", tags=["calendar"], responses=refusals())
    _add_reading(router, store)
    _add_days(router, store, on_change)
    _add_hours(router, store, on_change)
    return router


async def _change(store: Store[Case], edit: Edit, on_change: Changed) -> CalendarBody:
    try:
        almanac = await change_calendar(store, edit)
    except UnfitCalendarError as error:
        raise unfit(error) from None
    on_change()
    return calendar_body(almanac)


def _check_city(who: Principal) -> None:
    if who.agency is not None:
        raise Problem(403, "forbidden", "Not allowed", detail="the days are the city's; the token is of an agency")


def _add_reading(router: APIRouter, store: Store[Case]) -> None:
    @router.get("")
    async def show_calendar(_who: Reader, year: Annotated[int | None, Query(ge=1, le=9999)] = None) -> CalendarBody:
        """The days that differ from the plain week, counter hours, and how far open cases were counted again."""
        almanac, sweep = await read_calendar(store.database), await read_progress(store.database)
        return calendar_body(almanac, sweep, year)


def _add_days(router: APIRouter, store: Store[Case], on_change: Changed) -> None:
    @router.put("/days", openapi_extra=_body(Days, file=True), responses=CHANGING)
    async def replace_years(request: Request, who: Administrator) -> CalendarBody:
        """Put these days in the place of all days of their years; a file's faults are named by line."""
        _check_city(who)
        days = read_all_days(await request.body(), request.headers.get("content-type", ""))
        return await _change(store, lambda almanac: almanac.with_years(days), on_change)

    @router.put("/days/{on}", openapi_extra=_body(SetDay), responses=CHANGING)
    async def set_day(on: DayPath, request: Request, who: Administrator) -> CalendarBody:
        """Set one day; `swap` sets the other day of an exchange with it."""
        _check_city(who)
        day = read_set_day(await request.body(), on)
        return await _change(store, lambda almanac: almanac.with_day(day), on_change)

    @router.delete("/days/{on}")
    async def remove_day(on: DayPath, who: Administrator) -> CalendarBody:
        """Make a day a plain one again, and the other day of its exchange with it."""
        _check_city(who)
        return await _change(store, lambda almanac: almanac.without_day(on), on_change)


def _add_hours(router: APIRouter, store: Store[Case], on_change: Changed) -> None:
    @router.put("/hours", openapi_extra=_body(Hours), responses=CHANGING)
    async def set_common_hours(request: Request, who: Administrator) -> CalendarBody:
        """Set the counter hours of every agency without its own."""
        _check_city(who)
        hours = read_hours(await request.body())
        return await _change(store, lambda almanac: almanac.with_hours(None, hours), on_change)

    @router.put("/hours/{agency}", openapi_extra=_body(Hours), responses=CHANGING)
    async def set_own_hours(agency: AgencyPath, request: Request, who: Administrator) -> CalendarBody:
        """Set an agency's own counter hours."""
        check_agency(who, agency)
        hours = read_hours(await request.body())
        return await _change(store, lambda almanac: almanac.with_hours(agency, hours), on_change)

    @router.delete("/hours/{agency}")
    async def remove_own_hours(agency: AgencyPath, who: Administrator) -> CalendarBody:
        """Let the common counter hours hold for an agency again."""
        check_agency(who, agency)
        return await _change(store, lambda almanac: almanac.with_hours(agency, None), on_change)
