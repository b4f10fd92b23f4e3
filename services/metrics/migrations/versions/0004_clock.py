"""What the legal clock says of a case: standstills, the limits in force at its acceptance, corrections, a task's milestones."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COLUMNS = """
alter table cases
    add column stopped_at timestamptz,
    add column standstill text,
    add column procedure_version smallint,
    add column committed text,
    add column statutory text,
    add column milestones integer not null default 0,
    add column received_sequence integer not null default 0,
    add column outcome_sequence integer not null default 0,
    add column timeliness_sequence integer not null default 0,
    add column handed_sequence integer not null default 0
"""
# Values of cases that were taken before were decided by one sequence each.
SEQUENCES = """
update cases set outcome_sequence = resolved_sequence, timeliness_sequence = resolved_sequence,
    handed_sequence = returned_sequence
where resolved_sequence > 0 or returned_sequence > 0
"""
DROP = """
alter table cases
    drop column stopped_at, drop column standstill, drop column procedure_version, drop column committed,
    drop column statutory, drop column milestones, drop column received_sequence, drop column outcome_sequence,
    drop column timeliness_sequence, drop column handed_sequence
"""


def upgrade() -> None:
    """Add the columns; what older facts said of them comes with the next reading of the topic."""
    op.execute(COLUMNS)
    op.execute(SEQUENCES)


def downgrade() -> None:
    """Take them away."""
    op.execute(DROP)
