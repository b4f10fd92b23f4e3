"""Intake's tables: `cases` moves, `submissions` and `idempotency` are written once, `applicants` can be erased."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Index, LargeBinary, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from shared.persistence.tables import OutboxColumns, ParkedColumns, StreamColumns


class Table(SQLModel, registry=registry()):
    """What every table of this service descends from: one registry, one metadata."""


class CaseRow(StreamColumns, Table, table=True):
    """A case as the public may see it, with the bookkeeping of its events."""

    __tablename__ = "cases"
    __table_args__ = (Index("cases_code", "code", postgresql_where=text("code is not null")),)

    code: str | None = Field(default=None, sa_type=Text)
    completion: str | None = Field(default=None, sa_type=Text)


class SubmissionRow(Table, table=True):
    """What was filed; nothing personal."""

    __tablename__ = "submissions"

    case_id: UUID = Field(primary_key=True)
    agency: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    procedure: str = Field(sa_type=Text)
    channel: str = Field(sa_type=Text)
    return_channel: str | None = Field(default=None, sa_type=Text)
    documents: list[str] = Field(sa_type=ARRAY(Text))
    filed_at: datetime = Field(sa_type=DateTime(timezone=True))
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))
    origin: str = Field(sa_type=Text)
    lane: int = Field(sa_type=SmallInteger)


class ApplicantRow(Table, table=True):
    """The applicant's contact, encrypted for its case."""

    __tablename__ = "applicants"

    case_id: UUID = Field(primary_key=True)
    ciphertext: bytes = Field(sa_type=LargeBinary)


class IdempotencyRow(Table, table=True):
    """Which case a key opened; `digest` is the HMAC of the content, so that other content is told apart."""

    __tablename__ = "idempotency"

    scope: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    digest: bytes = Field(sa_type=LargeBinary)
    case_id: UUID
    created_at: datetime = Field(sa_type=DateTime(timezone=True))


class Outbox(OutboxColumns, Table, table=True):
    """What the relay still has to send."""

    __tablename__ = "outbox"


class Parked(ParkedColumns, Table, table=True):
    """Records that a consumer could not take."""

    __tablename__ = "parked"
    __table_args__ = (
        UniqueConstraint("consumer_group", "topic", "partition", "position", name="parked_place"),
        Index("parked_case", "case_id", postgresql_where=text("state = 'parked'")),
    )
