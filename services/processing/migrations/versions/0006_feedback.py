"""What feedback is about and how content the citizen is, and who asked after a case."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = {
    "matter": "text",
    "contacts": "integer",
    "contacted_at": "timestamptz",
    "score": "smallint",
    "reopenings": "smallint",
}


def upgrade() -> None:
    """Add the columns; without a default no row is written anew."""
    op.execute("alter table cases " + ", ".join(f"add column {name} {kind}" for name, kind in COLUMNS.items()))


def downgrade() -> None:
    """Drop them; the history keeps what was said."""
    op.execute("alter table cases " + ", ".join(f"drop column {name}" for name in COLUMNS))
