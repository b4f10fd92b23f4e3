"""Every command of the city's one-stop system: the imperative of the events that processing states.

The same models serve `case-commands` on Kafka (the type in `ce_type`) and `POST /v1/cases/{id}/commands` (the type in the
body). A misspelt field is an error here, unlike in events: a command that is half understood must not run.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, PositiveInt, model_validator

from shared.contracts.model import Code, Contract, Instant, Label, Reason, Slug
from shared.contracts.words import Channel, Outcome, StopKind


class Command(Contract):
    """What an officer, or an officer's system, asks for."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class Accept(Command):
    """Accept the complete dossier."""

    type = "accept"

    unit: Slug | None = None


class Refuse(Command):
    """Refuse acceptance."""

    type = "refuse"

    reason: Reason


class CompleteStep(Command):
    """An internal step or an activity is done."""

    type = "complete_step"

    step: Label
    unit: Slug | None = None


class Forward(Command):
    """Hand the case to a unit or an agency: exactly one of the two."""

    type = "forward"

    to_unit: Slug | None = None
    to_agency: Slug | None = None

    @model_validator(mode="after")
    def _one_target(self) -> Forward:
        if (self.to_unit is None) == (self.to_agency is None):
            raise ValueError("give exactly one of to_unit and to_agency")
        return self


class RequestSupplement(Command):
    """Ask the applicant to complete the documents."""

    type = "request_supplement"

    documents: tuple[Code, ...] = Field(min_length=1, max_length=100)
    reason: Reason
    until: Instant | None = None


class ReceiveSupplement(Command):
    """The documents are complete."""

    type = "receive_supplement"


class RequestPayment(Command):
    """Ask for a fee, in đồng."""

    type = "request_payment"

    amount_vnd: PositiveInt
    until: Instant | None = None


class ReceivePayment(Command):
    """The fee was paid, in đồng."""

    type = "receive_payment"

    amount_vnd: PositiveInt


class Extend(Command):
    """Set a new appointment, once, with reason and apology."""

    type = "extend"

    new_due_at: Instant
    reason: Reason
    apology: Reason


class Escalate(Command):
    """Raise a late case to a level."""

    type = "escalate"

    level: PositiveInt


class RequestWithdrawal(Command):
    """The citizen asks for the dossier back."""

    type = "request_withdrawal"

    reason: Reason | None = None


class Stop(Command):
    """Stop work."""

    type = "stop"

    stop_kind: StopKind
    reason: Reason


class Resume(Command):
    """Go on with a stopped case."""

    type = "resume"

    reason: Reason


class Resolve(Command):
    """The result is ready."""

    type = "resolve"

    outcome: Outcome


class Return(Command):
    """The result was handed over, in this way."""

    type = "return"

    channel: Channel


class Reopen(Command):
    """Work on a resolved case again."""

    type = "reopen"

    reason: Reason


class Correct(Command):
    """A fact of the past was wrong."""

    type = "correct"

    event_id: UUID
    reason: Reason
    occurred_at: Instant | None = None


class RecordCause(Command):
    """Say why a case was late."""

    type = "record_cause"

    cause: Reason


class ReachMilestone(Command):
    """A task's progress."""

    type = "reach_milestone"

    milestone: Slug
    percent: Annotated[int, Field(ge=0, le=100)]


class Link(Command):
    """Tie the case to another one."""

    type = "link"

    other_case_id: UUID
    reason: Reason


COMMANDS: dict[str, type[Command]] = {
    command.type: command
    for command in (
        Accept, Refuse, CompleteStep, Forward, RequestSupplement, ReceiveSupplement, RequestPayment, ReceivePayment, Extend,
        Escalate, RequestWithdrawal, Stop, Resume, Resolve, Return, Reopen, Correct, RecordCause, ReachMilestone, Link,
    )
}  # fmt: skip
"""Every command type by the value of `ce_type`."""
