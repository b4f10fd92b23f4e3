"""The feeds of the hotline, and its calls."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

FEEDS = """
create table feeds (
    source text primary key,
    agency text,
    heard integer not null default 0,
    observed integer not null default 0,
    last_event_at timestamptz,
    expected_seconds integer,
    accepted bigint not null default 0,
    duplicate bigint not null default 0,
    ignored bigint not null default 0,
    refused bigint not null default 0,
    late bigint not null default 0,
    missing bigint not null default 0,
    missing_numbers text not null default '[]',
    reported integer not null default 0,
    reported_hour_at timestamptz,
    reported_events bigint,
    reported_counted bigint
) with (fillfactor = 60)
"""
MISSING = """
create table missing_feed_facts (source text not null, sequence integer not null, primary key (source, sequence))
"""
CALLS = """
create table hotline_calls (
    source text not null,
    outcome text not null,
    bucket text not null,
    calls bigint not null,
    waited_seconds bigint not null,
    primary key (source, outcome, bucket)
) with (fillfactor = 60)
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in (FEEDS, MISSING, CALLS):
        op.execute(statement)


def downgrade() -> None:
    """Drop them."""
    for table in ("hotline_calls", "missing_feed_facts", "feeds"):
        op.execute(f"drop table {table}")
