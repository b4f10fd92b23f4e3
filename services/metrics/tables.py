"""The metrics service's own tables: one projection per case, and what cannot be read off the cases."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, SmallInteger, Text, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from shared.persistence.tables import OutboxColumns, ParkedColumns, StreamColumns

AT = DateTime(timezone=True)
ZERO = {"server_default": "0"}
FALSE = {"server_default": text("false")}


class Table(SQLModel, registry=registry()):
    """Keeps these tables apart from every other service's."""


class CaseRow(StreamColumns, Table, table=True):
    """The columns of `domain.case.Case`."""

    __tablename__ = "cases"

    agency: str | None = Field(default=None, sa_type=Text)
    kind: str | None = Field(default=None, sa_type=Text)
    procedure: str | None = Field(default=None, sa_type=Text)
    field: str | None = Field(default=None, sa_type=Text)
    channel: str | None = Field(default=None, sa_type=Text)
    return_channel: str | None = Field(default=None, sa_type=Text)
    origin: str | None = Field(default=None, sa_type=Text)
    status: int | None = Field(default=None, sa_type=SmallInteger)
    stop_kind: str | None = Field(default=None, sa_type=Text)
    submitted_at: datetime | None = Field(default=None, sa_type=AT)
    received_at: datetime | None = Field(default=None, sa_type=AT)
    due_at: datetime | None = Field(default=None, sa_type=AT)
    statutory_due_at: datetime | None = Field(default=None, sa_type=AT)
    resolved_at: datetime | None = Field(default=None, sa_type=AT)
    returned_at: datetime | None = Field(default=None, sa_type=AT)
    left_at: datetime | None = Field(default=None, sa_type=AT)
    timeliness: str | None = Field(default=None, sa_type=Text)
    outcome: str | None = Field(default=None, sa_type=Text)
    turnaround_seconds: float | None = None
    working_seconds: int | None = Field(default=None, sa_type=BigInteger)
    first_at: datetime | None = Field(default=None, sa_type=AT)
    last_at: datetime | None = Field(default=None, sa_type=AT)
    steps: int = Field(default=0, sa_column_kwargs=ZERO)
    status_sequence: int = Field(default=0, sa_column_kwargs=ZERO)
    due_sequence: int = Field(default=0, sa_column_kwargs=ZERO)
    statutory_sequence: int = Field(default=0, sa_column_kwargs=ZERO)
    resolved_sequence: int = Field(default=0, sa_column_kwargs=ZERO)
    returned_sequence: int = Field(default=0, sa_column_kwargs=ZERO)
    stopped_at: datetime | None = Field(default=None, sa_type=AT)
    standstill: str | None = Field(default=None, sa_type=Text)
    procedure_version: int | None = Field(default=None, sa_type=SmallInteger)
    committed: str | None = Field(default=None, sa_type=Text)
    statutory: str | None = Field(default=None, sa_type=Text)
    milestones: int = Field(default=0, sa_column_kwargs=ZERO)
    received_sequence: int = Field(default=0, sa_column_kwargs=ZERO)
    outcome_sequence: int = Field(default=0, sa_column_kwargs=ZERO)
    timeliness_sequence: int = Field(default=0, sa_column_kwargs=ZERO)
    handed_sequence: int = Field(default=0, sa_column_kwargs=ZERO)
    documents_complete: bool | None = None
    supplemented: bool | None = Field(default=False, sa_column_kwargs=FALSE)
    refused_for_documents: bool | None = Field(default=False, sa_column_kwargs=FALSE)
    refiled_from: UUID | None = None


class AgencyClockRow(Table, table=True):
    """Where an agency's business clock stands, by the newest `agency.clock_set`."""

    __tablename__ = "agency_clocks"

    agency: str = Field(primary_key=True, sa_type=Text)
    mode: str = Field(sa_type=Text)
    at: datetime | None = Field(default=None, sa_type=AT)
    sequence: int


class CalendarRow(Table, table=True):
    """One row: the newest `calendar.changed` as it was stated, and whether every resolved case is measured by it.

    `after` is the last case that was, while they are. Without a body the packaged calendar is in force.
    """

    __tablename__ = "calendar_in_force"

    id: int = Field(primary_key=True, sa_type=SmallInteger)
    revision: int
    body: str | None = Field(default=None, sa_type=Text)
    after: UUID | None = None
    measured: bool


class MissingEvent(Table, table=True):
    """A number that was skipped in a case's facts from one source: something was lost, or is late."""

    __tablename__ = "missing_events"

    case_id: UUID = Field(primary_key=True)
    source: str = Field(primary_key=True, sa_type=Text)
    sequence: int = Field(primary_key=True)


class TallyRow(Table, table=True):
    """Facts counted. A batch counts in the rows of one of its partitions, so that replicas never wait for each other."""

    __tablename__ = "tallies"

    series: str = Field(primary_key=True, sa_type=Text)
    agency: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(primary_key=True, sa_type=Text)
    field: str = Field(primary_key=True, sa_type=Text)
    label: str = Field(primary_key=True, sa_type=Text)
    bucket: str = Field(primary_key=True, sa_type=Text)
    partition: int = Field(primary_key=True)
    count: int = Field(sa_type=BigInteger)
    sum_millionths: int = Field(sa_type=BigInteger)


class FeedRow(Table, table=True):
    """The columns of `domain.feeds.Feed`; `agency` is null until its first fact was taken."""

    __tablename__ = "feeds"

    source: str = Field(primary_key=True, sa_type=Text)
    agency: str | None = Field(default=None, sa_type=Text)
    heard: int = Field(default=0, sa_column_kwargs=ZERO)
    observed: int = Field(default=0, sa_column_kwargs=ZERO)
    last_event_at: datetime | None = Field(default=None, sa_type=AT)
    expected_seconds: int | None = None
    accepted: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs=ZERO)
    duplicate: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs=ZERO)
    ignored: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs=ZERO)
    refused: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs=ZERO)
    late: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs=ZERO)
    missing: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs=ZERO)
    missing_numbers: str = Field(default="[]", sa_type=Text, sa_column_kwargs={"server_default": "[]"})
    reported: int = Field(default=0, sa_column_kwargs=ZERO)
    reported_hour_at: datetime | None = Field(default=None, sa_type=AT)
    reported_events: int | None = Field(default=None, sa_type=BigInteger)
    reported_counted: int | None = Field(default=None, sa_type=BigInteger)


class MissingFeedFact(Table, table=True):
    """A number that was skipped in the facts of a source: something was lost, or is late."""

    __tablename__ = "missing_feed_facts"

    source: str = Field(primary_key=True, sa_type=Text)
    sequence: int = Field(primary_key=True)


class HotlineCallRow(Table, table=True):
    """Calls that ended, by source, outcome and the upper limit of their waiting."""

    __tablename__ = "hotline_calls"

    source: str = Field(primary_key=True, sa_type=Text)
    outcome: str = Field(primary_key=True, sa_type=Text)
    bucket: str = Field(primary_key=True, sa_type=Text)
    calls: int = Field(sa_type=BigInteger)
    waited_seconds: int = Field(sa_type=BigInteger)


class ProgressRow(Table, table=True):
    """How far the projection has come in each partition; it tells a replica that there is something new to read."""

    __tablename__ = "progress"

    partition: int = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger)
    facts: int = Field(sa_type=BigInteger)
    updated_at: datetime = Field(sa_type=AT)


class Outbox(OutboxColumns, Table, table=True):
    """Copies of parked records on their way to the dead-letter topic; this service states no facts."""

    __tablename__ = "outbox"


class Parked(ParkedColumns, Table, table=True):
    """Records of `case-events` that could not be taken."""

    __tablename__ = "parked"
