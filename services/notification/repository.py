"""The ledger and the contacts in PostgreSQL: set-based statements, so that 500 messages cost a handful of round trips."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from services.notification.domain.case import Case
from services.notification.domain.ledger import Entry, MessageStatus
from services.notification.domain.routing import NOBODY, Reach
from services.notification.tables import ContactRow, LedgerRow
from shared.persistence.bulk import add_new, column_names, update_rows, upsert_rows
from shared.persistence.database import Database, Tx
from shared.persistence.work import Work

CaseWork = Work[Case]

LEDGER = column_names(LedgerRow)
CHANGING = ("id", "channel", "language", "status", "attempts", "next_attempt_at", "reason", "sent_at")
CONTACT = column_names(ContactRow)
_changes_of = attrgetter(*CHANGING)

_ENTRY = f"select {', '.join(LEDGER)} from ledger"
_CLAIM = f"""
with due as (
  select id from ledger where status = 'pending' and channel = $1 and next_attempt_at <= $2
  order by next_attempt_at, id limit $3 for update skip locked
)
update ledger l set next_attempt_at = $4 from due where l.id = due.id
returning {", ".join(f"l.{name}" for name in LEDGER)},
  (select c.ciphertext from contacts c where c.case_id = l.case_id and $5)
"""
HELD_CONTACTS = "select count(*) from contacts where case_id = $1 and ciphertext is not null"
"""How many contacts of a case are kept."""
ERASED_CONTACT = "select exists (select 1 from contacts where case_id = $1 and ciphertext is null)"
"""Whether a tombstone has come for a case's contact."""
_SENT = """
update ledger set status = 'sent', attempts = attempts + 1, reason = null, sent_at = $2
where id = any($1::uuid[]) and status = 'pending' returning id
"""


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as it is kept: encrypted, with what routing needs to know."""

    case_id: UUID
    ciphertext: bytes | None
    reach: Reach
    recorded_at: datetime


async def add_entries(tx: Tx, entries: Sequence[Entry]) -> set[UUID]:
    """Insert messages; give the ids of those whose (case, fact, recipient, channel) was not there yet."""
    return {row[0] for row in await add_new(tx, LedgerRow, entries, LEDGER, ("id",))}


async def lock_entries(tx: Tx, ids: Iterable[UUID], status: MessageStatus) -> list[Entry]:
    """Those of these messages that are still in this status, locked, in the order they were made."""
    rows = await tx.driver.fetch(f"{_ENTRY} where id = any($1::uuid[]) and status = $2 order by id for update", list(ids), status)
    return [Entry(*row) for row in rows]


async def mark_sent(tx: Tx, ids: Sequence[UUID]) -> set[UUID]:
    """Of these messages, those that were still pending; they are sent now."""
    return {row[0] for row in await tx.driver.fetch(_SENT, ids, tx.now)} if ids else set()


async def lock_open_entries_of(tx: Tx, case_ids: Iterable[UUID]) -> list[Entry]:
    """The messages of these cases that are not settled, locked, in the order they were made.

    The caller holds the cases' locks: everyone locks cases first, then the ledger.
    """
    rows = await tx.driver.fetch(
        f"{_ENTRY} where case_id = any($1::uuid[]) and status in ('waiting', 'pending') order by id for update",
        list(case_ids),
    )
    return [Entry(*row) for row in rows]


async def update_entries(tx: Tx, entries: Sequence[Entry]) -> None:
    """Write what changes about messages that are locked."""
    await update_rows(tx, LedgerRow, [_changes_of(entry) for entry in entries], CHANGING, key="id")


async def claim_due(tx: Tx, channel: str, limit: int, until: datetime, *, with_contact: bool) -> list[tuple[Entry, bytes | None]]:
    """Take messages whose turn has come, oldest first, until a moment after which they are anyone's again."""
    rows: list[Any] = await tx.driver.fetch(_CLAIM, channel, tx.now, limit, until, with_contact)
    return sorted(((Entry(*tuple(row)[:-1]), row[-1]) for row in rows), key=lambda pair: pair[0].id)


async def waited_out(database: Database, limit: int) -> list[tuple[UUID, UUID]]:
    """(message, case) of those that have waited long enough for a contact."""
    async with database.transaction() as tx:
        rows = await tx.driver.fetch(
            "select id, case_id from ledger where status = 'waiting' and channel = 'none' and next_attempt_at <= $1 "
            "order by next_attempt_at, id limit $2",
            tx.now,
            limit,
        )
    return [(row[0], row[1]) for row in rows]


async def reaches_of(tx: Tx, case_ids: Iterable[UUID]) -> dict[UUID, Reach]:
    """How the applicants of these cases can be reached; a case without a contact is missing, one erased reaches nobody."""
    rows = await tx.driver.fetch(
        "select case_id, channels, language, ciphertext is null from contacts where case_id = any($1::uuid[])", list(case_ids)
    )
    return {row[0]: NOBODY if row[3] else Reach(frozenset(row[1].split()), row[2]) for row in rows}


async def contacts_recorded_at(tx: Tx, case_ids: Iterable[UUID]) -> tuple[dict[UUID, datetime], set[UUID]]:
    """When the contacts that are kept were written; and which of these cases were erased."""
    rows = await tx.driver.fetch(
        "select case_id, recorded_at, ciphertext is null from contacts where case_id = any($1::uuid[])", list(case_ids)
    )
    return {row[0]: row[1] for row in rows}, {row[0] for row in rows if row[2]}


async def save_contacts(tx: Tx, contacts: Sequence[Contact]) -> None:
    """Insert or replace contacts, at most one per case."""
    rows = [
        (each.case_id, each.ciphertext, " ".join(sorted(each.reach.channels)), each.reach.language, each.recorded_at)
        for each in contacts
    ]
    await upsert_rows(tx, ContactRow, rows, CONTACT, ("case_id",))


async def count_open(database: Database) -> dict[str, int]:
    """How many messages wait or are pending."""
    async with database.transaction() as tx:
        rows = await tx.driver.fetch("select status, count(*) from ledger where status in ('waiting', 'pending') group by status")
    return {row[0]: row[1] for row in rows}


async def read_messages(
    database: Database, case_id: UUID, *, agency: str | None, after: UUID | None, limit: int
) -> list[LedgerRow]:
    """The messages about a case, in the order they were made; only those of `agency` when one is given."""
    query = select(LedgerRow).where(col(LedgerRow.case_id) == case_id).order_by(col(LedgerRow.id)).limit(limit)
    if agency is not None:
        query = query.where(col(LedgerRow.agency) == agency)
    if after is not None:
        query = query.where(col(LedgerRow.id) > after)
    async with database.session() as session:
        return list((await session.exec(query)).all())
