"""The ledger: one message per case, fact, recipient and channel, and what became of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class MessageStatus(StrEnum):
    """Where a message stands. Waiting: for its contact. Pending: for its channel. The others are final."""

    WAITING = "waiting"
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    UNDELIVERABLE = "undeliverable"
    CANCELLED = "cancelled"


OPEN = (MessageStatus.WAITING, MessageStatus.PENDING)

NO_CHANNEL = "none"
"""The channel of a message for which none is chosen, yet or ever."""


class Entry(NamedTuple):
    """One row of the ledger. Fields are the table's columns, in its order; times are aware and in UTC.

    `fact` is the event's type, `fact_id` its id, `particulars` the JSON of what the message states.
    """

    id: UUID
    case_id: UUID
    fact: str
    fact_id: str
    sequence: int
    recipient: str
    channel: str
    language: str
    status: str
    attempts: int
    next_attempt_at: datetime
    reason: str | None
    agency: str
    kind: str
    origin: str
    lane: int
    particulars: str
    occurred_at: datetime
    created_at: datetime
    sent_at: datetime | None
