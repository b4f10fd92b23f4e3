"""The tables of processing's database. The domain columns of `CaseRow` are the fields of `domain.case.Case`, in order."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, LargeBinary, SmallInteger, Text, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from shared.persistence.tables import AccessLogColumns, InboxColumns, OutboxColumns, ParkedColumns, StreamColumns

INSTANT = DateTime(timezone=True)


class Table(SQLModel, registry=registry()):
    """What every table of this service has in common: its own metadata."""


class CaseRow(StreamColumns, Table, table=True):
    """A case as it stands, after everything heard and stated.

    Columns that change have no index (so that updates stay inside their page), but for the code: it is set once.
    """

    __tablename__ = "cases"
    __table_args__ = (
        Index("cases_agency", "agency", "case_id"),
        Index("cases_code", "code", unique=True),
        Index("cases_holder", "holder", "case_id", postgresql_where=text("holder is not null")),
    )

    agency: str | None = Field(default=None, sa_type=Text)
    kind: str | None = Field(default=None, sa_type=Text)
    procedure: str | None = Field(default=None, sa_type=Text)
    procedure_version: int | None = None
    field: str | None = Field(default=None, sa_type=Text)
    channel: str | None = Field(default=None, sa_type=Text)
    return_channel: str | None = Field(default=None, sa_type=Text)
    status: int | None = Field(default=None, sa_type=SmallInteger)
    step: str | None = Field(default=None, sa_type=Text)
    unit: str | None = Field(default=None, sa_type=Text)
    code: str | None = Field(default=None, sa_type=Text)
    origin: str | None = Field(default=None, sa_type=Text)
    lane: int | None = Field(default=None, sa_type=SmallInteger)
    submitted_at: datetime | None = Field(default=None, sa_type=INSTANT)
    accepted_at: datetime | None = Field(default=None, sa_type=INSTANT)
    due_at: datetime | None = Field(default=None, sa_type=INSTANT)
    statutory_due_at: datetime | None = Field(default=None, sa_type=INSTANT)
    resolved_at: datetime | None = Field(default=None, sa_type=INSTANT)
    returned_at: datetime | None = Field(default=None, sa_type=INSTANT)
    outcome: str | None = Field(default=None, sa_type=Text)
    last_fact_at: datetime | None = Field(default=None, sa_type=INSTANT)
    clock_from: datetime | None = Field(default=None, sa_type=INSTANT)
    stopped_at: datetime | None = Field(default=None, sa_type=INSTANT)
    stop_kind: str | None = Field(default=None, sa_type=Text)
    supplements: int | None = Field(default=None, sa_type=SmallInteger)
    extensions: int | None = Field(default=None, sa_type=SmallInteger)
    payment_vnd: int | None = Field(default=None, sa_type=BigInteger)
    missing: str | None = Field(default=None, sa_type=Text)
    holder: str | None = Field(default=None, sa_type=Text)
    until: datetime | None = Field(default=None, sa_type=INSTANT)
    answer_by: datetime | None = Field(default=None, sa_type=INSTANT)
    duty: str | None = Field(default=None, sa_type=Text)
    duty_by: datetime | None = Field(default=None, sa_type=INSTANT)
    raised: str | None = Field(default=None, sa_type=Text)
    timer_at: datetime | None = Field(default=None, sa_type=INSTANT)
    matter: str | None = Field(default=None, sa_type=Text)
    contacts: int | None = None
    contacted_at: datetime | None = Field(default=None, sa_type=INSTANT)
    score: int | None = Field(default=None, sa_type=SmallInteger)
    reopenings: int | None = Field(default=None, sa_type=SmallInteger)


class TimerRow(Table, table=True):
    """When the next fact of time of a case is due: `cases.timer_at` once more, of those cases that have one, with an index.

    A `replayed` case listens to a historical clock only.
    """

    __tablename__ = "timers"
    __table_args__ = (Index("timers_due", "replayed", "agency", "at"),)

    case_id: UUID = Field(primary_key=True)
    agency: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=INSTANT)
    replayed: bool


class HistoryRow(Table, table=True):
    """Every fact about a case: its submission as heard, and everything this service stated. Rows never change."""

    __tablename__ = "history"

    case_id: UUID = Field(primary_key=True)
    source: str = Field(primary_key=True, sa_type=Text)
    sequence: int = Field(primary_key=True)
    event_id: UUID
    type: str = Field(sa_type=Text)
    occurred_at: datetime = Field(sa_type=INSTANT)
    recorded_at: datetime = Field(sa_type=INSTANT)
    origin: str = Field(sa_type=Text)
    causation_id: str | None = Field(default=None, sa_type=Text)
    body: str = Field(sa_type=Text)


class WaitingRow(Table, table=True):
    """A command that came before its case, in the order of `id`."""

    __tablename__ = "waiting"
    __table_args__ = (Index("waiting_case", "case_id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    case_id: UUID
    command_id: str = Field(sa_type=Text)
    type: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    agency: str = Field(sa_type=Text)
    occurred_at: datetime = Field(sa_type=INSTANT)
    recorded_at: datetime = Field(sa_type=INSTANT)
    origin: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    arrived_at: datetime = Field(sa_type=INSTANT)


class NoteRow(Table, table=True):
    """What an officer wrote beside a command, sealed under a data key of its own; also on `case-private`."""

    __tablename__ = "notes"

    case_id: UUID = Field(primary_key=True)
    command_id: UUID = Field(primary_key=True)
    agency: str = Field(sa_type=Text)
    sealed: bytes = Field(sa_type=LargeBinary)
    written_at: datetime = Field(sa_type=INSTANT)


class ErasedRow(Table, table=True):
    """A case whose people were erased: nothing more may be written about them."""

    __tablename__ = "erased"

    case_id: UUID = Field(primary_key=True)
    erased_at: datetime = Field(sa_type=INSTANT)


class AccessRow(AccessLogColumns, Table, table=True):
    """Who read notes, or was refused, and why they asked."""

    __tablename__ = "access_log"
    __table_args__ = (Index("access_log_agency", "agency", "id"), Index("access_log_case", "case_id", "id"))


class SerialRow(Table, table=True):
    """The last serial that was allotted to a prefix on a local date of acceptance."""

    __tablename__ = "serials"

    prefix: str = Field(primary_key=True, sa_type=Text)
    day: dt.date = Field(primary_key=True)
    last: int


class ClockRow(Table, table=True):
    """Where an agency's business clock stands; an agency without a row is live."""

    __tablename__ = "agency_clocks"

    agency: str = Field(primary_key=True, sa_type=Text)
    mode: str = Field(sa_type=Text)
    at: datetime | None = Field(default=None, sa_type=INSTANT)
    sequence: int


class AnswerRow(Table, table=True):
    """What an HTTP command with an `Idempotency-Key` was answered, kept 14 days, to answer the same again."""

    __tablename__ = "answers"

    source: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    content: str = Field(sa_type=Text)
    answer: str = Field(sa_type=Text)
    answered_at: datetime = Field(sa_type=INSTANT)


class Inbox(InboxColumns, Table, table=True):
    """Commands that were taken from Kafka."""

    __tablename__ = "inbox"


class Outbox(OutboxColumns, Table, table=True):
    """What the relay has to send."""

    __tablename__ = "outbox"


class Parked(ParkedColumns, Table, table=True):
    """Records that a consumer of this service could not take; a place of a topic is parked once."""

    __tablename__ = "parked"
    __table_args__ = (
        Index("parked_place", "consumer_group", "topic", "partition", "position", unique=True),
        Index("parked_case", "case_id", postgresql_where=text("state = 'parked'")),
    )


class CalendarDayRow(Table, table=True):
    """A day that differs from the plain week: `shared.calendar.CalendarDay`."""

    __tablename__ = "calendar_days"

    day: dt.date = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    name_vi: str = Field(sa_type=Text)
    name_en: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    swap: dt.date | None = None


class CounterHoursRow(Table, table=True):
    """Opening hours as spans with spaces between them; the agency `*` is every one without a row."""

    __tablename__ = "counter_hours"

    agency: str = Field(primary_key=True, sa_type=Text)
    spans: str = Field(sa_type=Text)


class CalendarStateRow(Table, table=True):
    """One row: the number of the calendar's last change. Whoever decides holds it shared, whoever changes, alone."""

    __tablename__ = "calendar_state"

    id: int = Field(primary_key=True, sa_type=SmallInteger)
    revision: int
    changed_at: datetime = Field(sa_type=INSTANT)


class CalendarSweepRow(Table, table=True):
    """One row: how far the open cases were counted again since the change `revision`; `ended_at` when all were.

    `after` is the last case that was looked at, `cases` how many were, `moved` how many due dates differed. `told` says that
    the first calendar was stated.
    """

    __tablename__ = "calendar_sweep"

    id: int = Field(primary_key=True, sa_type=SmallInteger)
    revision: int
    after: UUID | None = None
    cases: int = Field(sa_type=BigInteger)
    moved: int = Field(sa_type=BigInteger)
    began_at: datetime = Field(sa_type=INSTANT)
    ended_at: datetime | None = Field(default=None, sa_type=INSTANT)
    told: bool
