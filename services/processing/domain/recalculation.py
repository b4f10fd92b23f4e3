"""What a changed calendar makes of the due dates of an open case.

They are counted again from the history: the limit from the acceptance, or from the completion that restarted it (Decree
61/2018/NĐ-CP, art. 19.4), and each standstill by its own length. What a person gave stays: the new appointment of an
extension, the deadline of a task. A stopped clock is counted again, too: its due dates are what the rest will be added to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.processing.domain.acts import about
from services.processing.domain.case import Case
from services.processing.domain.correcting import really, recount
from services.processing.domain.timeline import Recorded
from shared.calendar import WorkingCalendar
from shared.catalogue import LimitVersion
from shared.contracts import events as fact
from shared.contracts.words import Status, StopKind

CALENDAR_CHANGED: Final = "calendar_changed"
"""The reason that the fact gives."""

COUNTED: Final = (
    fact.CaseAccepted.type, fact.SupplementRequested.type, fact.SupplementReceived.type, fact.PaymentRequested.type,
    fact.PaymentReceived.type, fact.WithdrawalRequested.type, fact.CaseStopped.type, fact.CaseResumed.type,
    fact.CaseExtended.type, fact.CaseResolved.type, fact.CaseCorrected.type,
)  # fmt: skip
"""The types of facts that a count reads."""

OPEN: Final = (
    Status.ACCEPTED, Status.IN_PROCESS, Status.SUPPLEMENT_REQUESTED, Status.PAYMENT_REQUESTED, Status.WITHDRAWAL_REQUESTED,
    Status.STOPPED,
)  # fmt: skip
"""The statuses of cases whose due dates may move."""


def is_counted(case: Case) -> bool:
    """Whether the case is open and has a due date; one that was withdrawn or terminated is left alone."""
    ended = case.status == Status.STOPPED and case.stop_kind != StopKind.SUSPENDED
    return case.status in OPEN and case.due_at is not None and not ended


def recalculate(
    case: Case, history: Sequence[Recorded], version: LimitVersion | None, days: WorkingCalendar
) -> fact.DueDateRecalculated | None:
    """The fact of other due dates; None when they are the same. The old promise is in it, and stays in the history."""
    lost = version is None and case.procedure_version is not None
    if lost or not is_counted(case):
        return None
    due_at, statutory_due_at = due = recount(really(history), version, days)
    if due_at is None or due == (case.due_at, case.statutory_due_at):
        return None
    return fact.DueDateRecalculated(
        **about(case),
        old_due_at=case.due_at,
        new_due_at=due_at,
        reason=CALENDAR_CHANGED,
        old_statutory_due_at=case.statutory_due_at,
        new_statutory_due_at=statutory_due_at,
    )
