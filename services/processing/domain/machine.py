"""The state machine of a case: commands become facts by `decide`, facts become state by `evolve`.

Both are pure; time is an argument. No status changes without a fact, and only along `TRANSITIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.processing.domain.case import TRANSITIONS, Case
from services.processing.domain.code import UNALLOTTED
from services.processing.domain.limits import limits_of
from shared.calendar import WorkingCalendar, local_date
from shared.catalogue import Catalogue
from shared.contracts import commands as ask
from shared.contracts.commands import Command
from shared.contracts.events import (
    CaseAccepted,
    CaseEvent,
    CaseForwarded,
    CaseRefused,
    CaseResolved,
    CaseReturned,
    CaseSubmitted,
    CommandRejected,
    StepCompleted,
)
from shared.contracts.words import Channel, Kind, Origin, Rejection, Status, Timeliness

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far clocks may differ: less than this ahead is no future, less than this behind is no past."""
COMMAND_LIFE = timedelta(days=14)
"""As long as the memory of commands: an older one could run twice."""


@dataclass(frozen=True, slots=True)
class Context:
    """What surrounds one command: when it happened and was written down, for whom, and the rules of the day.

    `now` is the real time at which it is decided. A live fact of the past is told by `recorded_at`, so that a command that
    only waited in a queue is not mistaken for one.
    """

    occurred_at: datetime
    recorded_at: datetime
    now: datetime
    origin: Origin
    agency: str
    calendar: WorkingCalendar
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a command was not carried out; `detail` is a short phrase in English."""

    reason: Rejection
    detail: str | None = None


Decision = list[CaseEvent] | Rejected


def decide(case: Case, command: Command, context: Context) -> Decision:
    """The facts that a command leads to, or why it leads to none. An accepted case has no code yet (`UNALLOTTED`)."""
    act = ACTS.get(type(command))
    fault = _fault_of(context, case, known=act is not None)
    if fault is not None or act is None:
        return fault or Rejected(Rejection.NOT_SUPPORTED)
    target = TARGETS[type(command)]
    status = case.status or 0
    if target not in TRANSITIONS.get(status, ()):
        return Rejected(Rejection.ILLEGAL_TRANSITION, f"from {status:d}")
    return [act(case, command, context)]


def evolve(case: Case, event: CaseEvent, occurred_at: datetime) -> Case:
    """The case after a fact. A rejection changes nothing; a fact that says nothing about the state still moves its time."""
    if isinstance(event, CommandRejected):
        return case
    effect = EFFECTS.get(type(event))
    return case._replace(last_fact_at=occurred_at, **(effect(case, event, occurred_at) if effect else {}))


def _fault_of(context: Context, case: Case, *, known: bool) -> Rejected | None:
    """What forbids the command whatever the case's status, the first that holds: the command itself, then its time."""
    at, live = context.occurred_at, context.origin is Origin.LIVE
    checks = (
        (Rejection.UNKNOWN_CASE, case.status is None),
        (Rejection.EXPIRED, context.now - context.recorded_at > COMMAND_LIFE),
        (Rejection.WRONG_AGENCY, context.agency != case.agency),
        (Rejection.NOT_SUPPORTED, not known),
        (Rejection.IN_THE_FUTURE, at - context.now > CLOCK_TOLERANCE),
        (Rejection.PAST_NOT_ALLOWED, live and context.recorded_at - at > CLOCK_TOLERANCE),
        (Rejection.OUT_OF_ORDER, case.last_fact_at is not None and at < case.last_fact_at),
    )
    for reason, holds in checks:
        if holds:
            return Rejected(reason)
    return None


# --- what each command states ----------------------------------------------------------------------


def _about(case: Case) -> dict[str, Any]:
    """What every fact about a case says."""
    return {"agency": case.agency, "kind": Kind(str(case.kind))}


def _accept(case: Case, command: ask.Accept, context: Context) -> CaseEvent:
    """Accept under the limits in force at the local date of acceptance (Decree 61/2018/NĐ-CP, art. 17.3)."""
    procedure = str(case.procedure)
    limits = limits_of(procedure, context.occurred_at, context.catalogue, context.calendar)
    return CaseAccepted(
        **_about(case),
        code=UNALLOTTED,
        procedure=procedure,
        field=limits.field,
        channel=Channel(str(case.channel)),
        procedure_version=limits.version,
        committed=limits.committed,
        statutory=limits.statutory,
        due_at=limits.due_at,
        statutory_due_at=limits.statutory_due_at,
        unit=command.unit,
    )


def _refuse(case: Case, command: ask.Refuse, _context: Context) -> CaseEvent:
    return CaseRefused(**_about(case), reason=command.reason)


def _complete_step(case: Case, command: ask.CompleteStep, _context: Context) -> CaseEvent:
    return StepCompleted(**_about(case), step=command.step, unit=command.unit)


def _forward(case: Case, command: ask.Forward, _context: Context) -> CaseEvent:
    """Hand over to a unit or an agency; the receiving agency's one-stop unit keeps the case (art. 18, 19.7)."""
    return CaseForwarded(**_about(case), to_unit=command.to_unit, to_agency=command.to_agency)


def _resolve(case: Case, command: ask.Resolve, context: Context) -> CaseEvent:
    """The end of processing, against which timeliness is measured, by local dates."""
    due_on = local_date(case.due_at) if case.due_at else None
    timeliness = context.calendar.timeliness(due_on, context.occurred_at)
    return CaseResolved(
        **_about(case),
        outcome=command.outcome,
        timeliness=Timeliness(timeliness.value),
    )


def _return(case: Case, command: ask.Return, _context: Context) -> CaseEvent:
    return CaseReturned(**_about(case), channel=command.channel)


# Each function takes the command of its own key; one dict of such functions has no narrower common type.
ACTS: Mapping[type[Command], Callable[[Case, Any, Context], CaseEvent]] = {
    ask.Accept: _accept,
    ask.Refuse: _refuse,
    ask.CompleteStep: _complete_step,
    ask.Forward: _forward,
    ask.Resolve: _resolve,
    ask.Return: _return,
}
"""Command type → the function that states its fact."""

TARGETS: Mapping[type[Command], Status] = {
    ask.Accept: Status.ACCEPTED,
    ask.Refuse: Status.REFUSED,
    ask.CompleteStep: Status.IN_PROCESS,
    ask.Forward: Status.IN_PROCESS,
    ask.Resolve: Status.RESOLVED,
    ask.Return: Status.RETURNED,
}
"""Command type → the status in which it leaves the case."""


# --- what each fact changes ------------------------------------------------------------------------

Changes = dict[str, Any]


def _submitted(_case: Case, event: CaseSubmitted, occurred_at: datetime) -> Changes:
    return {
        "status": Status.REGISTERED,
        "agency": event.agency,
        "kind": event.kind,
        "procedure": event.procedure,
        "channel": event.channel,
        "return_channel": event.return_channel,
        "lane": event.lane,
        "submitted_at": occurred_at,
    }


def _accepted(case: Case, event: CaseAccepted, occurred_at: datetime) -> Changes:
    return {
        "status": Status.ACCEPTED,
        "code": None if event.code == UNALLOTTED else event.code,
        "field": event.field,
        "procedure_version": event.procedure_version,
        "due_at": event.due_at,
        "statutory_due_at": event.statutory_due_at,
        "unit": event.unit or case.unit,
        "accepted_at": occurred_at,
    }


def _refused(_case: Case, _event: CaseRefused, _occurred_at: datetime) -> Changes:
    return {"status": Status.REFUSED}


def _stepped(case: Case, event: StepCompleted, _occurred_at: datetime) -> Changes:
    return {"status": Status.IN_PROCESS, "step": event.step, "unit": event.unit or case.unit}


def _forwarded(_case: Case, event: CaseForwarded, _occurred_at: datetime) -> Changes:
    return {"status": Status.IN_PROCESS, "unit": event.to_unit}


def _resolved(_case: Case, event: CaseResolved, occurred_at: datetime) -> Changes:
    return {"status": Status.RESOLVED, "outcome": event.outcome, "resolved_at": occurred_at}


def _returned(_case: Case, event: CaseReturned, occurred_at: datetime) -> Changes:
    return {"status": Status.RETURNED, "return_channel": event.channel, "returned_at": occurred_at}


EFFECTS: Mapping[type[CaseEvent], Callable[[Case, Any, datetime], Changes]] = {
    CaseSubmitted: _submitted,
    CaseAccepted: _accepted,
    CaseRefused: _refused,
    StepCompleted: _stepped,
    CaseForwarded: _forwarded,
    CaseResolved: _resolved,
    CaseReturned: _returned,
}
"""Event type → what it changes in the case."""
