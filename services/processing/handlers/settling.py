"""The common path of every command: decide and evolve in memory, in order, then allot codes and state the facts.

Runs under the locks of its cases, whoever asked: a consumer, an officer over HTTP, or a timer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.processing import repository
from services.processing.domain.case import Case, changed
from services.processing.domain.code import CodePattern, default_pattern
from services.processing.domain.escalation import Escalation
from services.processing.domain.machine import Context, Rejected, decide, evolve
from services.processing.domain.timeline import Recorded
from services.processing.domain.timers import Passed, next_timer, pass_time
from services.processing.handlers.histories import NOT_STATED, Histories, find_histories
from shared.calendar import WorkingCalendar, load_calendar, local_date
from shared.catalogue import Catalogue, load_catalogue
from shared.contracts.commands import Command, Reopen
from shared.contracts.envelope import Envelope
from shared.contracts.events import INTAKE, CaseAccepted, CaseEvent, CommandRejected
from shared.contracts.words import Kind, Lane, Origin
from shared.persistence.work import STREAM_WIDTH, Work

UNKNOWN = "unknown"
LONGEST_LABEL = 200
LANES = (Lane.INTERACTIVE, Lane.BULK)
OF_INTAKE = f"/{INTAKE}"
"""Where commands come from that say what citizens asked for."""
TIMER_PLACE = STREAM_WIDTH + Case._fields.index("timer_at")
"""Where a case's row holds its timer."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What decisions rest on: calendar, catalogue, and the pattern of each agency's codes.

    `rules_in_force` gives those of a transaction: with the calendar as the database has it, of that `revision` and moment.
    `agencies` have counter hours of their own. `newest` is what was read last, the same list in every copy.
    """

    calendar: WorkingCalendar = field(default_factory=load_calendar)
    catalogue: Catalogue = field(default_factory=load_catalogue)
    patterns: dict[str, CodePattern] = field(default_factory=dict)
    agencies: Mapping[str, WorkingCalendar] = field(default_factory=dict)
    escalation: Escalation = field(default_factory=Escalation)
    revision: int = 0
    changed_at: datetime | None = None
    newest: list[Rules] = field(default_factory=list, repr=False, compare=False)

    def of(self, agency: str | None) -> Rules:
        """The rules with an agency's own calendar."""
        own = self.agencies.get(agency) if agency else None
        return replace(self, calendar=own) if own else self

    def pattern_of(self, agency: str) -> CodePattern:
        """The pattern of an agency's dossier codes."""
        return self.patterns.get(agency) or default_pattern(agency)


class Asked(NamedTuple):
    """A command for one case, with the envelope it came in."""

    case_id: UUID
    envelope: Envelope
    command: Command


@dataclass(slots=True)
class Fact:
    """An event to be stated because of a command, or of time; its accepted code is filled in when the batch is settled."""

    case_id: UUID
    event: CaseEvent
    occurred_at: datetime
    origin: Origin
    cause: str | None


async def run(work: Work[Case], commands: Sequence[Asked], rules: Rules) -> list[Fact]:
    """Decide and evolve in order; an illegal command becomes the fact that it was rejected."""
    histories = await find_histories(work.tx, ((asked.case_id, asked.command) for asked in commands))
    facts: list[Fact] = []
    for asked in commands:
        history = _so_far(histories, asked.case_id, facts) if histories else ()
        decided = attempt(work, asked, rules, history)
        facts += [rejection(work, asked, decided)] if isinstance(decided, Rejected) else decided
    return facts


def _so_far(histories: Histories, case_id: UUID, facts: Sequence[Fact]) -> list[Recorded]:
    """A case's history with what this batch has added to it."""
    added = (Recorded(NOT_STATED, fact.event, fact.occurred_at) for fact in facts if fact.case_id == case_id)
    return [*histories.get(case_id, ()), *added]


def attempt(work: Work[Case], asked: Asked, rules: Rules, history: Sequence[Recorded] = ()) -> list[Fact] | Rejected:
    """One command on its locked case, in memory; only a correction needs the case's history."""
    locked, envelope = work.cases[asked.case_id], asked.envelope
    at, rules = _moment(asked, locked.state), rules.of(locked.state.agency)
    context = Context(
        occurred_at=at,
        recorded_at=envelope.recorded_at,
        now=work.now,
        origin=envelope.origin,
        agency=envelope.agency,
        calendar=rules.calendar,
        catalogue=rules.catalogue.of(locked.state.agency),
        history=history,
    )
    state, passed = _at_last(locked.state, at, rules)
    decided = decide(state, asked.command, context)
    if isinstance(decided, Rejected):
        return decided
    for event in decided:
        state = evolve(state, event, at)
    locked.state = timed(state, rules)
    facts = [Fact(asked.case_id, event, at, envelope.origin, envelope.id) for event in decided]
    if passed:
        origin = envelope.origin if envelope.origin is Origin.REPLAY else Origin(state.origin or Origin.LIVE)
        facts = [Fact(asked.case_id, event, passed_at, origin, None) for event, passed_at in passed] + facts
    return facts


def _moment(asked: Asked, case: Case) -> datetime:
    """When a command happens. A citizen opens a case again after all that was done while the word was on its way."""
    at = asked.envelope.occurred_at
    of_citizen = type(asked.command) is Reopen and asked.envelope.source == OF_INTAKE
    return max(at, case.last_fact_at) if of_citizen and case.last_fact_at is not None else at


def timed(case: Case, rules: Rules) -> Case:
    """The case with its timer as its state and its agency's rules have it."""
    at = next_timer(case, rules)
    return case if at == case.timer_at else changed(case, {"timer_at": at})


def _at_last(case: Case, at: datetime, rules: Rules) -> tuple[Case, list[Passed]]:
    """What time made of a case before a command comes first; one that is rejected leaves it to the next, or to the tick."""
    return (case, []) if case.timer_at is None or case.timer_at > at else pass_time(case, at, rules)


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
    await keep_timers(work)
    await _allot_codes(work, facts, rules)
    earlier = len(work.emitted)
    envelopes = [_state(work, fact) for fact in facts]
    bodies = [body for _, body in work.emitted[earlier:]]
    case_ids = [fact.case_id for fact in facts]
    await repository.write_history(work.tx, zip(case_ids, envelopes, bodies, strict=True))
    return envelopes


async def keep_timers(work: Work[Case]) -> None:
    """Keep when each case must be looked at again, where that has changed."""
    changes = [
        (case_id, locked.state) for case_id, locked in work.cases.items() if locked.state.timer_at != locked.before[TIMER_PLACE]
    ]
    await repository.keep_timers(work.tx, changes)


def _state(work: Work[Case], fact: Fact) -> Envelope:
    lane = LANES[work.cases[fact.case_id].state.lane or 0]
    return work.emit(fact.case_id, fact.event, occurred_at=fact.occurred_at, cause=fact.cause, origin=fact.origin, lane=lane)


async def _allot_codes(work: Work[Case], facts: Sequence[Fact], rules: Rules) -> None:
    """A range of serials per identifier and local date of acceptance; the last lock that a batch takes."""
    accepted = [(fact, fact.event) for fact in facts if isinstance(fact.event, CaseAccepted)]
    wanted = [(rules.pattern_of(event.agency), local_date(fact.occurred_at)) for fact, event in accepted]
    serials = await repository.allot_serials(work.tx, [(pattern.identifier, day) for pattern, day in wanted])
    for (fact, event), (pattern, day), serial in zip(accepted, wanted, serials, strict=True):
        code = pattern.code(day, serial)
        fact.event = event.model_copy(update={"code": code})
        locked = work.cases[fact.case_id]
        locked.state = locked.state._replace(code=code)
