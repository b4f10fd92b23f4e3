"""What processing states about stops and ends, and about commands it did not carry out."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared.contracts.events.base import PROCESSING, CaseEvent
from shared.contracts.model import Instant, Label, Reason, Score, Slug
from shared.contracts.words import Channel, ContactVia, Outcome, Rejection, StopKind, Timeliness


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
    """Work on a stopped case goes on. The due dates moved by the time that the clock stood still."""

    type = "case.resumed"
    stated_by = PROCESSING

    reason: Reason
    due_at: Instant | None = None
    statutory_due_at: Instant | None = None
    old_due_at: Instant | None = None


class CaseResolved(CaseEvent):
    """The result is ready (status 9): the end of processing, against which timeliness is measured.

    A breach of the committed limit and one of the law's own are told apart. `reason` is why it was refused. `duty` is the step
    that has to follow the result by `duty_by`, such as its publication.
    """

    type = "case.resolved"
    stated_by = PROCESSING

    outcome: Outcome
    timeliness: Timeliness
    statutory_timeliness: Timeliness | None = None
    reason: Reason | None = None
    duty: Label | None = None
    duty_by: Instant | None = None


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
    """A fact of the past was wrong; history keeps both.

    `corrected` is that fact's type and `occurred_at` when it really happened; without a time, history only notes that the fact
    was wrong. What follows from it is stated, too: the due dates after another moment of acceptance, the timeliness and the
    time of the duty after the result after another moment of resolution.
    """

    type = "case.corrected"
    stated_by = PROCESSING

    event_id: UUID
    reason: Reason
    occurred_at: Instant | None = None
    corrected: Label | None = None
    due_at: Instant | None = None
    statutory_due_at: Instant | None = None
    timeliness: Timeliness | None = None
    statutory_timeliness: Timeliness | None = None
    duty_by: Instant | None = None


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


class ContactRecorded(CaseEvent):
    """A citizen asked after the case at `at`: by a call, or by a ticket that became the case `other_case_id`.

    `source` is the call centre that says so. Who called is not told.
    """

    type = "case.contact_recorded"
    stated_by = PROCESSING

    via: ContactVia
    source: Slug
    at: Instant
    other_case_id: UUID | None = None


class CaseRated(CaseEvent):
    """The citizen said how content they are with the answer. Of several scores of one case the newest counts."""

    type = "case.rated"
    stated_by = PROCESSING

    score: Score


class CommandRejected(CaseEvent):
    """A command was not carried out; its sender learns why."""

    type = "case.command_rejected"
    stated_by = PROCESSING

    command_id: Label
    command: Label
    reason: Rejection
    detail: Label | None = None
