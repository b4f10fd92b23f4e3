"""The first tables of intake."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def _stamp(name: str, *, defaulted: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()") if defaulted else None)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default="0")


def _text(name: str, *, nullable: bool = False, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable, primary_key=key)


def _create_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", sa.Uuid(), primary_key=True),
        *map(_count, ("heard_intake", "heard_processing", "heard_notification", "stated", "parked", "waiting")),
        _text("code", nullable=True),
        _text("completion", nullable=True),
    )
    op.execute("alter table cases set (fillfactor = 60)")
    op.execute("create index cases_code on cases (code) where code is not null")


def _create_submissions() -> None:
    op.create_table(
        "submissions",
        sa.Column("case_id", sa.Uuid(), primary_key=True),
        *map(_text, ("agency", "kind", "procedure", "channel")),
        _text("return_channel", nullable=True),
        sa.Column("documents", postgresql.ARRAY(sa.Text()), nullable=False),
        _stamp("filed_at"),
        _stamp("recorded_at"),
        _text("origin"),
        sa.Column("lane", sa.SmallInteger(), nullable=False),
    )
    op.create_table(
        "applicants",
        sa.Column("case_id", sa.Uuid(), primary_key=True),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "idempotency",
        _text("scope", key=True),
        _text("key", key=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        _stamp("created_at"),
    )


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("lane", sa.SmallInteger(), nullable=False),
        _text("topic"),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("headers", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        _stamp("created_at", defaulted=True),
    )


def _create_parked() -> None:
    op.create_table(
        "parked",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _text("consumer_group"),
        _text("topic"),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("headers", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        *map(_text, ("type", "reason", "detail")),
        sa.Column("state", sa.Text(), nullable=False, server_default="parked"),
        _stamp("parked_at", defaulted=True),
    )
    op.create_unique_constraint("parked_place", "parked", ["consumer_group", "topic", "partition", "position"])
    op.execute("create index parked_case on parked (case_id) where state = 'parked'")


def upgrade() -> None:
    """Create everything."""
    _create_cases()
    _create_submissions()
    _create_outbox()
    _create_parked()


def downgrade() -> None:
    """Drop everything."""
    for table in ("parked", "outbox", "idempotency", "applicants", "submissions", "cases"):
        op.drop_table(table)
