"""The projection of cases, clocks, tallies, progress, and the tables every consumer has."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

CASES = """
create table cases (
    case_id uuid primary key,
    heard_intake integer not null default 0,
    heard_processing integer not null default 0,
    heard_notification integer not null default 0,
    stated integer not null default 0,
    parked integer not null default 0,
    waiting integer not null default 0,
    agency text,
    kind text,
    procedure text,
    field text,
    channel text,
    return_channel text,
    origin text,
    status smallint,
    stop_kind text,
    submitted_at timestamptz,
    received_at timestamptz,
    due_at timestamptz,
    statutory_due_at timestamptz,
    resolved_at timestamptz,
    returned_at timestamptz,
    left_at timestamptz,
    timeliness text,
    outcome text,
    turnaround_seconds double precision,
    working_seconds bigint,
    first_at timestamptz,
    last_at timestamptz,
    steps integer not null default 0,
    status_sequence integer not null default 0,
    due_sequence integer not null default 0,
    statutory_sequence integer not null default 0,
    resolved_sequence integer not null default 0,
    returned_sequence integer not null default 0
) with (fillfactor = 60)
"""

# Only acceptance and resolution move a case in or out of it; every other update stays within its page.
OPEN_CASES = "create index cases_open on cases (agency) where received_at is not null and resolved_at is null"

AGENCY_CLOCKS = """
create table agency_clocks (
    agency text primary key,
    mode text not null,
    at timestamptz,
    sequence integer not null
)
"""

MISSING_EVENTS = """
create table missing_events (
    case_id uuid not null,
    source text not null,
    sequence integer not null,
    primary key (case_id, source, sequence)
)
"""

TALLIES = """
create table tallies (
    series text not null,
    agency text not null,
    kind text not null,
    field text not null,
    label text not null,
    bucket text not null,
    partition integer not null,
    count bigint not null,
    sum_millionths bigint not null,
    primary key (series, agency, kind, field, label, bucket, partition)
) with (fillfactor = 60)
"""

PROGRESS = """
create table progress (
    partition integer primary key,
    position bigint not null,
    facts bigint not null,
    updated_at timestamptz not null
) with (fillfactor = 60)
"""

OUTBOX = """
create table outbox (
    id bigint generated always as identity primary key,
    lane smallint not null,
    topic text not null,
    key bytea not null,
    headers bytea not null,
    payload bytea,
    created_at timestamptz not null default now()
)
"""

PARKED = """
create table parked (
    id uuid primary key,
    consumer_group text not null,
    topic text not null,
    partition integer not null,
    position bigint not null,
    key bytea,
    headers bytea not null,
    payload bytea,
    case_id uuid,
    type text not null,
    reason text not null,
    detail text not null,
    state text not null default 'parked',
    parked_at timestamptz not null default now(),
    unique (consumer_group, topic, partition, position)
)
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in (CASES, OPEN_CASES, AGENCY_CLOCKS, MISSING_EVENTS, TALLIES, PROGRESS, OUTBOX, PARKED):
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables; the read side is rebuilt from the topic."""
    for table in ("parked", "outbox", "progress", "tallies", "missing_events", "agency_clocks", "cases"):
        op.execute(f"drop table {table}")
