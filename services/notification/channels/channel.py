"""What every channel is: it takes messages over and says what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import UUID

from services.notification.domain.routing import Way


class Message(NamedTuple):
    """One message, ready to go. `address` is the applicant's on this channel; it appears in no log, event or ledger."""

    id: UUID
    case_id: UUID
    fact: str
    fact_id: str
    recipient: str
    language: str
    origin: str
    occurred_at: datetime
    subject: str
    text: str
    address: str | None = None


class Result(StrEnum):
    """What became of a message. Retry: it may go later. Refused: never on this channel. Not tried: its turn did not come."""

    SENT = "sent"
    RETRY = "retry"
    REFUSED = "refused"
    NOT_TRIED = "not_tried"


class Outcome(NamedTuple):
    """The channel's answer about one message; `reason` is a code and names nobody."""

    message_id: UUID
    result: Result
    reason: str | None = None


class Channel(Protocol):
    """A way to the applicant.

    Of a message that fails, `attempts` says how often it is tried and `waits` the first and longest time between, in seconds.
    `send` is called outside any transaction with at most `batch` messages, ends within `lease_seconds`, and gives one outcome
    per message. It raises nothing: a failure is an outcome. After a crash the same message, with the same id, comes again.
    """

    way: Way
    batch: int
    lease_seconds: float
    attempts: int
    waits: tuple[float, float]

    async def send(self, messages: Sequence[Message]) -> list[Outcome]:
        """Hand the messages over."""
        ...
