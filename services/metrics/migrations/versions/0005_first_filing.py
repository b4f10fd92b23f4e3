"""Whether a dossier was complete and correct at its first filing, and of which refused one it is the second filing."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = """
alter table cases
    add column documents_complete boolean,
    add column supplemented boolean,
    add column refused_for_documents boolean default false,
    add column refiled_from uuid
"""
DEFAULT = "alter table cases alter column supplemented set default false"
# Of cases from before, only the status is known: registered and accepted (1, 2) come before any supplement, 5 is one that is
# asked for. The others stay unknown, and so does why a case was refused (3).
SUPPLEMENTED = "update cases set supplemented = status = 5 where status in (1, 2, 5)"
REFUSED = "update cases set refused_for_documents = null where status = 3"
DROP = """
alter table cases
    drop column documents_complete, drop column supplemented, drop column refused_for_documents, drop column refiled_from
"""


def upgrade() -> None:
    """Add the columns; what older facts said of them comes with the next reading of the topic, and is unknown until then."""
    for statement in (COLUMNS, DEFAULT, SUPPLEMENTED, REFUSED):
        op.execute(statement)


def downgrade() -> None:
    """Take them away."""
    op.execute(DROP)
