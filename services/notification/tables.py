"""The notification service's tables. No table holds personal data in the clear."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Index, LargeBinary, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from shared.persistence.tables import OutboxColumns, ParkedColumns, StreamColumns


class Table(SQLModel, registry=registry()):
    """The base of this service's tables, with metadata of its own."""


class CaseRow(StreamColumns, Table, table=True):
    """What messages state about a case."""

    __tablename__ = "cases"

    agency: str | None = Field(default=None, sa_type=Text)
    kind: str | None = Field(default=None, sa_type=Text)
    code: str | None = Field(default=None, sa_type=Text)
    due_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    status: int | None = Field(default=None, sa_type=SmallInteger)
    lane: int = Field(default=0, sa_type=SmallInteger, sa_column_kwargs={"server_default": "0"})


class ContactRow(Table, table=True):
    """An applicant's contact, encrypted; None when it was erased. `channels` names, with spaces, those that reach it."""

    __tablename__ = "contacts"

    case_id: UUID = Field(primary_key=True)
    ciphertext: bytes | None = Field(default=None, sa_type=LargeBinary)
    channels: str = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


class LedgerRow(Table, table=True):
    """One message to one recipient about one fact by one channel; columns as in `domain.ledger.Entry`."""

    __tablename__ = "ledger"
    __table_args__ = (
        UniqueConstraint("case_id", "fact_id", "recipient", "channel", name="ledger_once"),
        Index("ledger_open", "channel", "next_attempt_at", "id", postgresql_where=text("status in ('waiting', 'pending')")),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID
    fact: str = Field(sa_type=Text)
    fact_id: str = Field(sa_type=Text)
    sequence: int
    recipient: str = Field(sa_type=Text)
    channel: str = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    attempts: int
    next_attempt_at: datetime = Field(sa_type=DateTime(timezone=True))
    reason: str | None = Field(default=None, sa_type=Text)
    agency: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    origin: str = Field(sa_type=Text)
    lane: int = Field(sa_type=SmallInteger)
    particulars: str = Field(sa_type=Text)
    occurred_at: datetime = Field(sa_type=DateTime(timezone=True))
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    sent_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class Outbox(OutboxColumns, Table, table=True):
    """What the relay still has to send."""

    __tablename__ = "outbox"


class Parked(ParkedColumns, Table, table=True):
    """What the consumers could not take."""

    __tablename__ = "parked"
