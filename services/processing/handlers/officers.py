"""What an officer, a counter or an importer asks for over HTTP: one command, or an agency's business clock."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from uuid_utils.compat import uuid7

from services.processing import repository
from services.processing.domain.case import Case
from services.processing.domain.clock import AgencyClock
from services.processing.domain.machine import Rejected
from services.processing.handlers.calendar import rules_in_force
from services.processing.handlers.histories import find_histories
from services.processing.handlers.notes import keep_note
from services.processing.handlers.settling import Asked, Fact, Rules, attempt, settle
from shared.contracts.commands import Command
from shared.contracts.envelope import Envelope, format_time
from shared.contracts.events import ClockSet
from shared.contracts.words import ClockMode, Origin
from shared.persistence.work import Locked, Store, Work
from shared.security.key_ring import KeyRing

SOURCE = "/http"
COMMAND_IDS = UUID("6f6d7f2e-53c5-4c0a-9a43-0c2d6b7e1a55")
"""Name space of the ids of commands with an idempotency key: neither key nor subject can be read from an event."""


class KeyReusedError(Exception):
    """The idempotency key was used before, for another command."""


class ErasedError(Exception):
    """The people of this case were erased: nothing may be written about them."""


@dataclass(frozen=True, slots=True)
class HttpCommand:
    """One command. `occurred_at` None is the agency's business time; `scope` and `key` make a repetition known.

    `note` is free text beside it, and `note_digest` stands for it in what is remembered.
    """

    case_id: UUID
    agency: str
    command: Command
    occurred_at: datetime | None
    origin: Origin
    scope: str
    key: str | None
    note: str | None = field(default=None, repr=False)
    note_digest: str | None = None

    def content(self) -> str:
        """What must be the same when the key is the same."""
        said = [self.case_id, self.command.type, self.occurred_at, self.origin, self.command.model_dump_json()]
        said += [] if self.note_digest is None else [self.note_digest]
        return json.dumps([str(each) for each in said])


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command: `rejected` is the reason, None when it was carried out."""

    said: dict[str, Any]
    rejected: str | None = None
    detail: str | None = None

    def to_json(self) -> str:
        """For the table of answers."""
        return json.dumps([self.said, self.rejected, self.detail])

    @classmethod
    def from_json(cls, raw: str) -> Answer:
        """From the table of answers."""
        return cls(*json.loads(raw))


async def command_case(store: Store[Case], asked: HttpCommand, clock: AgencyClock, rules: Rules, keys: KeyRing) -> Answer:
    """Carry out one command under its case's lock; the same key is answered the same again, and done once.

    A rejection is the answer and nothing else: no `case.command_rejected` is stated, since the sender knows already.

    Raises:
        KeyReusedError: The key belongs to another command.
        ErasedError: It has a note, and the people of its case were erased.
    """
    async with store.open([asked.case_id]) as work:
        if asked.key is not None:
            earlier = await repository.find_answer(work.tx, asked.scope, asked.key)
            if earlier is not None:
                return _repeat(asked, *earlier)
        if asked.note is not None and await repository.is_erased(work.tx, asked.case_id):
            raise ErasedError
        envelope = _envelope(work, asked, work.cases[asked.case_id].state, clock)
        answer = await _carry_out(work, asked, envelope, await rules_in_force(work.tx, rules))
        if asked.note is not None and answer.rejected is None:
            await keep_note(work, keys, asked.case_id, UUID(envelope.id), asked.agency, asked.note)
        if asked.key is not None:
            kept = await repository.keep_answer(work.tx, asked.scope, asked.key, asked.content(), answer.to_json())
            if not kept:
                raise KeyReusedError
        return answer


def _repeat(asked: HttpCommand, content: str, answer: str) -> Answer:
    if content != asked.content():
        raise KeyReusedError
    return Answer.from_json(answer)


async def _carry_out(work: Work[Case], asked: HttpCommand, envelope: Envelope, rules: Rules) -> Answer:
    locked = work.cases[asked.case_id]
    history = (await find_histories(work.tx, [(asked.case_id, asked.command)])).get(asked.case_id, ())
    decided = attempt(work, Asked(asked.case_id, envelope, asked.command), rules, history)
    if isinstance(decided, Rejected):
        return Answer(_outline(asked.case_id, locked), decided.reason.value, decided.detail)
    return await _carried_out(work, asked.case_id, decided, rules)


async def _carried_out(work: Work[Case], case_id: UUID, facts: list[Fact], rules: Rules) -> Answer:
    stated = await settle(work, facts, rules)
    events = [
        {
            "id": envelope.id,
            "type": envelope.type,
            "sequence": envelope.sequence,
            "occurred_at": format_time(envelope.occurred_at).decode(),
        }
        for envelope in stated
    ]
    return Answer(_outline(case_id, work.cases[case_id]) | {"events": events})


def _outline(case_id: UUID, locked: Locked[Case]) -> dict[str, Any]:
    state = locked.state
    due_at = format_time(state.due_at).decode() if state.due_at else None
    return {"case_id": str(case_id), "status": state.status and int(state.status), "code": state.code, "due_at": due_at}


def _envelope(work: Work[Case], asked: HttpCommand, case: Case, clock: AgencyClock) -> Envelope:
    """A command without a time happens at the agency's business time, though not before the case's last fact.

    Where that stands in the past, the command is part of the replay.
    """
    occurred_at, origin = asked.occurred_at, asked.origin
    if occurred_at is None:
        business_now = clock.time(work.now)
        occurred_at = max(business_now, case.last_fact_at or business_now)
        origin = Origin.REPLAY if clock.mode is ClockMode.HISTORICAL else origin
    command_id = uuid5(COMMAND_IDS, f"{asked.scope}\n{asked.key}") if asked.key is not None else uuid7()
    return Envelope(
        id=str(command_id),
        type=asked.command.type,
        source=SOURCE,
        subject=str(asked.case_id),
        agency=asked.agency,
        occurred_at=occurred_at,
        recorded_at=work.now,
        origin=origin,
    )


async def set_clock(store: Store[Case], agency: str, mode: ClockMode, at: datetime | None) -> None:
    """Set where an agency's business clock stands; only a change is a fact."""
    async with store.open(()) as work:
        sequence = await repository.set_clock(work.tx, agency, mode, at)
        if sequence is not None:
            event = ClockSet(agency=agency, mode=mode, at=at)
            work.emit_agency(event, agency=agency, sequence=sequence, occurred_at=work.now, origin=Origin.LIVE)
