"""What intake states: filings, and what the hotline and its feeds report."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, NonNegativeInt

from shared.contracts.events.base import INTAKE, CaseEvent, Event
from shared.contracts.model import Code, Instant, Slug
from shared.contracts.words import CallOutcome, Channel, Lane


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
