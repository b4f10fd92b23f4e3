"""What each fact changes in a case. A fact without a line here moves only the time of the last fact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from services.processing.domain.case import Case
from services.processing.domain.code import UNALLOTTED
from shared.contracts import events as fact
from shared.contracts.events import CaseEvent
from shared.contracts.words import Regime, Status

Changes = dict[str, Any]

DUE_SOON, OVERDUE = "due_soon", "overdue"
"""Facts of time about the due date as `Case.raised` keeps them; an escalation is kept as `reason.level`."""
SUPPLEMENT_TIMEOUT, PAYMENT_TIMEOUT, ANSWER_LATE = "supplement_timeout", "payment_timeout", "answer_late"
DUTY_LATE, UNDELIVERED = "duty_late", "undelivered"


def _submitted(_case: Case, event: fact.CaseSubmitted, occurred_at: datetime) -> Changes:
    return {
        "status": Status.REGISTERED,
        "agency": event.agency,
        "kind": event.kind,
        "procedure": event.procedure,
        "channel": event.channel,
        "return_channel": event.return_channel,
        "lane": event.lane,
        "submitted_at": occurred_at,
        "matter": event.matter,
    }


def _accepted(case: Case, event: fact.CaseAccepted, occurred_at: datetime) -> Changes:
    return {
        "status": Status.ACCEPTED,
        "code": None if event.code == UNALLOTTED else event.code,
        "field": event.field,
        "procedure_version": event.procedure_version,
        "due_at": event.due_at,
        "statutory_due_at": event.statutory_due_at,
        "unit": event.unit or case.unit,
        "accepted_at": occurred_at,
        "clock_from": occurred_at,
        "missing": None,
    }


def _refused(_case: Case, _event: fact.CaseRefused, _occurred_at: datetime) -> Changes:
    return {"status": Status.REFUSED}


def _stepped(case: Case, event: fact.StepCompleted, _occurred_at: datetime) -> Changes:
    if event.after_result:
        return {"duty": None, "duty_by": None, "raised": _without(case.raised, DUTY_LATE)}
    return {"status": Status.IN_PROCESS, "step": event.step, "unit": event.unit or case.unit, **_answered(case)}


def _forwarded(case: Case, event: fact.CaseForwarded, _occurred_at: datetime) -> Changes:
    """A unit works for whoever holds the case; the owning agency holds it by default."""
    holder = case.holder
    if event.to_agency is not None:
        holder = event.to_agency if event.to_agency != case.agency else None
    answered = _answered(case)
    return {"status": Status.IN_PROCESS, "unit": event.to_unit, "holder": holder, **answered, "answer_by": event.answer_by}


def _answered(case: Case) -> Changes:
    """Whoever was waited for has answered."""
    if case.answer_by is None:
        return {}
    return {"answer_by": None, "raised": _without(case.raised, ANSWER_LATE)}


# --- standstills -----------------------------------------------------------------------------------


def _stopped_clock(case: Case, at: datetime) -> Changes:
    """A clock that runs stands still from now on; before the acceptance there is none."""
    if case.accepted_at is None or case.stopped_at is not None:
        return {}
    return {"stopped_at": at}


def _running_clock(case: Case, due_at: datetime | None, statutory_due_at: datetime | None) -> Changes:
    """The clock runs again, towards these due dates; a fact that names none leaves them."""
    raised = _without(case.raised, SUPPLEMENT_TIMEOUT, PAYMENT_TIMEOUT)
    due = _due(case, due_at or case.due_at, statutory_due_at or case.statutory_due_at, raised)
    return {"stopped_at": None, "until": None, **due}


def _due(case: Case, due_at: datetime | None, statutory_due_at: datetime | None, raised: str | None) -> Changes:
    """Another due date has its own facts of time."""
    kept = raised if due_at == case.due_at else _without(raised, DUE_SOON, OVERDUE)
    return {"due_at": due_at, "statutory_due_at": statutory_due_at, "raised": kept}


def _supplement_requested(case: Case, event: fact.SupplementRequested, occurred_at: datetime) -> Changes:
    return {
        "status": Status.SUPPLEMENT_REQUESTED,
        "supplements": (case.supplements or 0) + 1,
        "until": event.until,
        "raised": _without(case.raised, SUPPLEMENT_TIMEOUT),
        **_stopped_clock(case, occurred_at),
    }


def _supplement_received(case: Case, event: fact.SupplementReceived, occurred_at: datetime) -> Changes:
    """A case that was never accepted waits for the acceptance that follows."""
    changes = _running_clock(case, event.due_at, event.statutory_due_at)
    if case.accepted_at is None:
        return changes
    restarted = event.regime is Regime.RESTART
    return changes | {"status": Status.IN_PROCESS, "clock_from": occurred_at if restarted else case.clock_from}


def _payment_requested(case: Case, event: fact.PaymentRequested, occurred_at: datetime) -> Changes:
    return {
        "status": Status.PAYMENT_REQUESTED,
        "payment_vnd": event.amount_vnd,
        "until": event.until,
        "raised": _without(case.raised, PAYMENT_TIMEOUT),
        **_stopped_clock(case, occurred_at),
    }


def _payment_received(case: Case, event: fact.PaymentReceived, _occurred_at: datetime) -> Changes:
    running = _running_clock(case, event.due_at, event.statutory_due_at)
    return running | {"status": Status.IN_PROCESS, "payment_vnd": None}


def _withdrawal_requested(case: Case, _event: fact.WithdrawalRequested, occurred_at: datetime) -> Changes:
    return {"status": Status.WITHDRAWAL_REQUESTED, "until": None, "payment_vnd": None, **_stopped_clock(case, occurred_at)}


def _stopped(case: Case, event: fact.CaseStopped, occurred_at: datetime) -> Changes:
    plain = {"status": Status.STOPPED, "stop_kind": event.stop_kind, "until": None, "payment_vnd": None}
    return plain | _stopped_clock(case, occurred_at)


def _resumed(case: Case, event: fact.CaseResumed, _occurred_at: datetime) -> Changes:
    running = _running_clock(case, event.due_at, event.statutory_due_at)
    return running | {"status": Status.IN_PROCESS, "stop_kind": None}


# --- due dates and ends ----------------------------------------------------------------------------


def _extended(case: Case, event: fact.CaseExtended, _occurred_at: datetime) -> Changes:
    """The law's own due date stays: an apology does not move it."""
    due = _due(case, event.new_due_at, case.statutory_due_at, case.raised)
    return {"extensions": (case.extensions or 0) + 1, **due}


def _recalculated(case: Case, event: fact.DueDateRecalculated, _occurred_at: datetime) -> Changes:
    named = event.old_statutory_due_at is not None or event.new_statutory_due_at is not None
    statutory_due_at = event.new_statutory_due_at if named else case.statutory_due_at
    return _due(case, event.new_due_at, statutory_due_at, case.raised)


def _resolved(case: Case, event: fact.CaseResolved, occurred_at: datetime) -> Changes:
    return {
        "status": Status.RESOLVED,
        "outcome": event.outcome,
        "resolved_at": occurred_at,
        "stopped_at": None,
        "until": None,
        "payment_vnd": None,
        "duty": event.duty,
        "duty_by": event.duty_by,
        **_answered(case),
    }


def _returned(_case: Case, event: fact.CaseReturned, occurred_at: datetime) -> Changes:
    return {"status": Status.RETURNED, "return_channel": event.channel, "returned_at": occurred_at}


def _reopened(case: Case, _event: fact.CaseReopened, _occurred_at: datetime) -> Changes:
    raised = _without(case.raised, DUTY_LATE, UNDELIVERED)
    ends = dict.fromkeys(("resolved_at", "returned_at", "outcome", "duty", "duty_by", "score"))
    return {"status": Status.IN_PROCESS, "raised": raised, "reopenings": (case.reopenings or 0) + 1, **ends}


def _corrected(case: Case, event: fact.CaseCorrected, _occurred_at: datetime) -> Changes:
    """Another moment of the corrected fact, and what follows from it; the clock's start moves with the acceptance."""
    if event.occurred_at is None:
        return {}
    if event.corrected == fact.CaseAccepted.type:
        began = event.occurred_at if case.clock_from == case.accepted_at else case.clock_from
        due = _due(case, event.due_at, event.statutory_due_at, case.raised)
        return {"accepted_at": event.occurred_at, "clock_from": began, **due}
    if event.corrected == fact.CaseResolved.type:
        raised = _without(case.raised, DUTY_LATE, UNDELIVERED)
        return {"resolved_at": event.occurred_at, "duty_by": event.duty_by, "raised": raised}
    return {"returned_at": event.occurred_at} if event.corrected == fact.CaseReturned.type else {}


# --- what citizens say -----------------------------------------------------------------------------


def _contacted(case: Case, event: fact.ContactRecorded, _occurred_at: datetime) -> Changes:
    """Calls are told when they have ended, so that a longer one that began earlier may come later."""
    last_at = event.at if case.contacted_at is None else max(case.contacted_at, event.at)
    return {"contacts": (case.contacts or 0) + 1, "contacted_at": last_at}


def _rated(_case: Case, event: fact.CaseRated, _occurred_at: datetime) -> Changes:
    return {"score": event.score}


# --- facts of time ---------------------------------------------------------------------------------


def _due_soon(case: Case, _event: fact.CaseDueSoon, _occurred_at: datetime) -> Changes:
    return _with(case, DUE_SOON)


def _overdue(case: Case, _event: fact.CaseOverdue, _occurred_at: datetime) -> Changes:
    return _with(case, OVERDUE)


def _escalated(case: Case, event: fact.CaseEscalated, _occurred_at: datetime) -> Changes:
    return _with(case, f"{event.reason}.{event.level}")


def _with(case: Case, said: str) -> Changes:
    """A fact of time is stated once for its deadline."""
    known = case.raised.split(" ") if case.raised else []
    return {} if said in known else {"raised": " ".join((*known, said))}


def _without(raised: str | None, *reasons: str) -> str | None:
    """What was stated, without what belongs to these reasons."""
    if raised is None:
        return None
    return " ".join(each for each in raised.split(" ") if each.partition(".")[0] not in reasons) or None


# Each function takes the event of its own key; one dict of such functions has no narrower common type.
EFFECTS: Mapping[type[CaseEvent], Callable[[Case, Any, datetime], Changes]] = {
    fact.CaseSubmitted: _submitted,
    fact.CaseAccepted: _accepted,
    fact.CaseRefused: _refused,
    fact.StepCompleted: _stepped,
    fact.CaseForwarded: _forwarded,
    fact.SupplementRequested: _supplement_requested,
    fact.SupplementReceived: _supplement_received,
    fact.PaymentRequested: _payment_requested,
    fact.PaymentReceived: _payment_received,
    fact.WithdrawalRequested: _withdrawal_requested,
    fact.CaseStopped: _stopped,
    fact.CaseResumed: _resumed,
    fact.CaseExtended: _extended,
    fact.DueDateRecalculated: _recalculated,
    fact.CaseResolved: _resolved,
    fact.CaseReturned: _returned,
    fact.CaseReopened: _reopened,
    fact.CaseCorrected: _corrected,
    fact.ContactRecorded: _contacted,
    fact.CaseRated: _rated,
    fact.CaseDueSoon: _due_soon,
    fact.CaseOverdue: _overdue,
    fact.CaseEscalated: _escalated,
}
"""Event type → what it changes in the case."""
