"""Officers' free text: sealed, published on `case-private` only, shown with a line in the access log, erased with its case."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from services.processing import repository
from services.processing.domain.case import Case
from services.processing.repository import KeptNote
from shared.contracts.events import PROCESSING
from shared.contracts.private import NOTE, Note
from shared.contracts.topics import CASE_PRIVATE
from shared.contracts.words import Lane
from shared.messaging.delivery import Delivery
from shared.persistence.database import Database
from shared.persistence.private import is_bulk_full
from shared.persistence.work import Store, Work, private_headers
from shared.security.key_file import CipherError
from shared.security.key_ring import KeyRing
from shared.security.tokens import Principal, Role
from shared.service.access_log import Outcome, Purpose, log_access

MAY_READ: Final = frozenset({Role.OFFICER, Role.COUNTER, Role.ADMIN})
SHOWN_AT_MOST: Final = 500
PAGE: Final = 100
FIRST: Final = UUID(int=0), UUID(int=0)
REST_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Written:
    """A note as it is shown; `text` is None when it does not open."""

    command_id: UUID
    written_at: datetime
    text: str | None


class Rewrapped(NamedTuple):
    """Notes that were put under the current master key, and those that do not open under an older one they name."""

    notes: int
    unreadable: int


async def keep_note(work: Work[Case], keys: KeyRing, case_id: UUID, command_id: UUID, agency: str, text: str) -> None:
    """Seal what was written beside a command that was carried out, keep it and publish it."""
    sealed = keys.new_case(case_id).seal(Note(text=text).model_dump_json().encode(), _what(command_id))
    note = KeptNote(case_id, command_id, agency, sealed, work.now)
    await repository.add_note(work.tx, note)
    _publish(work, note, sealed)


async def show_notes(
    database: Database, keys: KeyRing, case_id: UUID, who: Principal, purpose: Purpose
) -> tuple[Outcome, list[Written]]:
    """Open the notes of a case for its agency, for the one that holds it, and the city; the log's line is committed with it."""
    async with database.transaction() as tx:
        agencies = await repository.agencies_of(tx, case_id)
        outcome = _outcome(who, agencies)
        notes = await repository.list_notes(tx, case_id, SHOWN_AT_MOST) if outcome is Outcome.SHOWN else []
        agency = agencies[0] if agencies else None
        await log_access(tx, who, "notes", purpose, outcome, case_id=case_id, agency=agency, found=len(notes))
    return outcome, [Written(note.command_id, note.written_at, _text(keys, note)) for note in notes]


async def erase_notes(work: Work[Case], deliveries: Sequence[Delivery]) -> None:
    """Take `private.erased`: what was written about these cases goes, here and on the topic."""
    case_ids = sorted({delivery.case_id for delivery in deliveries if delivery.case_id is not None})
    for case_id, command_id, agency in await repository.forget_notes(work.tx, case_ids):
        _publish(work, KeptNote(case_id, command_id, agency, b"", work.now), None)


async def rewrap_notes(store: Store[Case], keys: KeyRing) -> Rewrapped:
    """Put the notes that hang on older master keys under the current one, and publish them anew.

    Ends early when too much of the bulk lane waits already; whoever calls again later goes on.
    """
    after, rewrapped, unreadable = FIRST, 0, 0
    while True:
        async with store.open(()) as work:
            if await is_bulk_full(work.tx):
                return Rewrapped(rewrapped, unreadable)
            notes = await repository.lock_notes_under(work.tx, keys.older_prefixes, after, PAGE)
            done = sum([await _rewrap(work, keys, note) for note in notes])
        rewrapped, unreadable = rewrapped + done, unreadable + len(notes) - done
        if len(notes) < PAGE:
            return Rewrapped(rewrapped, unreadable)
        after = notes[-1].case_id, notes[-1].command_id
        await asyncio.sleep(REST_SECONDS)


async def _rewrap(work: Work[Case], keys: KeyRing, note: KeptNote) -> bool:
    try:
        sealed = keys.rewrap(note.sealed, note.case_id, _what(note.command_id))
    except CipherError:
        return False
    fresh = note._replace(sealed=sealed)
    await repository.replace_note(work.tx, fresh)
    _publish(work, fresh, sealed, Lane.BULK)
    return True


def _publish(work: Work[Case], note: KeptNote, value: bytes | None, lane: Lane = Lane.INTERACTIVE) -> None:
    """Put a note, or without a value its tombstone, into the outbox."""
    headers = private_headers(PROCESSING, str(note.case_id), NOTE, note.agency, work.now)
    key = f"{note.case_id}/{_what(note.command_id)}".encode()
    work.outbox.append((int(lane), CASE_PRIVATE.name, key, headers, value))


def _what(command_id: UUID) -> str:
    return f"{NOTE}/{command_id}"


def _outcome(who: Principal, agencies: Sequence[str]) -> Outcome:
    if who.role not in MAY_READ:
        return Outcome.NOT_ALLOWED
    if not agencies:
        return Outcome.UNKNOWN_CASE
    return Outcome.SHOWN if any(map(who.may_see, agencies)) else Outcome.OTHER_AGENCY


def _text(keys: KeyRing, note: KeptNote) -> str | None:
    try:
        return Note.model_validate_json(keys.open(note.sealed, note.case_id, _what(note.command_id))).text
    except CipherError:
        return None
