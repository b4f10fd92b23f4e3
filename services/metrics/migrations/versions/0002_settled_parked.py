"""How a parked record was settled: when, by whom, why; and an index for what was given up."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SETTLED = """
alter table parked
    add column settled_at timestamptz,
    add column settled_by text,
    add column settled_reason text
"""


def upgrade() -> None:
    """Add the columns; the indexes hold only what is open, or given up: a few rows."""
    op.execute(SETTLED)
    op.execute("drop index if exists parked_case")
    op.execute("create index parked_case on parked (case_id) where state = 'parked'")
    op.execute("create index parked_discarded on parked (consumer_group, position) where state = 'discarded'")


def downgrade() -> None:
    """Take them away."""
    op.execute("drop index parked_discarded")
    op.execute("alter table parked drop column settled_at, drop column settled_by, drop column settled_reason")
