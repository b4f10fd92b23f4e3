"""HTTP of processing: cases, commands, history and clocks for officers; the business clock for who replays a year."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request

from services.processing import repository
from services.processing.bodies import (
    AgencyClockBody,
    CaseBody,
    CommandBody,
    CommandDone,
    HistoryEvent,
    Page,
    command_schema,
    read_clock_setting,
    read_command,
)
from services.processing.domain.case import Case
from services.processing.domain.clock import AgencyClock
from services.processing.domain.machine import CLOCK_TOLERANCE
from services.processing.handlers.officers import Answer, ErasedError, HttpCommand, KeyReusedError, command_case, set_clock
from services.processing.handlers.settling import Rules
from services.processing.repository import Filters
from services.processing.tables import HistoryRow
from shared.clock import Clock, real_time
from shared.contracts.model import Code, Slug
from shared.contracts.words import Kind, Origin
from shared.persistence.work import Store
from shared.problems import Problem, refusals
from shared.security.key_ring import KeyRing
from shared.security.tokens import Principal, Role, check_agency, require

Reader = Annotated[Principal, Depends(require(Role.OFFICER, Role.COUNTER, Role.IMPORTER, Role.AUDITOR))]
Officer = Annotated[Principal, Depends(require(Role.OFFICER, Role.COUNTER, Role.IMPORTER))]
ClockKeeper = Annotated[Principal, Depends(require(Role.IMPORTER))]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[\x20-\x7e]+$")]
Limit = Annotated[int, Query(ge=1, le=500)]
AgencyPath = Annotated[Slug, Path()]
HistoryCursor = Annotated[str | None, Query(pattern=r"^[a-z]{1,20}\.[0-9]{1,9}$")]

COMMAND_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": command_schema()}}}}
CLOCK_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["mode"],
                    "properties": {
                        "mode": {"enum": ["live", "historical"]},
                        "at": {"type": ["string", "null"], "format": "date-time"},
                    },
                }
            }
        },
    }
}


def create_router(
    store: Store[Case], rules: Rules, keys: KeyRing, now: Clock = real_time, on_clock_set: Callable[[], None] = lambda: None
) -> APIRouter:
    """The routes over one store; `on_clock_set` is told when an agency's business clock was set."""
    router = APIRouter(prefix="/v1", responses=refusals())
    _add_cases(router, store, now)
    _add_commands(router, store, rules, keys, now)
    _add_clocks(router, store, now, on_clock_set)
    return router


async def find_visible(store: Store[Case], case_id: UUID, who: Principal) -> tuple[Case, AgencyClock]:
    """A submitted case with its agency's clock; 404 also for another agency's case, which is nobody else's business.

    An agency that a case was forwarded to works on it, and may see it as long as it holds it.
    """
    async with store.database.session() as session:
        case = await repository.find_case(session, case_id)
        if case is None or case.agency is None or not (who.may_see(case.agency) or _holds(who, case)):
            raise Problem(404, "unknown-case", "No such case")
        return case, await repository.find_clock(session, case.agency)


def _holds(who: Principal, case: Case) -> bool:
    return case.holder is not None and who.may_see(case.holder)


def _add_cases(router: APIRouter, store: Store[Case], now: Clock) -> None:
    @router.get("/cases", tags=["cases"])
    async def list_cases(
        who: Reader,
        agency: Annotated[Slug | None, Query()] = None,
        kind: Annotated[Kind | None, Query()] = None,
        status: Annotated[int | None, Query(ge=1, le=10)] = None,
        unit: Annotated[Slug | None, Query()] = None,
        field: Annotated[Slug | None, Query()] = None,
        overdue: Annotated[bool | None, Query()] = None,
        apology: Annotated[bool | None, Query()] = None,
        code: Annotated[Code | None, Query()] = None,
        holder: Annotated[Slug | None, Query()] = None,
        matter: Annotated[Slug | None, Query()] = None,
        contacted: Annotated[bool | None, Query()] = None,
        cursor: Annotated[UUID | None, Query()] = None,
        limit: Limit = 100,
    ) -> Page[CaseBody]:
        """Cases in the order in which they were filed; `overdue` is told by the agency's business clock.

        With `holder` the list is of cases that other agencies forwarded to this one. `overdue=true&apology=false` is the list
        of exceptions: late and open, and nobody has apologised and set another appointment. `overdue=true&contacted=true` are
        the late ones whose citizens have called.
        """
        own = holder or agency
        if own is not None:
            check_agency(who, own)
        owner = agency if holder is not None else agency or who.agency
        filters = Filters(owner, kind, status, unit, field, overdue, code, holder, apology, matter, contacted)
        async with store.database.session() as session:
            found = await repository.list_cases(session, filters, now(), cursor, limit + 1)
        items = [_case_body(case_id, case) for case_id, case in found[:limit]]
        return Page(items=items, next=str(items[-1].case_id) if len(found) > limit else None)

    @router.get("/cases/{case_id}", tags=["cases"], responses=refusals(404))
    async def read_case(case_id: UUID, who: Reader) -> CaseBody:
        """A case as it stands."""
        case, _ = await find_visible(store, case_id, who)
        return _case_body(case_id, case)

    @router.get("/cases/{case_id}/history", tags=["cases"], responses=refusals(404))
    async def read_history(case_id: UUID, who: Reader, cursor: HistoryCursor = None, limit: Limit = 200) -> Page[HistoryEvent]:
        """Every fact about a case, in order."""
        await find_visible(store, case_id, who)
        async with store.database.session() as session:
            rows = await repository.list_history(session, case_id, _place(cursor), limit + 1)
        following = f"{rows[limit - 1].source}.{rows[limit - 1].sequence}" if len(rows) > limit else None
        return Page(items=[_history_event(row) for row in rows[:limit]], next=following)


def _add_commands(router: APIRouter, store: Store[Case], rules: Rules, keys: KeyRing, now: Clock) -> None:
    @router.post(
        "/cases/{case_id}/commands",
        tags=["commands"],
        openapi_extra=COMMAND_BODY,
        response_model=CommandDone,
        responses=refusals(404, 409, 413),
    )
    async def command(case_id: UUID, request: Request, who: Officer, idempotency_key: Key = None) -> dict[str, Any]:
        """Carry out a command; 409 with the reason when the case's state or time does not allow it."""
        body = read_command(await request.body())
        _check_time(who, body, now())
        case, clock = await find_visible(store, case_id, who)
        asked = HttpCommand(
            case_id=case_id,
            agency=str(case.agency if who.may_see(str(case.agency)) else case.holder),
            command=body.command,
            occurred_at=body.occurred_at,
            origin=body.origin,
            scope=f"http:{who.subject}",
            key=idempotency_key,
            note=body.note,
            note_digest=None if body.note is None else keys.digest(body.note.encode()).hex(),
        )
        try:
            return _said(await command_case(store, asked, clock, rules, keys), rules)
        except ErasedError:
            detail = "the personal data of this case were erased; send the command without its note"
            raise Problem(409, "erased", "The case takes no note", detail=detail) from None
        except KeyReusedError:
            raise Problem(409, "key-reused", "The idempotency key belongs to another command") from None


def _add_clocks(router: APIRouter, store: Store[Case], now: Clock, on_clock_set: Callable[[], None]) -> None:
    @router.get("/agencies/{agency}/clock", tags=["agencies"])
    async def read_agency_clock(agency: AgencyPath, who: Reader) -> AgencyClockBody:
        """Where an agency's business clock stands."""
        check_agency(who, agency)
        async with store.database.session() as session:
            clock = await repository.find_clock(session, agency)
        return _agency_clock(agency, clock, now())

    @router.put("/agencies/{agency}/clock", tags=["agencies"], openapi_extra=CLOCK_BODY)
    async def set_agency_clock(agency: AgencyPath, request: Request, who: ClockKeeper) -> AgencyClockBody:
        """Let an agency's business clock run, or stand at a moment of the past."""
        setting = read_clock_setting(await request.body())
        check_agency(who, agency)
        if setting.at is not None and setting.at > now() + CLOCK_TOLERANCE:
            fault = {"pointer": "/at", "rule": "must not lie in the future", "code": "in_the_future"}
            raise Problem(422, "invalid", "The content is not valid", errors=[fault])
        await set_clock(store, agency, setting.mode, setting.at)
        on_clock_set()
        return _agency_clock(agency, AgencyClock(setting.mode, setting.at), now())


def _check_time(who: Principal, body: CommandBody, now: datetime) -> None:
    """A past time, a replay and an import need the role `importer`."""
    if who.role is Role.IMPORTER:
        return
    past = body.occurred_at is not None and body.occurred_at < now - CLOCK_TOLERANCE
    if past or body.origin is not Origin.LIVE:
        minutes = CLOCK_TOLERANCE // timedelta(minutes=1)
        what = f"a time more than {minutes} minutes past" if past else f"the origin {body.origin}"
        raise Problem(403, "importer-only", "Not allowed", detail=f"{what} needs the role importer")


def _said(answer: Answer, rules: Rules) -> dict[str, Any]:
    if answer.rejected is not None:
        raise Problem(
            409,
            "command-rejected",
            "The command was not carried out",
            detail=answer.detail,
            reason=answer.rejected,
            words={language: rules.catalogue.words_of(answer.rejected, language) for language in ("vi", "en")},
            case=answer.said,
        )
    return answer.said


def _case_body(case_id: UUID, case: Case) -> CaseBody:
    return CaseBody(case_id=case_id, **case._asdict())


def _place(cursor: str | None) -> tuple[str, int] | None:
    if cursor is None:
        return None
    source, _, sequence = cursor.partition(".")
    return source, int(sequence)


def _history_event(row: HistoryRow) -> HistoryEvent:
    return HistoryEvent(
        id=row.event_id,
        type=row.type,
        source=row.source,
        sequence=row.sequence,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        origin=Origin(row.origin),
        causation_id=row.causation_id,
        data=json.loads(row.body),
    )


def _agency_clock(agency: str, clock: AgencyClock, now: datetime) -> AgencyClockBody:
    return AgencyClockBody(agency=agency, mode=clock.mode, at=clock.at, business_time=clock.time(now))
