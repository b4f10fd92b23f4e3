"""Columns that every service's tables share. A service's `tables.py` makes its own registry and adds its own columns."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, LargeBinary, SmallInteger, Text, func
from sqlmodel import Field, SQLModel


class StreamColumns(SQLModel):
    """The bookkeeping of one case in one service: the first columns of its `cases` table.

    A row exists from the first record that names the case, so every domain column is nullable or has a default.
    """

    case_id: UUID = Field(primary_key=True)
    heard_intake: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    heard_processing: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    heard_notification: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    stated: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    parked: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    waiting: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class OutboxColumns(SQLModel):
    """What the relay still has to send, in the order of `id` within a lane."""

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    lane: int = Field(sa_type=SmallInteger)
    topic: str = Field(sa_type=Text)
    key: bytes = Field(sa_type=LargeBinary)
    headers: bytes = Field(sa_type=LargeBinary)
    payload: bytes | None = Field(default=None, sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs={"server_default": func.now()})


class InboxColumns(SQLModel):
    """Commands from outside that were taken already, kept 14 days."""

    source: str = Field(primary_key=True, sa_type=Text)
    id: str = Field(primary_key=True, sa_type=Text)
    seen_at: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs={"server_default": func.now()})


class ParkedColumns(SQLModel):
    """Records that a consumer could not take: the truth about dead letters, byte for byte.

    A settled one (replayed, discarded) keeps its row: its place must be known when offsets go back.
    """

    id: UUID = Field(primary_key=True)
    consumer_group: str = Field(sa_type=Text)
    topic: str = Field(sa_type=Text)
    partition: int
    position: int = Field(sa_type=BigInteger)
    key: bytes | None = Field(default=None, sa_type=LargeBinary)
    headers: bytes = Field(sa_type=LargeBinary)
    payload: bytes | None = Field(default=None, sa_type=LargeBinary)
    case_id: UUID | None = None
    type: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    detail: str = Field(sa_type=Text)
    state: str = Field(default="parked", sa_type=Text, sa_column_kwargs={"server_default": "parked"})
    parked_at: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs={"server_default": func.now()})
    settled_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    settled_by: str | None = Field(default=None, sa_type=Text)
    settled_reason: str | None = Field(default=None, sa_type=Text)


class AccessLogColumns(SQLModel):
    """One look, or attempt, at what is personal. Written before the answer leaves; nothing personal but who asked.

    `agency` is the case's, or the asker's where no case is known; `found` counts what was shown.
    """

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    at: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs={"server_default": func.now()})
    subject: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    asker_agency: str | None = Field(default=None, sa_type=Text)
    agency: str | None = Field(default=None, sa_type=Text)
    action: str = Field(sa_type=Text)
    purpose: str = Field(sa_type=Text)
    case_id: UUID | None = None
    outcome: str = Field(sa_type=Text)
    found: int = 0
