"""Intake's tables: `cases` moves, `submissions` and `idempotency` are written once, `applicants` and `persons` can be erased."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, Index, LargeBinary, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from shared.persistence.tables import AccessLogColumns, OutboxColumns, ParkedColumns, StreamColumns


class Table(SQLModel, registry=registry()):
    """What every table of this service descends from: one registry, one metadata."""


class CaseRow(StreamColumns, Table, table=True):
    """A case as the public may see it, with the bookkeeping of its events."""

    __tablename__ = "cases"
    __table_args__ = (Index("cases_code", "code", postgresql_where=text("code is not null")),)

    code: str | None = Field(default=None, sa_type=Text)
    completion: str | None = Field(default=None, sa_type=Text)


class SubmissionRow(Table, table=True):
    """What was filed; nothing personal. `facts` are the channel's own: counter and officer, online level, postal record."""

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
    facts: dict[str, str] | None = Field(default=None, sa_type=JSONB)


class PreIntakeRow(Table, table=True):
    """What the hotline noted of a dossier that somebody means to file; nothing personal. `named_at`: a filing named it."""

    __tablename__ = "pre_intakes"
    __table_args__ = (Index("pre_intakes_agency", "agency", "id"),)

    id: UUID = Field(primary_key=True)
    agency: str = Field(sa_type=Text)
    procedure: str = Field(sa_type=Text)
    documents: list[str] = Field(sa_type=ARRAY(Text))
    complete: bool | None = None
    missing: list[str] = Field(sa_type=ARRAY(Text))
    call: str | None = Field(default=None, sa_type=Text)
    callback_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    created_at: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs={"server_default": text("now()")})
    named_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class ApplicantRow(Table, table=True):
    """Everything personal about a case, sealed under the case's own data key (`shared/security/key_ring.py`).

    `ciphertext` is the contact and `note` the free text, both as published on `case-private`; `personal` holds whatever else was
    said of persons. A live case without a contact has a row too, for it publishes that there is none. An empty contact stands
    for such a case from before rows were kept for them.
    """

    __tablename__ = "applicants"

    case_id: UUID = Field(primary_key=True)
    ciphertext: bytes = Field(sa_type=LargeBinary)
    personal: bytes | None = Field(default=None, sa_type=LargeBinary)
    note: bytes | None = Field(default=None, sa_type=LargeBinary)


class PersonRow(Table, table=True):
    """The identifiers of a case's applicant as tokens, at least one: found again, and never read back.

    `checked` says that possible duplicates of the case were looked for.
    """

    __tablename__ = "persons"
    __table_args__ = (
        *(
            Index(f"persons_{kind}", kind, "procedure", "case_id", postgresql_where=text(f"{kind} is not null"))
            for kind in ("id_number", "phone", "email")
        ),
        Index("persons_unchecked", "case_id", postgresql_where=text("not checked")),
    )

    case_id: UUID = Field(primary_key=True)
    id_number: bytes | None = Field(default=None, sa_type=LargeBinary)
    phone: bytes | None = Field(default=None, sa_type=LargeBinary)
    email: bytes | None = Field(default=None, sa_type=LargeBinary)
    procedure: str = Field(sa_type=Text)
    agency: str = Field(sa_type=Text)
    filed_at: datetime = Field(sa_type=DateTime(timezone=True))
    checked: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})


class AccessRow(AccessLogColumns, Table, table=True):
    """Who was shown what is personal, or was refused, and why they asked."""

    __tablename__ = "access_log"
    __table_args__ = (Index("access_log_agency", "agency", "id"), Index("access_log_case", "case_id", "id"))


class RotationRow(Table, table=True):
    """How far the data keys are wrapped under one master key, which is named in hexadecimal.

    `after` is the last case seen; `changed` and `unreadable` count cases of this walk, `rewrapped` those of all walks.
    """

    __tablename__ = "rotations"

    key_id: str = Field(primary_key=True, sa_type=Text)
    after: UUID
    rewrapped: int = Field(default=0, sa_type=BigInteger)
    changed: int = Field(default=0, sa_type=BigInteger)
    unreadable: int = Field(default=0, sa_type=BigInteger)
    started_at: datetime = Field(sa_type=DateTime(timezone=True))
    done_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class IdempotencyRow(Table, table=True):
    """Which case a key opened; `digest`, the HMAC of the content, tells other content apart. It is empty after an erasure."""

    __tablename__ = "idempotency"

    scope: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    digest: bytes = Field(sa_type=LargeBinary)
    case_id: UUID
    created_at: datetime = Field(sa_type=DateTime(timezone=True))


class HotlineEventRow(Table, table=True):
    """An event of a call centre that was taken, and what became of it: the memory of its id, and a line of the log, for 14 days.

    `note` says more as a code; `case_id` is the case of its ticket. Nothing of it is personal.
    """

    __tablename__ = "hotline_events"

    source: str = Field(primary_key=True, sa_type=Text)
    event_id: str = Field(primary_key=True, sa_type=Text)
    agency: str = Field(sa_type=Text)
    received_at: datetime = Field(sa_type=DateTime(timezone=True))
    occurred_at: datetime = Field(sa_type=DateTime(timezone=True))
    door: str = Field(sa_type=Text)
    type: str | None = Field(default=None, sa_type=Text)
    outcome: str = Field(sa_type=Text)
    note: str | None = Field(default=None, sa_type=Text)
    case_id: UUID | None = None


class HotlineRefusalRow(Table, table=True):
    """An event that was refused, and why. The first one of a payload keeps it, sealed, for less than 24 hours.

    `place` is where on the topic it stands, so that a record that is read again is refused once.
    """

    __tablename__ = "hotline_refusals"

    id: UUID = Field(primary_key=True)
    source: str = Field(sa_type=Text)
    event_id: str | None = Field(default=None, sa_type=Text)
    agency: str | None = Field(default=None, sa_type=Text)
    received_at: datetime = Field(sa_type=DateTime(timezone=True))
    door: str = Field(sa_type=Text)
    faults: list[dict[str, str]] = Field(sa_type=JSONB)
    payload: bytes | None = Field(default=None, sa_type=LargeBinary)
    place: str | None = Field(default=None, sa_type=Text)


class TicketRow(Table, table=True):
    """The case that a ticket of a call centre became; `matter_key` is the HMAC of what tickets of one matter have in common."""

    __tablename__ = "tickets"

    source: str = Field(primary_key=True, sa_type=Text)
    ticket_id: str = Field(primary_key=True, sa_type=Text)
    case_id: UUID
    agency: str = Field(sa_type=Text)
    matter_key: bytes | None = Field(default=None, sa_type=LargeBinary)
    opened_at: datetime = Field(sa_type=DateTime(timezone=True))


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
