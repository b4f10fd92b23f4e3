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
from shared.calendar import WorkingCalendar, load_calendar
from shared.contracts.envelope import Envelope
from shared.contracts.events import (
    NOTIFICATION,
    PROCESSING,
    CaseAccepted,
    CaseEvent,
    CaseExtended,
    CaseForwarded,
    CaseReopened,
    CaseResolved,
    CaseReturned,
    CaseStopped,
    CaseSubmitted,
    CommandRejected,
    DueDateRecalculated,
    StepCompleted,
    SupplementReceived,
    WithdrawalRequested,
)
from shared.contracts.words import Status, StopKind

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


VALUES = attrgetter(*(each.name for each in fields(Case)))


def project(case: Case, envelope: Envelope, event: CaseEvent, calendar: WorkingCalendar | None = None) -> Case:
    """The case after one more fact about it; the given one is left as it is."""
    after = Case(*VALUES(case))
    if after.agency is None:
        after.agency, after.kind = event.agency, event.kind
    kind = type(event)
    if event.stated_by != NOTIFICATION and kind is not CommandRejected:
        _span(after, envelope.occurred_at)
    if event.stated_by == PROCESSING:
        _status(after, envelope, event)
    if (fold := FOLDS.get(kind)) is not None:
        fold(after, envelope, event)
    if kind in MEASURED:
        _measure(after, calendar or load_calendar())
    return after


def _span(case: Case, at: datetime) -> None:
    case.first_at = at if case.first_at is None else min(case.first_at, at)
    case.last_at = at if case.last_at is None else max(case.last_at, at)


def _status(case: Case, envelope: Envelope, event: CaseEvent) -> None:
    """Status, agency, and whether the case has left the backlog without a result: by the newest fact that says so."""
    status = STATUS_AFTER.get(event.type)
    if status is None or envelope.sequence <= case.status_sequence:
        return
    case.status_sequence, case.status = envelope.sequence, int(status)
    case.agency, case.kind = event.agency, event.kind
    case.stop_kind, case.left_at = None, None
    if (more := STATUS_FOLDS.get(type(event))) is not None:
        more(case, envelope, event)


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


def _forwarded(case: Case, _envelope: Envelope, event: CaseForwarded) -> None:
    if event.to_agency is not None:
        case.agency = event.to_agency


def _submitted(case: Case, envelope: Envelope, event: CaseSubmitted) -> None:
    case.submitted_at, case.origin = envelope.occurred_at, envelope.origin
    if case.status_sequence == 0:
        case.agency, case.kind, case.status = event.agency, event.kind, int(Status.REGISTERED)
    if case.received_at is None:
        case.procedure, case.channel = event.procedure, event.channel


def _accepted(case: Case, envelope: Envelope, event: CaseAccepted) -> None:
    at = envelope.occurred_at
    case.received_at = at if case.received_at is None else min(case.received_at, at)
    case.procedure, case.field, case.channel = event.procedure, event.field, event.channel
    if case.submitted_at is None:
        case.origin = envelope.origin
    _due(case, envelope.sequence, event.due_at)
    _statutory_due(case, envelope.sequence, event.statutory_due_at)


def _supplemented(case: Case, envelope: Envelope, event: SupplementReceived) -> None:
    if event.due_at is not None:
        _due(case, envelope.sequence, event.due_at)
    if event.statutory_due_at is not None:
        _statutory_due(case, envelope.sequence, event.statutory_due_at)


def _redated(case: Case, envelope: Envelope, event: CaseExtended | DueDateRecalculated) -> None:
    _due(case, envelope.sequence, event.new_due_at)


def _stepped(case: Case, _envelope: Envelope, _event: StepCompleted) -> None:
    case.steps += 1


def _due(case: Case, sequence: int, at: datetime | None) -> None:
    if sequence > case.due_sequence:
        case.due_sequence, case.due_at = sequence, at


def _statutory_due(case: Case, sequence: int, at: datetime | None) -> None:
    if sequence > case.statutory_sequence:
        case.statutory_sequence, case.statutory_due_at = sequence, at


def _resolved(case: Case, envelope: Envelope, event: CaseResolved) -> None:
    if envelope.sequence > case.resolved_sequence:
        case.resolved_sequence, case.resolved_at = envelope.sequence, envelope.occurred_at
        case.outcome, case.timeliness = event.outcome, event.timeliness


def _returned(case: Case, envelope: Envelope, event: CaseReturned) -> None:
    if envelope.sequence > case.returned_sequence:
        case.returned_sequence, case.returned_at = envelope.sequence, envelope.occurred_at
        case.return_channel = event.channel


def _reopened(case: Case, envelope: Envelope, _event: CaseReopened) -> None:
    if envelope.sequence > case.resolved_sequence:
        case.resolved_sequence, case.resolved_at, case.outcome, case.timeliness = (
            envelope.sequence,
            None,
            None,
            None,
        )
    if envelope.sequence > case.returned_sequence:
        case.returned_sequence, case.returned_at, case.return_channel = envelope.sequence, None, None


# Looked up and not asked for one after the other: `isinstance` of a model's class is slow. No type of the contract has a subtype.
FOLDS: dict[type[CaseEvent], Callable[[Case, Envelope, Any], None]] = {
    CaseSubmitted: _submitted,
    CaseAccepted: _accepted,
    SupplementReceived: _supplemented,
    CaseExtended: _redated,
    DueDateRecalculated: _redated,
    StepCompleted: _stepped,
    CaseResolved: _resolved,
    CaseReturned: _returned,
    CaseReopened: _reopened,
}
"""What a fact says beyond a status."""

STATUS_FOLDS: dict[type[CaseEvent], Callable[[Case, Envelope, Any], None]] = {
    CaseStopped: _stopped,
    WithdrawalRequested: _withdrawn,
    CaseForwarded: _forwarded,
}
"""What the newest fact with a status says besides it."""

MEASURED = frozenset({CaseAccepted, CaseResolved, CaseReopened})
"""The facts that may change the turnaround."""
