"""What intake states: filings, and what the hotline and its feeds report."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field, NonNegativeInt, PositiveInt

from shared.contracts.events.base import INTAKE, CaseEvent, Event
from shared.contracts.model import Code, Contract, Instant, Reason, Slug
from shared.contracts.words import CallOutcome, Channel, Lane, OnlineLevel


class CaseSubmitted(CaseEvent):
    """A case was filed through a channel; nobody has accepted it yet.

    Only facts of its own channel are given. A postal dossier is filed when its hand-over is signed (Decision 45/2016/QĐ-TTg,
    art. 7.4). `national_channel` is the channel's code in the national systems. `documents_complete` says whether all that
    the procedure asks for was there at this first filing; None where the catalogue knows no documents.
    `matter` is what feedback is about, a slug of the catalogue's list.
    """

    type = "case.submitted"
    stated_by = INTAKE

    procedure: Code
    channel: Channel
    filed_at: Instant
    documents: tuple[Code, ...] = Field(default=(), max_length=100)
    return_channel: Channel | None = None
    lane: Annotated[Lane, Field(strict=False)] = Lane.INTERACTIVE
    national_channel: Annotated[int | None, Field(ge=1, le=3)] = None
    counter: Slug | None = None
    online_level: OnlineLevel | None = None
    postal_record: Code | None = None
    authorised: bool = False
    documents_complete: bool | None = None
    pre_intake_id: UUID | None = None
    matter: Slug | None = None


class DuplicateSuspected(CaseEvent):
    """The same person filed the same procedure with the same agency shortly before: somebody should look, nothing is refused."""

    type = "case.duplicate_suspected"
    stated_by = INTAKE

    other_case_id: UUID
    reason: Reason


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
    """A feed's own count of what it sent in an hour, and ours of what was taken of it; stated again when either changes.

    `counted` holds what was accepted or ignored, each event once, by the hour in which it happened.
    """

    type = "feed.reported"
    stated_by = INTAKE

    agency: Slug
    source: Slug
    hour_at: Instant
    events: NonNegativeInt
    counted: NonNegativeInt | None = None


class MissingNumber(Contract):
    """A number that a source passed over in counting its events; `scope` is the count it belongs to, where there are several."""

    number: NonNegativeInt
    scope: Code | None = None


class FeedObserved(Event):
    """How a feed stands: totals since it was first heard, and what is missing. Stated when something changed.

    A feed is silent when nothing was heard for `expected_silence_seconds` after `last_event_at`, by the hours of its mapping.
    `late` events told of calls that were stated already. `missing_numbers` are the first of them.
    """

    type = "feed.observed"
    stated_by = INTAKE

    agency: Slug
    source: Slug
    last_event_at: Instant
    expected_silence_seconds: PositiveInt | None = None
    accepted: NonNegativeInt
    duplicate: NonNegativeInt
    ignored: NonNegativeInt
    refused: NonNegativeInt
    late: NonNegativeInt = 0
    missing: NonNegativeInt = 0
    missing_numbers: tuple[MissingNumber, ...] = Field(default=(), max_length=20)
