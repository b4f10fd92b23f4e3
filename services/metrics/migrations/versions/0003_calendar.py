"""The calendar that working time is counted by, as processing stated it last; none yet is the packaged one."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CALENDAR = """
create table calendar_in_force (
    id smallint primary key check (id = 1),
    revision integer not null,
    body text,
    after uuid,
    measured boolean not null
)
"""


def upgrade() -> None:
    """Create the table with its one row; what was measured so far was measured by the packaged calendar."""
    op.execute(CALENDAR)
    op.execute("insert into calendar_in_force values (1, 0, null, null, true)")


def downgrade() -> None:
    """Take it away."""
    op.execute("drop table calendar_in_force")
