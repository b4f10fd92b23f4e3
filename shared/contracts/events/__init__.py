"""Every event type of the city's one-stop system, in one place (ARCHITECTURE §3).

An event type is one class in this package, its line in `EVENTS`, one golden sample in `tests/contract/samples`, and its
producer. Fields are added with a default and never renamed or removed. No field holds personal data: reasons are codes.
"""

from __future__ import annotations

from shared.contracts.events.acceptance import (
    CaseAccepted,
    CaseForwarded,
    CaseRefused,
    Limit,
    PaymentReceived,
    PaymentRequested,
    StepCompleted,
    SupplementReceived,
    SupplementRequested,
)
from shared.contracts.events.base import INTAKE, NOTIFICATION, PROCESSING, CaseEvent, Event
from shared.contracts.events.calendar import CITY, AgencyHours, CalendarChanged, ExceptionalDay
from shared.contracts.events.clock import CaseDueSoon, CaseEscalated, CaseExtended, CaseOverdue, ClockSet, DueDateRecalculated
from shared.contracts.events.ends import (
    CaseCorrected,
    CaseLinked,
    CaseRated,
    CaseReopened,
    CaseResolved,
    CaseResumed,
    CaseReturned,
    CaseStopped,
    CauseRecorded,
    CommandRejected,
    ContactRecorded,
    MilestoneReached,
    WithdrawalRequested,
)
from shared.contracts.events.intake import CallEnded, CaseSubmitted, DuplicateSuspected, FeedObserved, FeedReported
from shared.contracts.events.notification import (
    NotificationDelivered,
    NotificationEvent,
    NotificationFailed,
    NotificationSent,
    NotificationUndeliverable,
)

EVENTS: dict[str, type[Event]] = {
    event.type: event
    for event in (
        CaseSubmitted, CaseAccepted, CaseRefused, StepCompleted, CaseForwarded, SupplementRequested, SupplementReceived,
        PaymentRequested, PaymentReceived, CaseExtended, DueDateRecalculated, CaseDueSoon, CaseOverdue, CaseEscalated,
        WithdrawalRequested, CaseStopped, CaseResumed, CaseResolved, CaseReturned, CaseReopened, CaseCorrected,
        CauseRecorded, MilestoneReached, CaseLinked, CommandRejected, NotificationSent, NotificationDelivered,
        NotificationFailed, NotificationUndeliverable, CallEnded, FeedReported, ClockSet, CalendarChanged,
        DuplicateSuspected, FeedObserved, ContactRecorded, CaseRated,
    )
}  # fmt: skip
"""Every event type by the value of `ce_type`."""

__all__ = [
    "CITY",
    "EVENTS",
    "INTAKE",
    "NOTIFICATION",
    "PROCESSING",
    "AgencyHours",
    "CalendarChanged",
    "CallEnded",
    "CaseAccepted",
    "CaseCorrected",
    "CaseDueSoon",
    "CaseEscalated",
    "CaseEvent",
    "CaseExtended",
    "CaseForwarded",
    "CaseLinked",
    "CaseOverdue",
    "CaseRated",
    "CaseRefused",
    "CaseReopened",
    "CaseResolved",
    "CaseResumed",
    "CaseReturned",
    "CaseStopped",
    "CaseSubmitted",
    "CauseRecorded",
    "ClockSet",
    "CommandRejected",
    "ContactRecorded",
    "DueDateRecalculated",
    "DuplicateSuspected",
    "Event",
    "ExceptionalDay",
    "FeedObserved",
    "FeedReported",
    "Limit",
    "MilestoneReached",
    "NotificationDelivered",
    "NotificationEvent",
    "NotificationFailed",
    "NotificationSent",
    "NotificationUndeliverable",
    "PaymentReceived",
    "PaymentRequested",
    "StepCompleted",
    "SupplementReceived",
    "SupplementRequested",
    "WithdrawalRequested",
]
