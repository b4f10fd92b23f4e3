"""After a new master key: every case's data key is wrapped by it, and what is on `case-private` is published again.

The walk goes by case id in batches; how far it has come is in the database, so a service that is killed goes on. It begins by
itself when the key file has more than one key. Having come to the end it begins again, until it finds nothing more to do: a
replica may have filed under the older key a moment longer. While that key is there it looks again every ten minutes, since a
replica may have been unable to read the file. Data keys stay, so whoever had the older key and a copy of a wrapped data key can
still open what that data key sealed; cases filed since have others.

A rotation holds the applicant's row while it publishes the case again, and an erasure deletes that row first: so the later of
the two sees what the earlier one did.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import structlog

from services.intake.domain.case import Case
from services.intake.vault import SERVICE, no_contact
from shared.contracts.private import CONTACT, NOTE, PERSONAL
from shared.contracts.topics import CASE_PRIVATE
from shared.contracts.words import Lane
from shared.persistence.private import is_bulk_full
from shared.persistence.work import Store, Work, private_headers
from shared.security.key_file import CipherError
from shared.security.key_ring import KeyRing
from shared.service.jobs import Job

BATCH: Final = 200
AT_ONCE: Final = 50
ROUND_SECONDS: Final = 10.0
REST_SECONDS: Final = 0.02
SETTLED_AFTER: Final = timedelta(seconds=10)
"""So long after its beginning every replica has read the key file again."""
AGAIN_AFTER: Final = timedelta(minutes=10)
"""So often all is looked through once more while an older key is there: a replica that could not read the file files under it."""
_FIRST: Final = UUID(int=0)

_BEGIN: Final = "insert into rotations (key_id, after, started_at) values ($1, $2, now()) on conflict do nothing"
_LOOK_AGAIN: Final = """
update rotations set after = $2, changed = 0, unreadable = 0, done_at = null
where key_id = $1 and done_at < now() - $3::interval
"""
_HOLD: Final = "select after, changed, started_at from rotations where key_id = $1 and done_at is null for update skip locked"
_UNTIL: Final = "select case_id from applicants where case_id > $1 order by case_id offset $2 limit 1"
"""The last case of a batch, null when there are fewer."""
_ROWS: Final = """
select a.case_id, a.ciphertext, a.personal, a.note, s.agency, s.recorded_at from applicants a join submissions s using (case_id)
where a.case_id > $1 and ($2::uuid is null or a.case_id <= $2) and (
  substring(a.ciphertext from 1 for 5) <> $3 or substring(a.personal from 1 for 5) <> $3 or substring(a.note from 1 for 5) <> $3
)
order by a.case_id for update of a
"""
"""Of a batch those that hang on another key: only they are locked."""
_WRITE: Final = """
update applicants a set ciphertext = u.ciphertext, personal = u.personal, note = u.note
from unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[]) as u(case_id, ciphertext, personal, note)
where a.case_id = u.case_id
"""
_NEXT: Final = """
update rotations set after = $2, rewrapped = rewrapped + $3, changed = changed + $3, unreadable = unreadable + $4
where key_id = $1
"""
_AGAIN: Final = "update rotations set after = $2, changed = 0, unreadable = 0 where key_id = $1"
_END: Final = "update rotations set after = $2, done_at = now() where key_id = $1"

log = structlog.get_logger()


class Kept(NamedTuple):
    """A row of `applicants`, with what its records on `case-private` need."""

    case_id: UUID
    ciphertext: bytes
    personal: bytes | None
    note: bytes | None
    agency: str
    recorded_at: datetime


def make_rotation(store: Store[Case], keys: KeyRing) -> Job:
    """The job; replicas take turns batch by batch."""

    async def run() -> None:
        ends_at, more = time.monotonic() + ROUND_SECONDS, len(keys.ids) > 1
        while more and time.monotonic() < ends_at:
            more = await rewrap_some(store, keys)
            await asyncio.sleep(REST_SECONDS)

    return Job("rewrap data keys", 2.0, run)


async def rewrap_some(store: Store[Case], keys: KeyRing) -> bool:
    """One batch; whether there is more to do now."""
    key_id = keys.current.hex()
    async with store.open(()) as work:
        driver = work.tx.driver
        await driver.execute(_BEGIN, key_id, _FIRST)
        await driver.execute(_LOOK_AGAIN, key_id, _FIRST, AGAIN_AFTER)
        held = await driver.fetchrow(_HOLD, key_id)
        if held is None or await is_bulk_full(work.tx):
            return False
        after, changed, started_at = held
        until = await driver.fetchval(_UNTIL, after, BATCH - 1)
        rows = [Kept(*row) for row in await driver.fetch(_ROWS, after, until, keys.prefix)]
        rewrapped, unreadable = await _rewrap(work, keys, rows)
        last = until or after
        await driver.execute(_NEXT, key_id, last, rewrapped, unreadable)
        if until is not None:
            return True
        if changed or rewrapped or work.now < started_at + SETTLED_AFTER:
            await driver.execute(_AGAIN, key_id, _FIRST)
            return bool(changed or rewrapped)
        await driver.execute(_END, key_id, last)
        log.info("every data key is wrapped by the current master key", key=key_id, unreadable=unreadable)
        return False


async def _rewrap(work: Work[Case], keys: KeyRing, rows: Sequence[Kept]) -> tuple[int, int]:
    """Write and publish what changes; how many cases these were, and how many do not open."""
    changed, unreadable = [], 0
    for number, row in enumerate(rows, 1):
        try:
            new = _renewed(keys, row)
        except CipherError:
            unreadable += 1
            continue
        if new != row:
            changed.append(new)
            _publish(work, new)
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)  # requests must not wait for a whole batch
    if changed:
        await work.tx.driver.execute(_WRITE, *zip(*(row[:4] for row in changed), strict=True))
    return len(changed), unreadable


def _renewed(keys: KeyRing, row: Kept) -> Kept:
    contact = keys.rewrap(row.ciphertext, row.case_id, CONTACT) if row.ciphertext else no_contact(keys, row.case_id)
    personal = row.personal and keys.rewrap(row.personal, row.case_id, PERSONAL)
    return row._replace(ciphertext=contact, personal=personal, note=row.note and keys.rewrap(row.note, row.case_id, NOTE))


def _publish(work: Work[Case], row: Kept) -> None:
    at = max(work.now, row.recorded_at)  # whatever the clocks of two machines say: readers keep the later one
    for what, value in ((CONTACT, row.ciphertext), (NOTE, row.note)):
        if value is not None:
            headers = private_headers(SERVICE, str(row.case_id), what, row.agency, at)
            work.outbox.append((int(Lane.BULK), CASE_PRIVATE.name, f"{row.case_id}/{what}".encode(), headers, value))
