"""What the service remembers of a case: only what a message states. No personal data."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from shared.contracts.events import (
    CaseAccepted,
    CaseCorrected,
    CaseEvent,
    CaseExtended,
    CaseResumed,
    CaseSubmitted,
    DueDateRecalculated,
    PaymentReceived,
    SupplementReceived,
)
from shared.contracts.words import Status


class Case(NamedTuple):
    """The domain columns of a row of `cases`; every one is empty until a fact fills it."""

    agency: str | None = None
    kind: str | None = None
    code: str | None = None
    due_at: datetime | None = None
    status: int | None = None
    lane: int = 0


PAUSED = (int(Status.SUPPLEMENT_REQUESTED), int(Status.PAYMENT_REQUESTED), int(Status.STOPPED))

STATUS_AFTER: dict[str, Status] = {
    "case.submitted": Status.REGISTERED,
    "case.accepted": Status.ACCEPTED,
    "case.refused": Status.REFUSED,
    "case.forwarded": Status.IN_PROCESS,
    "case.supplement_requested": Status.SUPPLEMENT_REQUESTED,
    "case.supplement_received": Status.IN_PROCESS,
    "case.payment_requested": Status.PAYMENT_REQUESTED,
    "case.payment_received": Status.IN_PROCESS,
    "case.extended": Status.IN_PROCESS,
    "case.due_date_recalculated": Status.IN_PROCESS,
    "case.withdrawal_requested": Status.WITHDRAWAL_REQUESTED,
    "case.stopped": Status.STOPPED,
    "case.resumed": Status.IN_PROCESS,
    "case.resolved": Status.RESOLVED,
    "case.returned": Status.RETURNED,
    "case.reopened": Status.IN_PROCESS,
}
"""The national status code that the applicant reads in a message about this fact; a correction leaves it as it was."""


def evolve(case: Case, event: CaseEvent) -> Case:
    """The case after a fact; facts come in the order of the case's history."""
    code, due_at, lane = case.code, case.due_at, case.lane
    if (change := CHANGES.get(type(event))) is not None:
        code, due_at, lane = change(case, event)
    return Case(event.agency, event.kind.value, code, due_at, _status(case, event), lane)


def _gone_on(case: Case, event: SupplementReceived | PaymentReceived | CaseResumed) -> Change:
    """A standstill that is over may have moved the appointment."""
    return case.code, event.due_at or case.due_at, case.lane


def _corrected(case: Case, event: CaseCorrected) -> Change:
    """Another moment of acceptance makes another appointment."""
    moved = event.corrected == CaseAccepted.type and event.occurred_at is not None
    return case.code, event.due_at if moved else case.due_at, case.lane


def _redated(case: Case, event: CaseExtended | DueDateRecalculated) -> Change:
    return case.code, event.new_due_at, case.lane


Change = tuple[str | None, datetime | None, int]
"""Code, due date and lane after a fact."""

CHANGES: dict[type[CaseEvent], Callable[[Case, Any], Change]] = {
    CaseSubmitted: lambda case, event: (case.code, case.due_at, int(event.lane)),
    CaseAccepted: lambda case, event: (event.code, event.due_at, case.lane),
    SupplementReceived: _gone_on,
    PaymentReceived: _gone_on,
    CaseResumed: _gone_on,
    CaseCorrected: _corrected,
    CaseExtended: _redated,
    DueDateRecalculated: _redated,
}
"""The facts that change more than the status; looked up, since asking a model for its class is slow."""


def _status(case: Case, event: CaseEvent) -> int | None:
    """A new due date leaves a pause as it is, a correction everything; all else has its own status."""
    if type(event) is CaseCorrected:
        return case.status
    if case.status in PAUSED and type(event) in (CaseExtended, DueDateRecalculated):
        return case.status
    return int(STATUS_AFTER[event.type])
