"""Every command of the city's one-stop system: the imperative of the events that processing states.

The same models serve `case-commands` on Kafka (the type in `ce_type`) and `POST /v1/cases/{id}/commands` (the type in the
body). A misspelt field is an error here, unlike in events: a command that is half understood must not run.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from shared.contracts.model import Code, Contract, Instant, Label, Reason, Score, Slug
from shared.contracts.words import Channel, ContactVia, Outcome, StopKind

FIRST_YEAR: Final = 1976
"""Since then the legal time zone has had one offset."""
LAST_YEAR: Final = 2200


def _in_reach(at: datetime) -> datetime:
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise PydanticCustomError(
            "time_range", "must lie in the years {first} to {last}", {"first": FIRST_YEAR, "last": LAST_YEAR}
        )
    return at


Moment = Annotated[Instant, AfterValidator(_in_reach)]
"""A moment that a command names: within the years in which days can be counted."""


class Command(Contract):
    """What an officer, or an officer's system, asks for."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class Accept(Command):
    """Accept the complete dossier.

    `documents` are those that came after the filing; `due_at` is the deadline of a task, which no procedure knows.
    """

    type = "accept"

    unit: Slug | None = None
    documents: tuple[Code, ...] = Field(default=(), max_length=100)
    due_at: Moment | None = None


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
    """Hand the case to a unit or an agency: exactly one of the two.

    `share_half_days` is the receiver's share of the time limit, in half working days; its answer is due when it has passed.
    """

    type = "forward"

    to_unit: Slug | None = None
    to_agency: Slug | None = None
    share_half_days: PositiveInt | None = Field(default=None, le=1000)

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
    until: Moment | None = None


class ReceiveSupplement(Command):
    """The documents are complete."""

    type = "receive_supplement"


class RequestPayment(Command):
    """Ask for a fee, in đồng."""

    type = "request_payment"

    amount_vnd: PositiveInt
    until: Moment | None = None


class ReceivePayment(Command):
    """The fee was paid, in đồng."""

    type = "receive_payment"

    amount_vnd: PositiveInt


class Extend(Command):
    """Set a new appointment, once, with reason and apology."""

    type = "extend"

    new_due_at: Moment
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
    """The result is ready; a refusal needs its reason."""

    type = "resolve"

    outcome: Outcome
    reason: Reason | None = None


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
    occurred_at: Moment | None = None


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
    """Tie the case to another one. It is told in this case's history only: a tie that both shall show takes two commands."""

    type = "link"

    other_case_id: UUID
    reason: Reason


class RecordContact(Command):
    """A citizen asked after the case: by a call, or by a ticket that became the case `other_case_id`.

    `source` is the call centre that says so; `at` is when they called: now without it, and never later than now. It is legal in
    every status.
    """

    type = "record_contact"

    via: Annotated[ContactVia, Field(strict=False)]
    source: Slug
    at: Moment | None = None
    other_case_id: UUID | None = None


class Rate(Command):
    """The citizen says how content they are with the answer, 1 (not at all) to 5; said again, the newest counts."""

    type = "rate"

    score: Score


COMMANDS: dict[str, type[Command]] = {
    command.type: command
    for command in (
        Accept, Refuse, CompleteStep, Forward, RequestSupplement, ReceiveSupplement, RequestPayment, ReceivePayment, Extend,
        Escalate, RequestWithdrawal, Stop, Resume, Resolve, Return, Reopen, Correct, RecordCause, ReachMilestone, Link,
        RecordContact, Rate,
    )
}  # fmt: skip
"""Every command type by the value of `ce_type`."""
