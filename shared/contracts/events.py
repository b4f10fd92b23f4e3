"""Every event type of the city's one-stop system, in one place (DESIGN: topics, envelope, events).

An event type is one class here, one golden sample in `tests/contract/samples`, and its producer. Fields are added with a
default and never renamed or removed. No field holds personal data: reasons are codes.
"""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, NonNegativeInt, PositiveInt

from shared.contracts.model import Code, Contract, Instant, Label, Reason, Slug
from shared.contracts.words import (
    CallOutcome,
    Channel,
    ClockMode,
    Kind,
    Lane,
    Outcome,
    Rejection,
    StopKind,
    Timeliness,
)

INTAKE, PROCESSING, NOTIFICATION = "intake", "processing", "notification"


class Event(Contract):
    """A fact on `case-events`."""

    stated_by: ClassVar[str]
    """The one service that states this fact; `ce_source` is this name after a slash."""


class CaseEvent(Event):
    """A fact about one case, keyed by its id. Agency and kind are on every one."""

    agency: Slug
    kind: Kind


# --- intake ----------------------------------------------------------------------------------------


class CaseSubmitted(CaseEvent):
    """A case was filed through a channel; nobody has accepted it yet."""

    type = "case.submitted"
    stated_by = INTAKE

    procedure: Code
    channel: Channel
    filed_at: Instant
    documents: tuple[Code, ...] = Field(default=(), max_length=100)
    return_channel: Channel | None = None
    lane: Annotated[Lane, Field(strict=False)] = Lane.INTERACTIVE


class CallEnded(Event):
    """A call to the hotline ended. Seconds are whole."""

    type = "hotline.call_ended"
    stated_by = INTAKE

    agency: Slug
    source: Slug
    outcome: CallOutcome
    waiting_seconds: NonNegativeInt
    talking_seconds: NonNegativeInt


class FeedReported(Event):
    """A feed's own count of what it sent in an hour."""

    type = "feed.reported"
    stated_by = INTAKE

    agency: Slug
    source: Slug
    hour_at: Instant
    events: NonNegativeInt


# --- processing: acceptance ------------------------------------------------------------------------


class Limit(Contract):
    """A time limit: so many working days, calendar days or hours."""

    type = "limit"

    count: PositiveInt
    unit: Slug


class CaseAccepted(CaseEvent):
    """An officer accepted the complete dossier: it has a code, and a due date where its limit is known.

    Decree 61/2018/NĐ-CP, art. 17.3. The committed limit makes `due_at`; the law's own makes `statutory_due_at`.
    """

    type = "case.accepted"
    stated_by = PROCESSING

    code: Code
    procedure: Code
    field: Slug
    channel: Channel
    procedure_version: PositiveInt | None = None
    committed: Limit | None = None
    statutory: Limit | None = None
    due_at: Instant | None = None
    statutory_due_at: Instant | None = None
    unit: Slug | None = None


class CaseRefused(CaseEvent):
    """Acceptance was refused, with the reason (Decree 61/2018/NĐ-CP, art. 17.1.b)."""

    type = "case.refused"
    stated_by = PROCESSING

    reason: Reason


# --- processing: the way through the offices --------------------------------------------------------


class StepCompleted(CaseEvent):
    """An internal step, or an activity of an imported log, is done."""

    type = "case.step_completed"
    stated_by = PROCESSING

    step: Label
    unit: Slug | None = None


class CaseForwarded(CaseEvent):
    """The case went on to another unit or agency; its code stays (Decree 61/2018/NĐ-CP, art. 18)."""

    type = "case.forwarded"
    stated_by = PROCESSING

    to_unit: Slug | None = None
    to_agency: Slug | None = None


class SupplementRequested(CaseEvent):
    """The applicant must complete the documents (form 02)."""

    type = "case.supplement_requested"
    stated_by = PROCESSING

    documents: tuple[Code, ...]
    reason: Reason
    until: Instant | None = None


class SupplementReceived(CaseEvent):
    """The documents are complete; the due date may be new."""

    type = "case.supplement_received"
    stated_by = PROCESSING

    due_at: Instant | None = None
    statutory_due_at: Instant | None = None


class PaymentRequested(CaseEvent):
    """A fee is due. The amount is in đồng."""

    type = "case.payment_requested"
    stated_by = PROCESSING

    amount_vnd: PositiveInt
    until: Instant | None = None


class PaymentReceived(CaseEvent):
    """The fee was paid. The amount is in đồng."""

    type = "case.payment_received"
    stated_by = PROCESSING

    amount_vnd: PositiveInt


# --- processing: the clock --------------------------------------------------------------------------


class CaseExtended(CaseEvent):
    """A new appointment with an apology (form 04; Decree 61/2018/NĐ-CP, art. 19.9)."""

    type = "case.extended"
    stated_by = PROCESSING

    old_due_at: Instant
    new_due_at: Instant
    reason: Reason
    apology: Reason
    breach: bool = False


class DueDateRecalculated(CaseEvent):
    """The calendar changed, and with it the due date of an open case."""

    type = "case.due_date_recalculated"
    stated_by = PROCESSING

    old_due_at: Instant | None
    new_due_at: Instant | None
    reason: Reason


class CaseDueSoon(CaseEvent):
    """The last working day of the limit has begun."""

    type = "case.due_soon"
    stated_by = PROCESSING

    due_at: Instant


class CaseOverdue(CaseEvent):
    """The due date has passed and the case is open."""

    type = "case.overdue"
    stated_by = PROCESSING

    due_at: Instant


class CaseEscalated(CaseEvent):
    """A late case was raised to the next level of the chain."""

    type = "case.escalated"
    stated_by = PROCESSING

    due_at: Instant
    level: PositiveInt


# --- processing: stops and ends ---------------------------------------------------------------------


class WithdrawalRequested(CaseEvent):
    """The citizen asks for the dossier back."""

    type = "case.withdrawal_requested"
    stated_by = PROCESSING

    reason: Reason | None = None


class CaseStopped(CaseEvent):
    """Work on the case stopped (status 8)."""

    type = "case.stopped"
    stated_by = PROCESSING

    stop_kind: StopKind
    reason: Reason


class CaseResumed(CaseEvent):
    """Work on a stopped case goes on."""

    type = "case.resumed"
    stated_by = PROCESSING

    reason: Reason


class CaseResolved(CaseEvent):
    """The result is ready (status 9): the end of processing, against which timeliness is measured."""

    type = "case.resolved"
    stated_by = PROCESSING

    outcome: Outcome
    timeliness: Timeliness


class CaseReturned(CaseEvent):
    """The result is in the applicant's hands (status 10)."""

    type = "case.returned"
    stated_by = PROCESSING

    channel: Channel


class CaseReopened(CaseEvent):
    """A resolved case is worked on again."""

    type = "case.reopened"
    stated_by = PROCESSING

    reason: Reason


class CaseCorrected(CaseEvent):
    """A fact of the past was wrong; history keeps both."""

    type = "case.corrected"
    stated_by = PROCESSING

    event_id: UUID
    reason: Reason
    occurred_at: Instant | None = None


class CauseRecorded(CaseEvent):
    """Why a case was late, as a code."""

    type = "case.cause_recorded"
    stated_by = PROCESSING

    cause: Reason


class MilestoneReached(CaseEvent):
    """A task's progress."""

    type = "case.milestone_reached"
    stated_by = PROCESSING

    milestone: Slug
    percent: Annotated[int, Field(ge=0, le=100)]


class CaseLinked(CaseEvent):
    """The case belongs together with another one."""

    type = "case.linked"
    stated_by = PROCESSING

    other_case_id: UUID
    reason: Reason


class CommandRejected(CaseEvent):
    """A command was not carried out; its sender learns why."""

    type = "case.command_rejected"
    stated_by = PROCESSING

    command_id: Label
    command: Label
    reason: Rejection
    detail: Label | None = None


class ClockSet(Event):
    """Where an agency's business clock stands. Keyed by agency."""

    type = "agency.clock_set"
    stated_by = PROCESSING

    agency: Slug
    mode: ClockMode
    at: Instant | None = None


# --- notification -----------------------------------------------------------------------------------


class NotificationEvent(CaseEvent):
    """What became of one message to one recipient about one fact."""

    stated_by = NOTIFICATION

    message_id: UUID
    fact: Label
    fact_id: Label
    recipient: Slug
    channel: Slug
    reason: Reason | None = None


class NotificationSent(NotificationEvent):
    """The channel took the message over."""

    type = "notification.sent"


class NotificationDelivered(NotificationEvent):
    """The provider says that the message arrived."""

    type = "notification.delivered"


class NotificationFailed(NotificationEvent):
    """The channel refused the message; another may follow."""

    type = "notification.failed"


class NotificationUndeliverable(NotificationEvent):
    """No channel is left."""

    type = "notification.undeliverable"


EVENTS: dict[str, type[Event]] = {
    event.type: event
    for event in (
        CaseSubmitted, CaseAccepted, CaseRefused, StepCompleted, CaseForwarded, SupplementRequested, SupplementReceived,
        PaymentRequested, PaymentReceived, CaseExtended, DueDateRecalculated, CaseDueSoon, CaseOverdue, CaseEscalated,
        WithdrawalRequested, CaseStopped, CaseResumed, CaseResolved, CaseReturned, CaseReopened, CaseCorrected,
        CauseRecorded, MilestoneReached, CaseLinked, CommandRejected, NotificationSent, NotificationDelivered,
        NotificationFailed, NotificationUndeliverable, CallEnded, FeedReported, ClockSet,
    )
}  # fmt: skip
"""Every event type by the value of `ce_type`."""
