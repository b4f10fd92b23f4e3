"""What each legal command states. The guards have passed; only what an act itself works out can still forbid it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.processing.domain.case import Case
from services.processing.domain.code import UNALLOTTED
from services.processing.domain.context import Context, Decision, Rejected
from services.processing.domain.escalation import Late
from services.processing.domain.guards import is_supplement_late
from services.processing.domain.limits import (
    Due,
    appointed,
    limits_of,
    moved,
    refusable_until,
    regime_of,
    share_ends_at,
    supplemented,
    version_of,
)
from services.processing.domain.timeline import CLOCK_STOPPED
from shared.calendar import WorkingCalendar, local_date
from shared.catalogue import Catalogue
from shared.contracts import commands as ask
from shared.contracts import events as fact
from shared.contracts.events import CaseEvent
from shared.contracts.words import Channel, Kind, Origin, Outcome, Rejection, Timeliness

WITH_DUTY = frozenset({Outcome.GRANTED, Outcome.ANSWERED})
"""Outcomes that there is something to publish of."""


def about(case: Case) -> dict[str, Any]:
    """What every fact about a case says."""
    return {"agency": case.agency, "kind": Kind(str(case.kind))}


# --- acceptance and work ---------------------------------------------------------------------------


def accept(case: Case, command: ask.Accept, context: Context) -> Decision:
    """Accept under the limits in force at the local date of acceptance (Decree 61/2018/NĐ-CP, art. 17.3).

    A case that was asked for completion before is complete now. A task may bring its own deadline instead of limits.
    """
    procedure, at = str(case.procedure), context.occurred_at
    limits = limits_of(procedure, at, context.catalogue, context.calendar)
    own = command.due_at is not None
    accepted = fact.CaseAccepted(
        **about(case),
        code=UNALLOTTED,
        procedure=procedure,
        field=limits.field,
        channel=Channel(str(case.channel)),
        procedure_version=limits.version,
        committed=None if own else limits.committed,
        statutory=None if own else limits.statutory,
        due_at=command.due_at or limits.due_at,
        statutory_due_at=None if own else limits.statutory_due_at,
        unit=command.unit,
        hand_over_by=limits.hand_over_by,
    )
    return [fact.SupplementReceived(**about(case)), accepted] if case.supplements else [accepted]


def refuse(case: Case, command: ask.Refuse, context: Context) -> Decision:
    """Refuse acceptance, with the reason (art. 17.1.b); feedback within a limit of its own (Decision 766/QĐ-TTg, 5.2)."""
    refuse_by = refusable_until(case, context.catalogue, context.calendar)
    late = refuse_by is not None and context.calendar.is_overdue(local_date(refuse_by), context.occurred_at)
    return [fact.CaseRefused(**about(case), reason=command.reason, late=late)]


def complete_step(case: Case, command: ask.CompleteStep, _context: Context) -> Decision:
    """A step of the work, or the duty that follows the result."""
    after = case.resolved_at is not None
    return [fact.StepCompleted(**about(case), step=command.step, unit=command.unit, after_result=after)]


def forward(case: Case, command: ask.Forward, context: Context) -> Decision:
    """Hand over to a unit or an agency; the receiving agency's one-stop unit keeps the case and its code (art. 18, 19.7).

    A share of the time limit makes the receiver's own deadline, which never ends after the case's (art. 19.5, 19.6).
    """
    answer_by, half_days = None, command.share_half_days
    if half_days is not None:
        answer_by = share_ends_at(context.occurred_at, half_days, context.calendar)
        if case.due_at is not None and answer_by > case.due_at:
            return Rejected(Rejection.SHARE_TOO_LONG)
    return [
        fact.CaseForwarded(
            **about(case),
            to_unit=command.to_unit,
            to_agency=command.to_agency,
            share_half_days=half_days,
            answer_by=answer_by,
        )
    ]


# --- standstills -----------------------------------------------------------------------------------


def request_supplement(case: Case, command: ask.RequestSupplement, context: Context) -> Decision:
    """Ask for completion (form 02); without a time of its own it is due when the procedure says."""
    version = version_of(case, context.occurred_at, context.catalogue)
    limit = version.supplement.until if version else None
    until = command.until or (context.calendar.due_at(context.occurred_at, limit) if limit else None)
    return [
        fact.SupplementRequested(
            **about(case),
            documents=command.documents,
            reason=command.reason,
            until=until,
            late=is_supplement_late(case, context),
            repeated=bool(case.supplements),
        )
    ]


def receive_supplement(case: Case, _command: ask.ReceiveSupplement, context: Context) -> Decision:
    """The dossier is complete; its regime says what becomes of the due dates (art. 19.4)."""
    version = version_of(case, context.occurred_at, context.catalogue)
    regime = regime_of(case.kind, version)
    stop = case.stopped_at or context.occurred_at, context.occurred_at
    due = supplemented(_due_of(case), regime, version, stop, context.calendar)
    return [fact.SupplementReceived(**about(case), **_said(case, due), regime=regime)]


def request_payment(case: Case, command: ask.RequestPayment, _context: Context) -> Decision:
    """Ask for a fee; the clock stands still until it is paid."""
    return [fact.PaymentRequested(**about(case), amount_vnd=command.amount_vnd, until=command.until)]


def receive_payment(case: Case, command: ask.ReceivePayment, context: Context) -> Decision:
    """The fee was paid; the clock goes on."""
    return [fact.PaymentReceived(**about(case), amount_vnd=command.amount_vnd, **_said(case, _after_stop(case, context)))]


def request_withdrawal(case: Case, command: ask.RequestWithdrawal, _context: Context) -> Decision:
    """The citizen asks for the dossier back."""
    return [fact.WithdrawalRequested(**about(case), reason=command.reason)]


def stop(case: Case, command: ask.Stop, _context: Context) -> Decision:
    """Work stops, with its kind and its reason."""
    return [fact.CaseStopped(**about(case), stop_kind=command.stop_kind, reason=command.reason)]


def resume(case: Case, command: ask.Resume, context: Context) -> Decision:
    """Work goes on after a stop, or because the citizen took the withdrawal back."""
    return [fact.CaseResumed(**about(case), reason=command.reason, **_said(case, _after_stop(case, context)))]


def _due_of(case: Case) -> Due:
    return case.due_at, case.statutory_due_at


def _after_stop(case: Case, context: Context) -> Due:
    """The due dates, later by the standstill that ends now."""
    if case.stopped_at is None:
        return _due_of(case)
    version = version_of(case, context.occurred_at, context.catalogue)
    return moved(_due_of(case), version, (case.stopped_at, context.occurred_at), context.calendar)


def _said(case: Case, due: Due) -> dict[str, Any]:
    """The due dates that hold from now on; the old one only where it was another."""
    return {"due_at": due[0], "statutory_due_at": due[1], "old_due_at": case.due_at if case.due_at != due[0] else None}


# --- due dates and ends ----------------------------------------------------------------------------


def extend(case: Case, command: ask.Extend, context: Context) -> Decision:
    """A new appointment with an apology, at the latest on the day before the due date; later is a breach (art. 19.9).

    One on a day off is on the next working day (Civil Code 2015, art. 148.5), unless another system has already made it.
    """
    if case.due_at is None:
        return Rejected(Rejection.NO_DUE_DATE)
    imported = context.origin is Origin.IMPORT
    return [
        fact.CaseExtended(
            **about(case),
            old_due_at=case.due_at,
            new_due_at=command.new_due_at if imported else appointed(command.new_due_at, context.calendar),
            reason=command.reason,
            apology=command.apology,
            breach=local_date(context.occurred_at) >= local_date(case.due_at),
        )
    ]


def escalate(case: Case, command: ask.Escalate, _context: Context) -> Decision:
    """An officer raises a case by hand."""
    if case.due_at is None:
        return Rejected(Rejection.NO_DUE_DATE)
    return [fact.CaseEscalated(**about(case), due_at=case.due_at, level=command.level, reason=Late.OVERDUE.value)]


def resolve(case: Case, command: ask.Resolve, context: Context) -> Decision:
    """The end of processing, against which timeliness is measured.

    A clock that stands still because of a fee has not used the time since: the due dates are counted again first.
    """
    due = _after_stop(case, context)
    ended = resolution(case, command.outcome, context.occurred_at, context.calendar, context.catalogue, due, command.reason)
    if due == _due_of(case):
        return [ended]
    recalculated = fact.DueDateRecalculated(
        **about(case),
        old_due_at=case.due_at,
        new_due_at=due[0],
        reason=CLOCK_STOPPED,
        old_statutory_due_at=case.statutory_due_at,
        new_statutory_due_at=due[1],
    )
    return [recalculated, ended]


def resolution(
    case: Case,
    outcome: Outcome,
    at: datetime,
    days: WorkingCalendar,
    known: Catalogue,
    due: Due | None = None,
    reason: str | None = None,
) -> CaseEvent:
    """The fact that a case is resolved at a moment, by a command or because the limit passed without an objection.

    A duty follows what was granted or answered; its own limit is counted from the result.
    """
    due_at, statutory_due_at = due or _due_of(case)
    version = version_of(case, at, known) if outcome in WITH_DUTY else None
    duty = version.after_result if version else None
    return fact.CaseResolved(
        **about(case),
        outcome=outcome,
        timeliness=timeliness(due_at, at, days),
        statutory_timeliness=timeliness(statutory_due_at, at, days),
        reason=reason,
        duty=duty.step if duty else None,
        duty_by=days.due_at(at, duty.limit) if duty else None,
    )


def timeliness(due_at: datetime | None, at: datetime, days: WorkingCalendar) -> Timeliness:
    """A moment against a due date, by local dates."""
    if due_at is None:
        return Timeliness.NO_DUE_DATE
    return Timeliness(days.timeliness(local_date(due_at), at).value)


def return_result(case: Case, command: ask.Return, _context: Context) -> Decision:
    """The result is in the applicant's hands."""
    return [fact.CaseReturned(**about(case), channel=command.channel)]


def reopen(case: Case, command: ask.Reopen, _context: Context) -> Decision:
    """A wrong result is worked on again, under the same due dates (art. 21)."""
    return [fact.CaseReopened(**about(case), reason=command.reason)]
