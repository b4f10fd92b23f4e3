"""The common path of every command: decide and evolve in memory, in order, then allot codes and state the facts.

Runs under the locks of its cases, whoever asked: a consumer, an officer over HTTP, or a timer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.processing import repository
from services.processing.domain.case import Case
from services.processing.domain.code import make_code, make_prefix
from services.processing.domain.machine import Context, Rejected, decide, evolve
from shared.calendar import WorkingCalendar, load_calendar, local_date
from shared.catalogue import Catalogue, load_catalogue
from shared.contracts.commands import Command
from shared.contracts.envelope import Envelope
from shared.contracts.events import CaseAccepted, CaseEvent, CommandRejected
from shared.contracts.words import Kind, Lane, Origin
from shared.persistence.work import Work

UNKNOWN = "unknown"
LONGEST_LABEL = 200


@dataclass(frozen=True, slots=True)
class Rules:
    """What decisions rest on: calendar, catalogue, and each agency's code prefix."""

    calendar: WorkingCalendar = field(default_factory=load_calendar)
    catalogue: Catalogue = field(default_factory=load_catalogue)
    prefixes: dict[str, str] = field(default_factory=dict)

    def prefix_of(self, agency: str) -> str:
        """The prefix of an agency's dossier codes."""
        return self.prefixes.get(agency) or make_prefix(agency)


@dataclass(frozen=True, slots=True)
class Asked:
    """A command for one case, with the envelope it came in."""

    case_id: UUID
    envelope: Envelope
    command: Command


@dataclass(slots=True)
class Fact:
    """An event to be stated because of a command; its accepted code is filled in when the batch is settled."""

    case_id: UUID
    event: CaseEvent
    occurred_at: datetime
    origin: Origin
    cause: str


def run(work: Work[Case], commands: Sequence[Asked], rules: Rules) -> list[Fact]:
    """Decide and evolve in order; an illegal command becomes the fact that it was rejected."""
    facts = []
    for asked in commands:
        decided = attempt(work, asked, rules)
        facts += [rejection(work, asked, decided)] if isinstance(decided, Rejected) else decided
    return facts


def attempt(work: Work[Case], asked: Asked, rules: Rules) -> list[Fact] | Rejected:
    """One command on its locked case, in memory."""
    locked, envelope = work.cases[asked.case_id], asked.envelope
    context = Context(
        occurred_at=envelope.occurred_at,
        recorded_at=envelope.recorded_at,
        now=work.now,
        origin=envelope.origin,
        agency=envelope.agency,
        calendar=rules.calendar,
        catalogue=rules.catalogue,
    )
    decided = decide(locked.state, asked.command, context)
    if isinstance(decided, Rejected):
        return decided
    for event in decided:
        locked.state = evolve(locked.state, event, envelope.occurred_at)
    return [Fact(asked.case_id, event, envelope.occurred_at, envelope.origin, envelope.id) for event in decided]


def rejection(work: Work[Case], asked: Asked, rejected: Rejected) -> Fact:
    """The answer to a sender on Kafka. Of a case that nobody knows, the kind is taken to be a dossier."""
    state, envelope = work.cases[asked.case_id].state, asked.envelope
    event = CommandRejected(
        agency=state.agency or _slug(envelope.agency),
        kind=Kind(state.kind or Kind.DOSSIER),
        command_id=envelope.id[:LONGEST_LABEL],
        command=_slug(envelope.type),
        reason=rejected.reason,
        detail=rejected.detail,
    )
    return Fact(asked.case_id, event, work.now, envelope.origin, envelope.id)


def _slug(name: str) -> str:
    """An agency, or a command's type, as a sender named it, if it can be one at all: a stranger's text is not repeated."""
    plain = name.replace("-", "").replace("_", "").replace(".", "")
    bounded = name[:1].isalnum() and name[-1:].isalnum() and len(name) <= 64
    return name if bounded and plain.isascii() and plain.isalnum() and plain == plain.lower() else UNKNOWN


async def settle(work: Work[Case], facts: Sequence[Fact], rules: Rules) -> list[Envelope]:
    """Allot codes, state the facts in order, and write them into the history."""
    if not facts:
        return []
    await _allot_codes(work, facts, rules)
    earlier = len(work.emitted)
    envelopes = [_state(work, fact) for fact in facts]
    bodies = [body for _, body in work.emitted[earlier:]]
    case_ids = [fact.case_id for fact in facts]
    await repository.write_history(work.tx, zip(case_ids, envelopes, bodies, strict=True))
    return envelopes


def _state(work: Work[Case], fact: Fact) -> Envelope:
    lane = Lane(work.cases[fact.case_id].state.lane or Lane.INTERACTIVE)
    return work.emit(fact.case_id, fact.event, occurred_at=fact.occurred_at, cause=fact.cause, origin=fact.origin, lane=lane)


async def _allot_codes(work: Work[Case], facts: Sequence[Fact], rules: Rules) -> None:
    """A range of serials per prefix and local date of acceptance; the last lock that a batch takes."""
    accepted = [(fact, fact.event) for fact in facts if isinstance(fact.event, CaseAccepted)]
    wanted = [(rules.prefix_of(event.agency), local_date(fact.occurred_at)) for fact, event in accepted]
    serials = await repository.allot_serials(work.tx, wanted)
    for (fact, event), (prefix, day), serial in zip(accepted, wanted, serials, strict=True):
        code = make_code(prefix, day, serial)
        fact.event = event.model_copy(update={"code": code})
        locked = work.cases[fact.case_id]
        locked.state = locked.state._replace(code=code)
