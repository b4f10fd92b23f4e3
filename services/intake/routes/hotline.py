"""`POST /v1/hotline/{source}`: a call centre's signed webhook; and for its integrator what became of each event."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel
from starlette.datastructures import Headers

from services.intake.group_commit import UnavailableError
from services.intake.hotline.arrivals import Arrival, Door, Taken
from services.intake.hotline.desk import HotlineDesk, NotInForceError, UnknownSourceError
from services.intake.hotline.log import Entry, Place, read_log
from services.intake.hotline.sources import Source
from services.intake.hotline.understanding import CONTENT_TYPE, arrive
from shared.contracts.hotline import EventOutcome
from shared.hotline.payload import LARGEST_PAYLOAD
from shared.hotline.rules import Rule
from shared.hotline.signing import SignatureError
from shared.persistence.errors import is_transient
from shared.problems import MEDIA_TYPE, Problem, refusals, unavailable
from shared.security.tokens import Principal, Role, require
from shared.service.callers import Callers
from shared.service.limits import too_large
from shared.service.rate import Rate

PATH: Final = "/v1/hotline/{source}"
WEBHOOK_ID: Final = "webhook-id"
SIGNED: Final = frozenset({"standard_webhooks", "hmac"})
"""Schemes that sign the body: what headers say beside it is anybody's word."""
MALFORMED: Final = frozenset({Rule.NOT_JSON, Rule.REPEATED_NAME, Rule.NOT_A_NUMBER, Rule.TOO_DEEP})
"""Rules of a body that cannot be read at all, or in more than one way."""
CHALLENGES: Final = {"basic": 'Basic realm="hotline"', "bearer": "Bearer"}
SOURCE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""How a source may be called."""
KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")
"""An event's own id, or that of a refusal, as cursors hold it."""
Reader = Annotated[Principal, Depends(require(Role.INTEGRATOR))]
DryRun = Annotated[bool, Query(description="Answer what would happen; nothing is kept.")]
log = structlog.get_logger()


class Fault(BaseModel):
    """A rule that an event breaks: where in the payload, and the line of the mapping that asks for it."""

    field: str
    rule: str
    line: int | None = None


class Result(BaseModel):
    """What became of one event; `case_id` is the case that a ticket is, `note` says more as a code."""

    event_id: str | None
    outcome: EventOutcome
    case_id: UUID | None = None
    note: str | None = None
    faults: list[Fault] | None = None


class Results(BaseModel):
    """What became of the events of one payload, in its order."""

    results: list[Result]


class Replayed(Results):
    """What became of payloads that were tried again; `next` is the cursor of those that follow, null at the end."""

    next: UUID | None


class Logged(Result):
    """One event as it is in the log. A payload that is kept still can be tried again."""

    received_at: datetime
    occurred_at: datetime | None
    door: str
    type: str | None
    replayable: bool


class LogPage(BaseModel):
    """A page, the newest first; `next` is the cursor of the following page, null at the end."""

    items: list[Logged]
    next: str | None


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """Answers who is not let in, and not too many of one address. A right signature is never refused for others' wrong ones."""

    callers: Callers
    rate: Rate

    def refuse(self, request: Request, problem: Problem) -> Problem:
        """The problem, or that there were too many of them."""
        refused = self.rate.ask(self.callers.of(request))
        if refused is None:
            return problem
        headers = {"Retry-After": str(math.ceil(refused.wait))}
        return Problem(429, "too-many", "Too many requests that were not let in", detail="see Retry-After", headers=headers)


_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"description": "The proof, or the body, is malformed; `reason` says how", "content": {MEDIA_TYPE: {}}},
    401: {"description": "Not proven to be the source's; `reason` says why", "content": {MEDIA_TYPE: {}}},
    404: {"description": "No such source", "content": {MEDIA_TYPE: {}}},
    413: {"description": "The body is too large", "content": {MEDIA_TYPE: {}}},
    422: {"description": "No event was taken; `errors` lists the faults", "content": {MEDIA_TYPE: {}}},
    429: {"description": "Too many requests that were not let in", "content": {MEDIA_TYPE: {}}},
    503: {"description": "Not committed; send it again after Retry-After", "content": {MEDIA_TYPE: {}}},
}


def add_hotline_routes(router: APIRouter, desk: HotlineDesk, gate: Gatekeeper) -> None:
    """The webhook, which needs no token of ours, and the two routes of an integrator."""
    _add_webhook(router, desk, gate)
    _add_reading(router, desk)


def _add_webhook(router: APIRouter, desk: HotlineDesk, gate: Gatekeeper) -> None:

    @router.post(
        PATH, tags=["hotline"], summary="Events of a call centre", response_model_exclude_none=True, responses=_ANSWERS,
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": {}}}}},
    )  # fmt: skip
    async def take(request: Request, source: str, dry_run: DryRun = False) -> Results:
        """The body is whatever the source's mapping understands. It is proven before it is parsed; 200 means committed."""
        body = await request.body()
        if len(body) > LARGEST_PAYLOAD:
            raise too_large(LARGEST_PAYLOAD)
        known = _prove(desk, gate, request, source, body)
        arrival = arrive(known, Door.WEBHOOK, body, _attributes(known, request.headers))
        taken = await (desk.try_out(arrival) if dry_run else _take(desk, arrival))
        if taken and all(each.outcome is EventOutcome.REFUSED for each in taken):
            raise _not_understood(taken)
        return Results(results=[_result(each) for each in taken])


def _add_reading(router: APIRouter, desk: HotlineDesk) -> None:
    @router.get(f"{PATH}/log", tags=["hotline"], summary="What became of a source's events", responses=refusals(404))
    async def read_the_log(
        who: Reader,
        source: str,
        outcome: EventOutcome | None = None,
        cursor: Annotated[str | None, Query(max_length=300)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> LogPage:
        """Kept for 14 days; nothing personal. A repetition leaves no line: the event that it repeats is there."""
        _check_name(source)
        async with desk.store.database.transaction() as tx:
            entries = await read_log(tx, source, who.agency, outcome, _place(cursor), limit + 1)
        items = [_logged(entry) for entry in entries[:limit]]
        more = _cursor(entries[limit - 1]) if len(entries) > limit else None
        return LogPage(items=items, next=more)

    @router.post(f"{PATH}/replay", tags=["hotline"], summary="Refused payloads again by today's mapping", responses=refusals(404))
    async def replay(who: Reader, source: str, cursor: UUID | None = None) -> Replayed:
        """Payloads of the last 24 hours, the oldest first, some at a time. What is refused again stays until its time is up."""
        _check_name(source)
        _check_agency(desk, who, source)
        try:
            retried = await desk.retry(source, cursor)
        except UnknownSourceError:
            raise _unknown() from None
        return Replayed(results=[_result(each) for each in retried.answers], next=retried.next)


def _prove(desk: HotlineDesk, gate: Gatekeeper, request: Request, name: str, body: bytes) -> Source:
    try:
        return desk.prove(name, _joined(request.headers), body)
    except UnknownSourceError:
        raise gate.refuse(request, _unknown()) from None
    except NotInForceError:
        raise gate.refuse(request, unavailable("The mapping or the secret cannot be used now; send it again")) from None
    except SignatureError as error:
        source = desk.sources.get(name)
        scheme = source.mapping.authentication.scheme if source is not None else ""
        raise gate.refuse(request, _bad_signature(error, scheme)) from None


def _joined(headers: Headers) -> dict[str, str]:
    """Headers by name; what is given twice is joined, as HTTP says, so that no reader can choose one of them."""
    found: dict[str, str] = {}
    for name, value in headers.items():
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _attributes(source: Source, headers: Headers) -> dict[str, str]:
    """CloudEvents attributes that came as headers (HTTP protocol binding), where no signature covers the body only."""
    scheme = source.mapping.authentication.scheme
    found = {} if scheme in SIGNED else {name[3:]: value for name, value in _joined(headers).items() if name.startswith("ce-")}
    if scheme == "standard_webhooks":  # signed with the body, and the same whenever it is sent again
        found["webhookid"] = headers.get(WEBHOOK_ID, "")
    return found | {CONTENT_TYPE: headers.get("content-type", "")}


async def _take(desk: HotlineDesk, arrival: Arrival) -> Sequence[Taken]:
    try:
        return await desk.take(arrival)
    except UnavailableError:
        raise unavailable("Nothing was taken as far as we know; send it again") from None
    except Exception as error:
        if is_transient(error):
            raise unavailable("Nothing was taken as far as we know; send it again") from error
        log.exception("events could not be taken", source=arrival.source, error=type(error).__name__)
        raise Problem(500, "internal", "The events could not be taken", detail="it has been logged") from error


def _result(taken: Taken) -> Result:
    faults = [Fault(field=each.field, rule=each.rule, line=each.line) for each in taken.wrong]
    return Result(
        event_id=taken.event_id, outcome=taken.outcome, case_id=taken.case_id, note=taken.note or None, faults=faults or None
    )  # fmt: skip


def _logged(entry: Entry) -> Logged:
    return Logged(
        event_id=entry.event_id,
        outcome=EventOutcome(entry.outcome),
        case_id=entry.case_id,
        note=entry.note,
        faults=[Fault(**fault) for fault in entry.faults] or None,
        received_at=entry.received_at,
        occurred_at=entry.occurred_at,
        door=entry.door,
        type=entry.type,
        replayable=entry.is_sealed,
    )


def _cursor(entry: Entry) -> str:
    return f"{entry.received_at.isoformat()} {entry.key}"


def _place(cursor: str | None) -> Place | None:
    """Where a page ended.

    Raises:
        Problem: 422 when it is no cursor of ours.
    """
    if cursor is None:
        return None
    at, _, key = cursor.partition(" ")
    try:
        if KEY.fullmatch(key):
            return Place(datetime.fromisoformat(at).astimezone(UTC), key)
    except (ValueError, OverflowError):
        pass
    fault = {"pointer": "/query/cursor", "rule": "must be the `next` of a page", "code": "cursor"}
    raise Problem(422, "invalid", "The content is not valid", errors=[fault])


def _check_name(name: str) -> None:
    """What cannot be a source's name is asked of no database."""
    if not SOURCE.fullmatch(name):
        raise _unknown()


def _check_agency(desk: HotlineDesk, who: Principal, name: str) -> None:
    source = desk.sources.get(name)
    if who.agency is not None and (source is None or source.mapping.home_agency != who.agency):
        raise _unknown()


def _unknown() -> Problem:
    return Problem(404, "unknown-source", "No such source", detail="there is no mapping of this name, or it has no secret here")


def _bad_signature(error: SignatureError, scheme: str) -> Problem:
    if error.malformed:
        return Problem(400, "bad-signature", "The proof of the sender is malformed", reason=error.reason)
    headers = {"WWW-Authenticate": CHALLENGES.get(scheme, "Signature")}
    return Problem(401, "bad-signature", "Not proven to be the source's", reason=error.reason, headers=headers)


def _not_understood(taken: Sequence[Taken]) -> Problem:
    """Every event was refused; a body that is no JSON, or can be read in two ways, is malformed."""
    first = taken[0].wrong[0]
    if len(taken) == 1 and first.rule in MALFORMED:
        return Problem(400, "malformed", "The body cannot be read", reason=first.rule)
    errors = [
        {"pointer": f"/{each.field}", "rule": each.rule, "code": "refused", "event_id": result.event_id, "line": each.line}
        for result in taken[:20]
        for each in result.wrong
    ]
    return Problem(422, "not-understood", "No event was taken", detail=f"{len(taken)} refused", errors=errors)
