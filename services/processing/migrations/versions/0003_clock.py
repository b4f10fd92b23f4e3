"""The legal clock: what a case keeps for it, and the timers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
WATCHED = "status in (2, 4, 9) and origin <> 'import' and accepted_at is not null"


def upgrade() -> None:
    """Widen the cases and create the timers; a case that runs has been counting since its acceptance."""
    for name, kind in (
        ("clock_from", INSTANT),
        ("stopped_at", INSTANT),
        ("stop_kind", sa.Text()),
        ("supplements", sa.SmallInteger()),
        ("extensions", sa.SmallInteger()),
        ("payment_vnd", sa.BigInteger()),
        ("missing", sa.Text()),
        ("holder", sa.Text()),
        ("until", INSTANT),
        ("answer_by", INSTANT),
        ("duty", sa.Text()),
        ("duty_by", INSTANT),
        ("raised", sa.Text()),
        ("timer_at", INSTANT),
    ):
        op.add_column("cases", sa.Column(name, kind))
    op.execute("update cases set clock_from = accepted_at where accepted_at is not null")
    op.execute("create index cases_holder on cases (holder, case_id) where holder is not null")
    op.create_table(
        "timers",
        sa.Column("case_id", sa.Uuid(), primary_key=True),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("replayed", sa.Boolean(), nullable=False),
    )
    op.create_index("timers_due", "timers", ["replayed", "agency", "at"])
    # a timer that is due at once: whoever raises timers finds out when each case's own is
    op.execute(f"update cases set timer_at = accepted_at where {WATCHED}")
    op.execute(
        "insert into timers (case_id, agency, at, replayed) "
        f"select case_id, agency, timer_at, origin = 'replay' from cases where {WATCHED}"
    )
