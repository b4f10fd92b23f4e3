"""HTTP of dead letters, the same in every service: what is parked and why; replay; discard. For the city's administrators."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Query
from ormsgpack import unpackb
from pydantic import BaseModel, ConfigDict, model_validator

from shared.contracts.model import Reason
from shared.contracts.topics import CASE_COMMANDS, CASE_EVENTS
from shared.messaging.replay import NoConsumerError, NotFirstError, Replay, Report, SettledError, UnknownLetterError
from shared.persistence.parked import Letter, Outline, State, find_letter, list_letters
from shared.persistence.work import Store
from shared.problems import Problem, refusals
from shared.security.tokens import Principal, Role, require
from shared.service.runtime import Runtime

SHOWN_TOPICS = frozenset({CASE_EVENTS.name, CASE_COMMANDS.name})
"""Topics whose content an administrator may see: by contract no person is in it. Others carry private or vendors' content."""
SHOWN_CHARACTERS = 4000

log = structlog.get_logger()


async def _city_administrator(who: Annotated[Principal, Depends(require(Role.ADMIN))]) -> Principal:
    if who.agency is not None:
        raise Problem(403, "forbidden", "Not allowed", detail="dead letters are of all agencies, the token is of one")
    return who


Administrator = Annotated[Principal, Depends(_city_administrator)]


class DeadLetter(BaseModel):
    """What could not be taken: where it stands in its topic, why, since when, and what became of it."""

    id: UUID
    service: str
    group: str
    topic: str
    partition: int
    offset: int
    case_id: UUID | None
    type: str
    reason: str
    detail: str
    state: State
    parked_at: datetime
    settled_at: datetime | None
    settled_by: str | None
    settled_reason: str | None
    size: int | None


class DeadLetterPage(BaseModel):
    """A page in the order in which they were parked; `next` is the cursor of the next page, null at the end."""

    items: list[DeadLetter]
    next: UUID | None


class ShownDeadLetter(DeadLetter):
    """One with its content, of topics without private content; of the others the names of its headers and its size."""

    header_names: list[str]
    headers: list[tuple[str, str | None]] | None
    value: str | None


class ReplayAsked(BaseModel):
    """What to replay: one record, a case, or everything; of everything what comes after the subject `cursor`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    id: UUID | None = None
    case_id: UUID | None = None
    all: bool = False
    cursor: UUID | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.id is not None) + (self.case_id is not None) + self.all != 1:
            raise ValueError("give exactly one of id, case_id and all")
        if self.cursor is not None and not self.all:
            raise ValueError("a cursor belongs to all")
        return self


class DiscardAsked(BaseModel):
    """Why a record is given up: a code, never a word about a person."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    reason: Reason


class StuckLetter(BaseModel):
    """A record that still cannot be taken, and how many wait behind it."""

    id: UUID
    case_id: UUID | None
    group: str
    reason: str
    detail: str
    behind: int


class ReplayDone(BaseModel):
    """Records taken; skipped (known already, or not wanted any more); still at fault. With `more`, ask again from `next`."""

    replayed: int
    skipped: int
    stuck: list[StuckLetter]
    more: bool
    next: UUID | None


def dead_letter_routes(runtime: Runtime, store: Store[Any]) -> APIRouter:
    """The routes over one service's `parked` table and its consumers."""
    router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"], responses=refusals())
    _add_reads(router, store)
    _add_settling(router, Replay(store, runtime.consumers, seconds=runtime.settings.answer_seconds / 2))
    return router


def _add_reads(router: APIRouter, store: Store[Any]) -> None:
    @router.get("")
    async def list_dead_letters(
        who: Administrator,  # noqa: ARG001 - only to be one
        state: State = State.PARKED,
        case_id: UUID | None = None,
        group: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9._-]{1,300}$")] = None,
        cursor: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> DeadLetterPage:
        """What is parked, the oldest first."""
        async with store.database.transaction() as tx:
            found = await list_letters(
                tx, store.parked, state=state, case_id=case_id, group=group, after=cursor, limit=limit + 1
            )  # fmt: skip
        items = [DeadLetter(**_outline(store.service, letter)) for letter in found[:limit]]
        return DeadLetterPage(items=items, next=items[-1].id if len(found) > limit else None)

    @router.get("/{letter_id}", responses=refusals(404))
    async def show_dead_letter(letter_id: UUID, who: Administrator) -> ShownDeadLetter:
        """One of them, with what may be shown of its content."""
        async with store.database.transaction() as tx:
            letter = await find_letter(tx, store.parked, letter_id)
        if letter is None:
            raise _unknown()
        log.info("dead letter shown", id=str(letter_id), by=who.subject)
        return _shown(store.service, letter)


def _add_settling(router: APIRouter, replay: Replay) -> None:
    @router.post("/replay", responses=refusals(404, 409))
    async def replay_dead_letters(asked: ReplayAsked, who: Administrator) -> ReplayDone:
        """Take parked records now, in the order of their cases; whatever was taken before is not taken twice."""
        if asked.id is not None:
            return await _answer(replay.replay_one(asked.id, who.subject))
        if asked.case_id is not None:
            return await _answer(replay.replay_case(asked.case_id, who.subject))
        return await _answer(replay.replay_all(who.subject, asked.cursor))

    @router.post("/{letter_id}/discard", responses=refusals(404, 409))
    async def discard_dead_letter(letter_id: UUID, asked: DiscardAsked, who: Administrator) -> ReplayDone:
        """Give a record up for good; what waited behind it is taken."""
        return await _answer(replay.discard(letter_id, asked.reason, who.subject))


async def _answer(doing: Awaitable[Report]) -> ReplayDone:
    try:
        report = await doing
    except UnknownLetterError:
        raise _unknown() from None
    except SettledError as error:
        raise Problem(409, "settled", "It is settled already", detail=str(error)) from None
    except NotFirstError as error:
        raise Problem(409, "not-first", "Another record comes first", detail=str(error), first=str(error.first)) from None
    except NoConsumerError as error:
        raise Problem(409, "no-consumer", "Nobody here can take it", detail=str(error)) from None
    stuck = [StuckLetter(group=each.consumer_group, **_without(asdict(each), "consumer_group")) for each in report.stuck]
    return ReplayDone(
        replayed=report.replayed,
        skipped=report.skipped,
        stuck=stuck,
        more=report.more,
        next=report.after if report.more else None,
    )


def _unknown() -> Problem:
    return Problem(404, "unknown-dead-letter", "No such record is, or was, parked in this service")


def _without(content: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in names}


def _outline(service: str, letter: Outline) -> dict[str, Any]:
    content = asdict(letter)
    content |= {"service": service, "group": content.pop("consumer_group"), "offset": content.pop("position")}
    return _without(content, "key", "headers", "payload")


def _shown(service: str, letter: Letter) -> ShownDeadLetter:
    pairs = [(name, None if value is None else bytes(value)) for name, value in unpackb(letter.headers)]
    seen = letter.topic in SHOWN_TOPICS
    return ShownDeadLetter(
        header_names=[name for name, _ in pairs],
        headers=[(name, None if value is None else _text(value)) for name, value in pairs] if seen else None,
        value=_text(letter.payload) if seen and letter.payload is not None else None,
        **_outline(service, letter),
    )


def _text(raw: bytes) -> str:
    return raw[: 4 * SHOWN_CHARACTERS].decode(errors="replace")[:SHOWN_CHARACTERS]
