"""Intake's SQL: claiming keys, writing new cases, the public look-up. Set-based on the hot path."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg
from asyncpg.pgproto import pgproto
from sqlmodel import col, select
from uuid_utils import uuid7

from services.intake.domain.case import Case, Completion
from services.intake.tables import CaseRow
from shared.contracts.private import CONTACT, NOTE
from shared.contracts.topics import CASE_EVENTS, CASE_PRIVATE
from shared.persistence.database import Database

_KNOWN = """
select i.scope, i.key, i.digest, i.case_id from unnest($1::text[], $2::text[]) as u(scope, key)
cross join lateral (select * from idempotency i where i.scope = u.scope and i.key = u.key limit 1) i
"""
"""Key by key, so that a plan made while the table was small is right when it is large."""

KeyOf = tuple[str, str]
"""Scope and key."""


class FiledRow(NamedTuple):
    """Everything that is written about a new case; `id_number`, `phone` and `email` are tokens of its applicant."""

    case_id: UUID
    scope: str
    key: str
    digest: bytes
    agency: str
    kind: str
    procedure: str
    channel: str
    return_channel: str | None
    documents: str
    filed_at: datetime
    recorded_at: datetime
    origin: str
    lane: int
    facts: str | None
    event_headers: bytes
    event: bytes
    contact_headers: bytes | None
    contact: bytes | None
    personal: bytes | None
    note_headers: bytes | None
    note: bytes | None
    id_number: bytes | None
    phone: bytes | None
    email: bytes | None


_TYPES: Final = (
    "uuid text text bytea text text text text text text timestamptz timestamptz text smallint text "
    "bytea bytea bytea bytea bytea bytea bytea bytea bytea bytea"
)
_OPTIONAL: Final = frozenset(
    ["return_channel", "facts", "contact_headers", "contact", "personal", "note_headers", "note", "id_number", "phone", "email"]
)
"""Columns that are sent without a value where nobody in the group has one: `unnest` makes them null."""
_ARRAYS: Final = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(_TYPES.split(), 1))

_OPEN = f"""
with filed as materialized (select * from unnest({_ARRAYS}) as u({", ".join(FiledRow._fields)})),
claimed as (
  insert into idempotency (scope, key, digest, case_id, created_at)
  select scope, key, digest, case_id, recorded_at from filed order by scope, key on conflict do nothing returning case_id
),
new as materialized (select filed.* from filed join claimed using (case_id)),
into_cases as (
  insert into cases (case_id, stated, completion) select case_id, 1, '{Completion.REGISTERED.value}' from new
),
into_submissions as (
  insert into submissions (case_id, agency, kind, procedure, channel, return_channel, documents, filed_at, recorded_at,
                           origin, lane, facts)
  select case_id, agency, kind, procedure, channel, return_channel, documents::text[], filed_at, recorded_at, origin, lane,
    facts::jsonb
  from new
),
into_applicants as (
  insert into applicants (case_id, ciphertext, personal, note)
  select case_id, contact, personal, note from new where contact is not null
),
into_persons as (
  insert into persons (case_id, id_number, phone, email, procedure, agency, filed_at)
  select case_id, id_number, phone, email, procedure, agency, filed_at from new
  where coalesce(id_number, phone, email) is not null
),
into_outbox as (
  insert into outbox (lane, topic, key, headers, payload)
  select lane, '{CASE_EVENTS.name}', convert_to(case_id::text, 'UTF8'), event_headers, event from new
  union all
  select lane, '{CASE_PRIVATE.name}', convert_to(case_id || '/{CONTACT}', 'UTF8'), contact_headers, contact from new
  where contact is not null
  union all
  select lane, '{CASE_PRIVATE.name}', convert_to(case_id || '/{NOTE}', 'UTF8'), note_headers, note from new
  where note is not null
)
select array_agg(case_id), case when count(*) > 0 then pg_notify('outbox', '') end from claimed
"""


def make_case_id() -> UUID:
    """A new id (UUID 7) of the driver's own class, which is quicker to write, to read and to compare."""
    made: UUID = pgproto.UUID(uuid7().bytes)
    return made


async def open_new(driver: asyncpg.Connection, rows: Sequence[FiledRow]) -> Collection[UUID]:
    """Write the cases whose keys are free, with all that is stated about them; their ids.

    One statement, which is its own transaction: whatever happens, all of it is there or nothing. Keys are claimed in their
    order, waiting for transactions that claim the same ones. Of one key within the group only one may be given.
    """
    columns = zip(FiledRow._fields, zip(*rows, strict=True), strict=True)
    sent = [() if name in _OPTIONAL and not any(values) else values for name, values in columns]
    opened, _ = await driver.fetchrow(_OPEN, *sent)
    return opened or ()


def array_text(codes: Iterable[str]) -> str:
    """Codes, which hold neither quotes nor backslashes, as a PostgreSQL array."""
    inner = '","'.join(codes)
    return f'{{"{inner}"}}' if inner else "{}"


async def find_keys(driver: asyncpg.Connection, keys: Sequence[KeyOf]) -> dict[KeyOf, tuple[bytes, UUID]]:
    """Digest and case of keys that are taken."""
    rows = await driver.fetch(_KNOWN, *zip(*keys, strict=True))
    return {(scope, key): (digest, case_id) for scope, key, digest, case_id in rows}


async def find_case(database: Database, case_id: UUID) -> Case | None:
    """The public side of a case, None when nothing is known of it."""
    async with database.session() as session:
        found = await session.exec(_PUBLIC.where(col(CaseRow.case_id) == case_id))
    return _shown(found.first())


async def find_case_by_code(database: Database, code: str) -> Case | None:
    """The public side of the case with this dossier code, None when there is none."""
    async with database.session() as session:
        found = await session.exec(_PUBLIC.where(col(CaseRow.code) == code).limit(1))
    return _shown(found.first())


def _shown(row: tuple[str | None, str | None] | None) -> Case | None:
    return None if row is None else Case(*row)


_PUBLIC: Final = select(CaseRow.code, CaseRow.completion).where(col(CaseRow.completion).is_not(None))
"""What is known of a case, and nothing when that is not public: both take the same time."""
