"""What each channel says of a filing, pre-intakes of the hotline, and the index by which possible duplicates are found."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PRE_INTAKES = """
create table pre_intakes (
    id uuid primary key, agency text not null, procedure text not null, documents text[] not null, complete boolean,
    missing text[] not null, call text, callback_at timestamptz, created_at timestamptz not null default now(),
    named_at timestamptz
)
"""


def upgrade() -> None:
    """Add the facts of a filing's channel, which older filings lack. The newest of one person and procedure stand together."""
    op.execute("alter table submissions add column facts jsonb")
    op.execute("drop index persons_token")
    op.execute("create index persons_token on persons (token, procedure, case_id)")
    op.execute(PRE_INTAKES)
    op.execute("create index pre_intakes_agency on pre_intakes (agency, id)")


def downgrade() -> None:
    """Take them away."""
    op.execute("drop table pre_intakes")
    op.execute("drop index persons_token")
    op.execute("create index persons_token on persons (token)")
    op.execute("alter table submissions drop column facts")
