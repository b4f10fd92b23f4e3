"""Officers' notes in PostgreSQL, always sealed, and which cases were erased."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from shared.persistence.database import Tx
from shared.persistence.private import UNSENT, forget_unsent

_OLD: Final = """
select case_id, command_id, agency, sealed, written_at from notes
where substring(sealed from 1 for 5) = any($1::bytea[]) and (case_id, command_id) > ($2, $3)
order by case_id, command_id limit $4 for update skip locked
"""
_ADD: Final = """
insert into notes (case_id, command_id, agency, sealed, written_at) values ($1, $2, $3, $4, $5)
on conflict (case_id, command_id) do update
set agency = excluded.agency, sealed = excluded.sealed, written_at = excluded.written_at
"""
HELD_NOTES: Final = "select count(*) from notes where case_id = $1"
"""How many notes of a case are kept."""
ERASED_NOTES: Final = f"select exists (select 1 from erased where case_id = $1) and not ({UNSENT})"
"""Whether a case's erasure was heard here, and told on."""


class Note(NamedTuple):
    """A note; the fields are the columns of its table."""

    case_id: UUID
    command_id: UUID
    agency: str
    sealed: bytes
    written_at: datetime


async def add_note(tx: Tx, note: Note) -> None:
    """Keep a note. A key that is used again after its answer was forgotten names the same command: then the later note holds."""
    await tx.driver.execute(_ADD, *note)


async def list_notes(tx: Tx, case_id: UUID, limit: int) -> list[Note]:
    """A case's notes in the order in which they were written."""
    rows = await tx.driver.fetch(
        "select case_id, command_id, agency, sealed, written_at from notes where case_id = $1 order by written_at, command_id "
        "limit $2",
        case_id, limit,
    )  # fmt: skip
    return [Note(*row) for row in rows]


async def lock_notes_under(tx: Tx, prefixes: Sequence[bytes], after: tuple[UUID, UUID], limit: int) -> list[Note]:
    """Notes that begin as those under these master keys do, after this one (case, command), locked."""
    return [Note(*row) for row in await tx.driver.fetch(_OLD, prefixes, *after, limit)]


async def replace_note(tx: Tx, note: Note) -> None:
    """Keep the same note, sealed otherwise."""
    statement = "update notes set sealed = $3 where case_id = $1 and command_id = $2"
    await tx.driver.execute(statement, note.case_id, note.command_id, note.sealed)


async def is_erased(tx: Tx, case_id: UUID) -> bool:
    """Whether the people of a case were erased."""
    found: bool = await tx.driver.fetchval("select exists (select 1 from erased where case_id = $1)", case_id)
    return found


async def forget_notes(tx: Tx, case_ids: Sequence[UUID]) -> list[tuple[UUID, UUID, str]]:
    """Erase the notes of these (locked) cases, also those still to be sent, for good: (case, command, agency) of each.

    The notes first: who seals them anew holds them, and has put the outcome into the outbox when they are free.
    """
    await tx.driver.execute("insert into erased select unnest($1::uuid[]), $2 on conflict do nothing", case_ids, tx.now)
    rows = await tx.driver.fetch(
        "delete from notes where case_id = any($1::uuid[]) returning case_id, command_id, agency", case_ids
    )
    await forget_unsent(tx, case_ids)
    return [(row[0], row[1], row[2]) for row in rows]
