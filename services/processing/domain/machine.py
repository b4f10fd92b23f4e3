"""The state machine of a case: commands become facts by `decide`, facts become state by `evolve`.

Both are pure; time is an argument. No status changes without a fact, and only along `TRANSITIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from services.processing.domain import acts, beside, guards
from services.processing.domain.case import Case, changed
from services.processing.domain.context import CLOCK_TOLERANCE, COMMAND_LIFE, Context, Decision, Rejected
from services.processing.domain.correcting import correct
from services.processing.domain.effects import EFFECTS
from services.processing.domain.guards import fault_of, illegal
from services.processing.domain.timers import OF_TIME
from shared.contracts import commands as ask
from shared.contracts.commands import Command
from shared.contracts.events import CaseEvent, CaseLinked, CaseRated, CommandRejected, ContactRecorded
from shared.contracts.words import Status

__all__ = ["CLOCK_TOLERANCE", "COMMAND_LIFE", "MOVES", "Context", "Decision", "Move", "Rejected", "decide", "evolve"]

# Each takes the command of its own key; one table of such functions has no narrower common type.
Act = Callable[[Case, Any, Context], Decision]
Guard = Callable[[Case, Any, Context], Rejected | None]


class Move(NamedTuple):
    """One kind of command: what it states, the statuses from which it is legal, and its guards in their order."""

    act: Act
    sources: frozenset[int]
    guards: tuple[Guard, ...] = ()


REGISTERED, ACCEPTED, IN_PROCESS = Status.REGISTERED, Status.ACCEPTED, Status.IN_PROCESS
SUPPLEMENT, PAYMENT = Status.SUPPLEMENT_REQUESTED, Status.PAYMENT_REQUESTED
WITHDRAWAL, STOPPED = Status.WITHDRAWAL_REQUESTED, Status.STOPPED
RESOLVED, RETURNED = Status.RESOLVED, Status.RETURNED

ANYTIME = frozenset({*Status} - {REGISTERED})
"""What is said beside a case's way, once it has been answered."""

MOVES: Mapping[type[Command], Move] = {
    ask.Accept: Move(
        acts.accept, frozenset({REGISTERED, SUPPLEMENT}), (guards.is_new, guards.is_complete, guards.has_own_deadline)
    ),
    ask.Refuse: Move(acts.refuse, frozenset({REGISTERED})),
    ask.CompleteStep: Move(acts.complete_step, frozenset({ACCEPTED, IN_PROCESS, RESOLVED, RETURNED}), (guards.is_work,)),
    ask.Forward: Move(acts.forward, frozenset({ACCEPTED, IN_PROCESS})),
    ask.RequestSupplement: Move(
        acts.request_supplement,
        frozenset({REGISTERED, ACCEPTED, IN_PROCESS}),
        (guards.is_first_supplement, guards.is_supplement_in_time, guards.has_until_ahead),
    ),
    ask.ReceiveSupplement: Move(acts.receive_supplement, frozenset({SUPPLEMENT}), (guards.was_accepted,)),
    ask.RequestPayment: Move(acts.request_payment, frozenset({ACCEPTED, IN_PROCESS}), (guards.has_until_ahead,)),
    ask.ReceivePayment: Move(acts.receive_payment, frozenset({PAYMENT}), (guards.is_asked_amount,)),
    ask.Extend: Move(
        acts.extend,
        frozenset({ACCEPTED, IN_PROCESS}),
        (guards.is_first_extension, guards.has_due_date, guards.is_later_day),
    ),
    ask.Escalate: Move(acts.escalate, ANYTIME, (guards.has_due_date,)),
    ask.RequestWithdrawal: Move(
        acts.request_withdrawal,
        frozenset({REGISTERED, ACCEPTED, IN_PROCESS, SUPPLEMENT, PAYMENT, RESOLVED, RETURNED}),
        (guards.is_undecided,),
    ),
    ask.Stop: Move(acts.stop, frozenset({ACCEPTED, IN_PROCESS, SUPPLEMENT, PAYMENT, WITHDRAWAL}), (guards.is_stop_of_its_kind,)),
    ask.Resume: Move(acts.resume, frozenset({WITHDRAWAL, STOPPED}), (guards.was_accepted,)),
    ask.Resolve: Move(acts.resolve, frozenset({ACCEPTED, IN_PROCESS, PAYMENT}), (guards.has_reason,)),
    ask.Return: Move(acts.return_result, frozenset({RESOLVED})),
    ask.Reopen: Move(acts.reopen, frozenset({RESOLVED, RETURNED})),
    ask.Correct: Move(correct, ANYTIME),
    ask.RecordCause: Move(beside.record_cause, ANYTIME),
    ask.ReachMilestone: Move(beside.reach_milestone, ANYTIME, (guards.is_task,)),
    ask.Link: Move(beside.link, ANYTIME | {REGISTERED}),
    ask.RecordContact: Move(beside.record_contact, ANYTIME | {REGISTERED}),
    ask.Rate: Move(beside.rate, frozenset({Status.REFUSED, RESOLVED, RETURNED}), (guards.has_applicant,)),
}
"""Command type → its move. A later guard may be the one that forbids what a status seems to allow."""


OUTSIDE_ORDER = OF_TIME | {ContactRecorded, CaseRated, CaseLinked}
"""Facts that do not move the time of the last fact. A stranger's call must not forbid what an officer did a moment before."""


def decide(case: Case, command: Command, context: Context) -> Decision:
    """The facts that a command leads to, or why it leads to none. An accepted case has no code yet (`UNALLOTTED`)."""
    move = MOVES.get(type(command))
    fault = fault_of(case, command, context, known=move is not None)
    if fault is not None or move is None:
        return fault or illegal(case)
    if case.status not in move.sources:
        return illegal(case)
    for guard in move.guards:
        fault = guard(case, command, context)
        if fault is not None:
            return fault
    return move.act(case, command, context)


def evolve(case: Case, event: CaseEvent, occurred_at: datetime) -> Case:
    """The case after a fact. A rejection changes nothing; a fact that says nothing about the state still moves its time.

    A fact of time does not, nor what a citizen says, nor a tie: what happened before it may still be told after it.
    """
    kind = type(event)
    if kind is CommandRejected:
        return case
    effect = EFFECTS.get(kind)
    changes = effect(case, event, occurred_at) if effect else {}
    if kind not in OUTSIDE_ORDER:
        changes["last_fact_at"] = occurred_at
    return changed(case, changes)
