"""The first tables: cases, history, waiting commands, serials, clocks, answers, and the pipeline's own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
NOW = sa.text("now()")


def upgrade() -> None:
    """Create everything."""
    _create_cases()
    _create_case_histories()
    _create_rules()
    _create_pipeline()


def _create_cases() -> None:
    counters = ("heard_intake", "heard_processing", "heard_notification", "stated", "parked", "waiting")
    op.create_table(
        "cases",
        sa.Column("case_id", sa.Uuid(), primary_key=True),
        *(sa.Column(name, sa.Integer(), nullable=False, server_default="0") for name in counters),
        sa.Column("agency", sa.Text()),
        sa.Column("kind", sa.Text()),
        sa.Column("procedure", sa.Text()),
        sa.Column("procedure_version", sa.Integer()),
        sa.Column("field", sa.Text()),
        sa.Column("channel", sa.Text()),
        sa.Column("return_channel", sa.Text()),
        sa.Column("status", sa.SmallInteger()),
        sa.Column("step", sa.Text()),
        sa.Column("unit", sa.Text()),
        sa.Column("code", sa.Text()),
        sa.Column("origin", sa.Text()),
        sa.Column("lane", sa.SmallInteger()),
        sa.Column("submitted_at", INSTANT),
        sa.Column("accepted_at", INSTANT),
        sa.Column("due_at", INSTANT),
        sa.Column("statutory_due_at", INSTANT),
        sa.Column("resolved_at", INSTANT),
        sa.Column("returned_at", INSTANT),
        sa.Column("outcome", sa.Text()),
        sa.Column("last_fact_at", INSTANT),
    )
    op.create_index("cases_agency", "cases", ["agency", "case_id"])
    op.create_index("cases_code", "cases", ["code"], unique=True)
    # room in every page for the next versions of its rows: updates then touch no index
    op.execute("alter table cases set (fillfactor = 60)")


def _create_case_histories() -> None:
    op.create_table(
        "history",
        sa.Column("case_id", sa.Uuid(), primary_key=True),
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("sequence", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("causation_id", sa.Text()),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_table(
        "waiting",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=True),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("command_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("arrived_at", INSTANT, nullable=False),
    )
    op.create_index("waiting_case", "waiting", ["case_id"])


def _create_rules() -> None:
    op.create_table(
        "serials",
        sa.Column("prefix", sa.Text(), primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("last", sa.Integer(), nullable=False),
    )
    op.create_table(
        "agency_clocks",
        sa.Column("agency", sa.Text(), primary_key=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("at", INSTANT),
        sa.Column("sequence", sa.Integer(), nullable=False),
    )


def _create_pipeline() -> None:
    op.create_table(
        "answers",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", INSTANT, nullable=False),
    )
    op.create_table(
        "inbox",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("seen_at", INSTANT, nullable=False, server_default=NOW),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=True),
        sa.Column("lane", sa.SmallInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("headers", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary()),
        sa.Column("created_at", INSTANT, nullable=False, server_default=NOW),
    )
    op.create_table(
        "parked",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("consumer_group", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.LargeBinary()),
        sa.Column("headers", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary()),
        sa.Column("case_id", sa.Uuid()),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default="parked"),
        sa.Column("parked_at", INSTANT, nullable=False, server_default=NOW),
    )
    op.create_index("parked_place", "parked", ["consumer_group", "topic", "partition", "position"], unique=True)
    op.create_index("parked_case", "parked", ["case_id"])


def downgrade() -> None:
    """There is nothing before this."""
    for table in ("cases", "history", "waiting", "serials", "agency_clocks", "answers", "inbox", "outbox", "parked"):
        op.drop_table(table)
