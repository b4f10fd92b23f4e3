"""All tokens of a case's applicant in one row: it was one row for each, with its entries in every index."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KINDS = ("id_number", "phone", "email")
ROW_FOR_ALL = """
create table persons (
    case_id uuid primary key, id_number bytea, phone bytea, email bytea, procedure text not null, agency text not null,
    filed_at timestamptz not null, checked boolean not null default false
)
"""
CARRY_OVER = f"""
insert into persons (case_id, {", ".join(KINDS)}, procedure, agency, filed_at, checked)
select case_id, {", ".join(f"(array_agg(token) filter (where kind = '{kind}'))[1]" for kind in KINDS)},
  min(procedure), min(agency), min(filed_at), bool_and(checked)
from persons_by_token group by case_id order by case_id
"""
ROW_FOR_EACH = """
create table persons_by_token (
    case_id uuid not null, kind text not null, token bytea not null, procedure text not null, agency text not null,
    filed_at timestamptz not null, checked boolean not null default false, primary key (case_id, kind)
)
"""
CARRY_BACK = """
insert into persons_by_token (case_id, kind, token, procedure, agency, filed_at, checked)
select case_id, kind, token, procedure, agency, filed_at, checked
from persons cross join lateral (values ('id_number', id_number), ('phone', phone), ('email', email)) as v (kind, token)
where token is not null
"""


def upgrade() -> None:
    """Carry over what is there; a case was looked at when it was by each of its tokens."""
    op.execute("drop index persons_token")
    op.execute("drop index persons_unchecked")
    op.execute("alter table persons rename to persons_by_token")
    op.execute("alter index persons_pkey rename to persons_by_token_pkey")
    op.execute(ROW_FOR_ALL)
    op.execute(CARRY_OVER)
    op.execute("drop table persons_by_token")
    for kind in KINDS:
        op.execute(f"create index persons_{kind} on persons ({kind}, procedure, case_id) where {kind} is not null")
    op.execute("create index persons_unchecked on persons (case_id) where not checked")


def downgrade() -> None:
    """One row for each token again."""
    op.execute(ROW_FOR_EACH)
    op.execute(CARRY_BACK)
    op.execute("drop table persons")
    op.execute("alter table persons_by_token rename to persons")
    op.execute("alter index persons_by_token_pkey rename to persons_pkey")
    op.execute("create index persons_token on persons (token, procedure, case_id)")
    op.execute("create index persons_unchecked on persons (case_id) where not checked")
