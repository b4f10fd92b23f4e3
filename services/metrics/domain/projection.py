"""Folding facts into a case: `project(case, envelope, event) -> case`.

Pure, and independent of the order of arrival: facts of processing decide by their sequence, sums and limits of time
commute, and intake's fact only fills what processing has not said. A fact that was missing may therefore come late.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from services.metrics.domain.case import Case
from services.metrics.domain.standstill import Standstill
from services.metrics.domain.validity import VALIDITY
from shared.calendar import WorkingCalendar, load_calendar
from shared.contracts.envelope import Envelope
from shared.contracts.events import (
    NOTIFICATION,
    PROCESSING,
    CaseAccepted,
    CaseCorrected,
    CaseEvent,
    CaseExtended,
    CaseReopened,
    CaseResolved,
    CaseResumed,
    CaseReturned,
    CaseStopped,
    CaseSubmitted,
    DueDateRecalculated,
    Limit,
    MilestoneReached,
    PaymentReceived,
    PaymentRequested,
    StepCompleted,
    SupplementReceived,
    SupplementRequested,
    WithdrawalRequested,
)
from shared.contracts.words import Status, StopKind, Timeliness

STATUS_AFTER: dict[str, Status] = {
    "case.accepted": Status.ACCEPTED,
    "case.refused": Status.REFUSED,
    "case.step_completed": Status.IN_PROCESS,
    "case.forwarded": Status.IN_PROCESS,
    "case.supplement_requested": Status.SUPPLEMENT_REQUESTED,
    "case.supplement_received": Status.IN_PROCESS,
    "case.payment_requested": Status.PAYMENT_REQUESTED,
    "case.payment_received": Status.IN_PROCESS,
    "case.withdrawal_requested": Status.WITHDRAWAL_REQUESTED,
    "case.stopped": Status.STOPPED,
    "case.resumed": Status.IN_PROCESS,
    "case.resolved": Status.RESOLVED,
    "case.returned": Status.RETURNED,
    "case.reopened": Status.IN_PROCESS,
}
"""The national status that each fact of processing leads to; facts not named here change none."""
ASIDE = frozenset({"case.command_rejected", "case.duplicate_suspected", "case.contact_recorded", "case.rated"})
"""What is said about a case and does not happen to it."""

VALUES = attrgetter(*(each.name for each in fields(Case)))


def project(case: Case, envelope: Envelope, event: CaseEvent, calendar: WorkingCalendar | None = None) -> Case:
    """The case after one more fact about it; the given one is left as it is."""
    after = Case(*VALUES(case))
    if after.agency is None:
        after.agency, after.kind = event.agency, event.kind
    kind = type(event)
    if event.stated_by != NOTIFICATION and event.type not in ASIDE:
        _span(after, envelope.occurred_at)
    if event.stated_by == PROCESSING:
        _status(after, envelope, event)
    if (fold := FOLDS.get(kind)) is not None:
        fold(after, envelope, event)
    if (told := VALIDITY.get(kind)) is not None:
        told(after, event)
    if kind in MEASURED:
        _measure(after, calendar or load_calendar())
    return after


def _span(case: Case, at: datetime) -> None:
    case.first_at = at if case.first_at is None else min(case.first_at, at)
    case.last_at = at if case.last_at is None else max(case.last_at, at)


def _status(case: Case, envelope: Envelope, event: CaseEvent) -> None:
    """Status, agency, and whether the case has left the backlog without a result: by the newest fact that says so.

    A duty that follows the result leaves the status. A case that goes on to another agency stays its owner's.
    """
    status, kind = STATUS_AFTER.get(event.type), type(event)
    if status is None or (kind is StepCompleted and getattr(event, "after_result", False)):
        return
    if kind in STOPS or case.standstill is not None:
        _stand(case, envelope, stops=kind in STOPS)
    if envelope.sequence <= case.status_sequence:
        return
    case.status_sequence, case.status = envelope.sequence, int(status)
    case.agency, case.kind = event.agency, event.kind
    case.stop_kind, case.left_at = None, None
    if (more := STATUS_FOLDS.get(kind)) is not None:
        more(case, envelope, event)


def _stand(case: Case, envelope: Envelope, *, stops: bool) -> None:
    """Before the first stop, the newest status is the newest fact with which the clock ran."""
    before = Standstill(case.status_sequence) if case.standstill is None else Standstill.read(case.standstill)
    after = before.stopped(envelope.sequence, envelope.occurred_at) if stops else before.runs(envelope.sequence)
    case.standstill, case.stopped_at = after.text(), after.since


def measure(case: Case, calendar: WorkingCalendar) -> Case:
    """The case with its turnaround measured by a calendar."""
    after = Case(*VALUES(case))
    _measure(after, calendar)
    return after


def _measure(case: Case, calendar: WorkingCalendar) -> None:
    """Turnaround from acceptance to resolution; None while one is unknown, or when they contradict each other."""
    case.turnaround_seconds, case.working_seconds = None, None
    start, end = case.received_at, case.resolved_at
    if start is not None and end is not None and start <= end:
        case.turnaround_seconds = (end - start).total_seconds()
        case.working_seconds = round(calendar.working_microseconds(start, end) / 1_000_000)


def _stopped(case: Case, envelope: Envelope, event: CaseStopped) -> None:
    case.stop_kind = event.stop_kind
    case.left_at = None if event.stop_kind is StopKind.SUSPENDED else envelope.occurred_at


def _withdrawn(case: Case, envelope: Envelope, _event: WithdrawalRequested) -> None:
    case.left_at = envelope.occurred_at


def _submitted(case: Case, envelope: Envelope, event: CaseSubmitted) -> None:
    case.submitted_at, case.origin = envelope.occurred_at, envelope.origin
    if case.status_sequence == 0:
        case.agency, case.kind, case.status = event.agency, event.kind, int(Status.REGISTERED)
    if case.received_at is None:
        case.procedure, case.channel = event.procedure, event.channel


def _accepted(case: Case, envelope: Envelope, event: CaseAccepted) -> None:
    _received_at(case, envelope.sequence, envelope.occurred_at)
    case.procedure, case.field, case.channel = event.procedure, event.field, event.channel
    case.procedure_version = event.procedure_version
    case.committed, case.statutory = _limit(event.committed), _limit(event.statutory)
    if case.submitted_at is None:
        case.origin = envelope.origin
    _due(case, envelope.sequence, event.due_at)
    _statutory_due(case, envelope.sequence, event.statutory_due_at)


def _limit(limit: Limit | None) -> str | None:
    return None if limit is None else f"{limit.count} {limit.unit}"


def _went_on(case: Case, envelope: Envelope, event: SupplementReceived | PaymentReceived | CaseResumed) -> None:
    """A standstill that is over may have moved the due dates; without one named they stay."""
    if event.due_at is not None:
        _due(case, envelope.sequence, event.due_at)
    if event.statutory_due_at is not None:
        _statutory_due(case, envelope.sequence, event.statutory_due_at)


def _extended(case: Case, envelope: Envelope, event: CaseExtended) -> None:
    """Another appointment; the law's own date stays."""
    _due(case, envelope.sequence, event.new_due_at)


def _recalculated(case: Case, envelope: Envelope, event: DueDateRecalculated) -> None:
    """Another calendar moves the law's own date, too; a fact that names none of it leaves it."""
    _due(case, envelope.sequence, event.new_due_at)
    if event.old_statutory_due_at is not None or event.new_statutory_due_at is not None:
        _statutory_due(case, envelope.sequence, event.new_statutory_due_at)


def _stepped(case: Case, _envelope: Envelope, _event: StepCompleted) -> None:
    case.steps += 1


def _progressed(case: Case, _envelope: Envelope, _event: MilestoneReached) -> None:
    case.milestones += 1


def _resolved(case: Case, envelope: Envelope, event: CaseResolved) -> None:
    _ended(case, envelope.sequence, envelope.occurred_at, event.outcome, event.timeliness)


def _returned(case: Case, envelope: Envelope, event: CaseReturned) -> None:
    _handed(case, envelope.sequence, envelope.occurred_at, event.channel)


def _reopened(case: Case, envelope: Envelope, _event: CaseReopened) -> None:
    _ended(case, envelope.sequence, None, None, None)
    _handed(case, envelope.sequence, None, None)


def _corrected(case: Case, envelope: Envelope, event: CaseCorrected) -> None:
    """What really happened when, and what follows from it; without a time only the books were wrong."""
    sequence, at = envelope.sequence, event.occurred_at
    if at is None:
        return
    if event.corrected == CaseAccepted.type:
        _received_at(case, sequence, at)
        _due(case, sequence, event.due_at)
        _statutory_due(case, sequence, event.statutory_due_at)
    elif event.corrected == CaseResolved.type:
        _resolved_at(case, sequence, at)
    elif event.corrected == CaseReturned.type:
        _returned_at(case, sequence, at)
    if event.timeliness is not None:
        _timeliness(case, sequence, event.timeliness)


# One value, decided by the newest fact about it.


def _due(case: Case, sequence: int, at: datetime | None) -> None:
    if sequence > case.due_sequence:
        case.due_sequence, case.due_at = sequence, at


def _statutory_due(case: Case, sequence: int, at: datetime | None) -> None:
    if sequence > case.statutory_sequence:
        case.statutory_sequence, case.statutory_due_at = sequence, at


def _received_at(case: Case, sequence: int, at: datetime) -> None:
    if sequence > case.received_sequence:
        case.received_sequence, case.received_at = sequence, at


def _ended(case: Case, sequence: int, at: datetime | None, outcome: str | None, timeliness: Timeliness | None) -> None:
    _resolved_at(case, sequence, at)
    _timeliness(case, sequence, timeliness)
    if sequence > case.outcome_sequence:
        case.outcome_sequence, case.outcome = sequence, outcome


def _resolved_at(case: Case, sequence: int, at: datetime | None) -> None:
    if sequence > case.resolved_sequence:
        case.resolved_sequence, case.resolved_at = sequence, at


def _timeliness(case: Case, sequence: int, timeliness: Timeliness | None) -> None:
    if sequence > case.timeliness_sequence:
        case.timeliness_sequence, case.timeliness = sequence, timeliness


def _handed(case: Case, sequence: int, at: datetime | None, channel: str | None) -> None:
    _returned_at(case, sequence, at)
    if sequence > case.handed_sequence:
        case.handed_sequence, case.return_channel = sequence, channel


def _returned_at(case: Case, sequence: int, at: datetime | None) -> None:
    if sequence > case.returned_sequence:
        case.returned_sequence, case.returned_at = sequence, at


# Looked up and not asked for one after the other: `isinstance` of a model's class is slow. No type of the contract has a subtype.
FOLDS: dict[type[CaseEvent], Callable[[Case, Envelope, Any], None]] = {
    CaseSubmitted: _submitted,
    CaseAccepted: _accepted,
    SupplementReceived: _went_on,
    PaymentReceived: _went_on,
    CaseResumed: _went_on,
    CaseExtended: _extended,
    DueDateRecalculated: _recalculated,
    StepCompleted: _stepped,
    MilestoneReached: _progressed,
    CaseResolved: _resolved,
    CaseReturned: _returned,
    CaseReopened: _reopened,
    CaseCorrected: _corrected,
}
"""What a fact says beyond a status."""

STATUS_FOLDS: dict[type[CaseEvent], Callable[[Case, Envelope, Any], None]] = {
    CaseStopped: _stopped,
    WithdrawalRequested: _withdrawn,
}
"""What the newest fact with a status says besides it."""

STOPS = frozenset({SupplementRequested, PaymentRequested, WithdrawalRequested, CaseStopped})
"""The facts with which the clock stands still; with every other status it runs."""

MEASURED = frozenset({CaseAccepted, CaseResolved, CaseReopened, CaseCorrected})
"""The facts that may change the turnaround."""
