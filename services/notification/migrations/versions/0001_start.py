"""The first tables of notification."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _count(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default="0")


def _at(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=sa.text(default) if default else None)


def _create_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", sa.Uuid(), primary_key=True),
        *map(_count, ("heard_intake", "heard_processing", "heard_notification", "stated", "parked", "waiting")),
        *(_text(name, nullable=True) for name in ("agency", "kind", "code")),
        _at("due_at", nullable=True),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("lane", sa.SmallInteger(), nullable=False, server_default="0"),
    )
    op.execute("alter table cases set (fillfactor = 60)")


def _create_contacts() -> None:
    op.create_table(
        "contacts",
        sa.Column("case_id", sa.Uuid(), primary_key=True),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=True),
        *map(_text, ("channels", "language")),
        _at("recorded_at"),
    )


def _create_ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        *map(_text, ("fact", "fact_id")),
        sa.Column("sequence", sa.Integer(), nullable=False),
        *map(_text, ("recipient", "channel", "language", "status")),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _at("next_attempt_at"),
        _text("reason", nullable=True),
        *map(_text, ("agency", "kind", "origin")),
        sa.Column("lane", sa.SmallInteger(), nullable=False),
        _text("particulars"),
        *map(_at, ("occurred_at", "created_at")),
        _at("sent_at", nullable=True),
        sa.UniqueConstraint("case_id", "fact_id", "recipient", "channel", name="ledger_once"),
    )
    op.create_index(
        "ledger_open",
        "ledger",
        ["channel", "next_attempt_at", "id"],
        postgresql_where=sa.text("status in ('waiting', 'pending')"),
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
        _at("created_at", default="now()"),
    )


def _create_parked() -> None:
    op.create_table(
        "parked",
        sa.Column("id", sa.Uuid(), primary_key=True),
        *map(_text, ("consumer_group", "topic")),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("headers", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        *map(_text, ("type", "reason", "detail")),
        sa.Column("state", sa.Text(), nullable=False, server_default="parked"),
        _at("parked_at", default="now()"),
        sa.UniqueConstraint("consumer_group", "topic", "partition", "position", name="parked_place"),
    )
    op.create_index("parked_case", "parked", ["case_id"], postgresql_where=sa.text("state = 'parked'"))


def upgrade() -> None:
    """Create everything."""
    _create_cases()
    _create_contacts()
    _create_ledger()
    _create_outbox()
    _create_parked()


def downgrade() -> None:
    """Drop everything."""
    for table in ("parked", "outbox", "ledger", "contacts", "cases"):
        op.drop_table(table)
