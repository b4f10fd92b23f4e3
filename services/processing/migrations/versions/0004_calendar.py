"""The calendar as tables that an administrator edits, filled with the packaged days and the usual counter hours."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.calendar import load_calendar

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables; nothing has to be counted again, since decisions used these very days so far."""
    days, hours = _create_days()
    calendar = load_calendar()
    op.bulk_insert(
        days,
        [
            {
                "day": day.on,
                "kind": day.kind.value,
                "name_vi": day.name_vi,
                "name_en": day.name_en,
                "status": day.status.value,
                "swap": day.swap,
            }
            for day in calendar.days
        ],
    )
    op.bulk_insert(hours, [{"agency": "*", "spans": " ".join(calendar.hours.texts)}])
    _create_state()


def _create_days() -> tuple[sa.Table, sa.Table]:
    days = op.create_table(
        "calendar_days",
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name_vi", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("swap", sa.Date()),
    )
    hours = op.create_table(
        "counter_hours",
        sa.Column("agency", sa.Text(), primary_key=True),
        sa.Column("spans", sa.Text(), nullable=False),
    )
    return days, hours


def _create_state() -> None:
    op.create_table(
        "calendar_state",
        sa.Column("id", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint("id = 1"),
    )
    op.execute("insert into calendar_state values (1, 1, now())")
    op.create_table(
        "calendar_sweep",
        sa.Column("id", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("after", sa.Uuid()),
        sa.Column("cases", sa.BigInteger(), nullable=False),
        sa.Column("moved", sa.BigInteger(), nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.CheckConstraint("id = 1"),
    )
    op.execute("insert into calendar_sweep values (1, 1, null, 0, 0, now(), now(), false)")
