"""The call centre: events taken, what was refused, tickets, calls, and the book of each source's feed."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# doors: events taken and refused, tickets
HOTLINE_EVENTS = """
create table hotline_events (
    source text not null, event_id text not null, agency text not null, received_at timestamptz not null,
    occurred_at timestamptz not null, door text not null, type text, outcome text not null, note text, case_id uuid,
    primary key (source, event_id)
)
"""
HOTLINE_REFUSALS = """
create table hotline_refusals (
    id uuid primary key, source text not null, event_id text, agency text, received_at timestamptz not null,
    door text not null, faults jsonb not null, payload bytea, place text
)
"""
TICKETS = """
create table tickets (
    source text not null, ticket_id text not null, case_id uuid not null, agency text not null, matter_key bytea,
    opened_at timestamptz not null, primary key (source, ticket_id)
)
"""
DOORS = (
    HOTLINE_EVENTS,
    "create index hotline_events_log on hotline_events (source, received_at, event_id)",
    "create index hotline_events_outcome on hotline_events (source, outcome, received_at, event_id)",
    "create index hotline_events_age on hotline_events using brin (received_at)",
    HOTLINE_REFUSALS,
    "create index hotline_refusals_log on hotline_refusals (source, received_at, id)",
    "create index hotline_refusals_sealed on hotline_refusals (received_at) where payload is not null",
    "create unique index hotline_refusals_place on hotline_refusals (place) where place is not null",
    "create index hotline_refusals_kept on hotline_refusals (source) where payload is not null",
    TICKETS,
    "create index tickets_matter on tickets (agency, matter_key, opened_at) where matter_key is not null",
)

# calls and feeds
CALLS_TABLE = """
create table calls (
    source text not null, call_id text not null, agency text not null, began_at timestamptz, answered_at timestamptz,
    ended_at timestamptz, own_waiting integer, own_talking integer, dossier_codes text[] not null,
    heard_at timestamptz not null, end_heard_at timestamptz, stated_at timestamptz, primary key (source, call_id)
) with (fillfactor = 60)
"""
FEEDS = """
create table feeds (
    source text primary key, agency text not null, stated integer not null default 0, last_event_at timestamptz not null,
    accepted bigint not null, duplicate bigint not null, ignored bigint not null, refused bigint not null,
    late bigint not null, changed boolean not null default true, observed_at timestamptz, expected_seconds integer
) with (fillfactor = 60)
"""
FEED_SEQUENCES = """
create table feed_sequences (
    source text not null, scope text not null, highest bigint not null, highest_at timestamptz not null,
    changed_at timestamptz not null, primary key (source, scope)
) with (fillfactor = 60)
"""
FEED_GAPS = """
create table feed_gaps (
    source text not null, scope text not null, first bigint not null, last bigint not null, noted_at timestamptz not null,
    primary key (source, scope, first)
)
"""
FEED_HOURS = """
create table feed_hours (
    source text not null, hour_at timestamptz not null, taken bigint not null, reported bigint, stated_reported bigint,
    stated_taken bigint, primary key (source, hour_at)
) with (fillfactor = 60)
"""
CALLS = (
    CALLS_TABLE,
    "create index calls_over on calls (end_heard_at) where stated_at is null",
    "create index calls_age on calls (heard_at)",
    FEEDS,
    FEED_SEQUENCES,
    FEED_GAPS,
    "create index feed_gaps_age on feed_gaps (source, noted_at, scope, first)",
    FEED_HOURS,
)


def upgrade() -> None:
    """Make the tables."""
    for statement in (*DOORS, *CALLS):
        op.execute(statement)


def downgrade() -> None:
    """Take them away."""
    for table in ("feed_hours", "feed_gaps", "feed_sequences", "feeds", "calls"):
        op.execute(f"drop table {table}")
    for table in ("tickets", "hotline_refusals", "hotline_events"):
        op.execute(f"drop table {table}")
