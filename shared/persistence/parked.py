"""The `parked` table as dead letters: listed, found, and settled as `replayed` or `discarded`. A place of a topic has one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlmodel import SQLModel

from shared.contracts.topics import CASE_PRIVATE
from shared.persistence.bulk import table_of
from shared.persistence.database import Tx


class State(StrEnum):
    """What became of a parked record."""

    PARKED = "parked"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Outline:
    """A dead letter without its content; `size` is its value's length in bytes, None of a record without one."""

    id: UUID
    consumer_group: str
    topic: str
    partition: int
    position: int
    case_id: UUID | None
    type: str
    reason: str
    detail: str
    state: str
    parked_at: datetime
    settled_at: datetime | None
    settled_by: str | None
    settled_reason: str | None
    size: int | None


@dataclass(frozen=True, slots=True)
class Letter(Outline):
    """A dead letter as it came: `headers` packed, key and payload byte for byte."""

    key: bytes | None
    headers: bytes
    payload: bytes | None


@dataclass(frozen=True, slots=True)
class Subject:
    """What is replayed as a whole: a case with all that is parked for it, or a single record that belongs to none."""

    id: UUID
    is_case: bool


def _columns(kind: type[Outline]) -> str:
    return ", ".join("octet_length(payload) as size" if each.name == "size" else each.name for each in fields(kind))


OUTLINE, LETTER = _columns(Outline), _columns(Letter)


async def list_letters(
    tx: Tx,
    parked: type[SQLModel],
    *,
    state: State | None,
    case_id: UUID | None,
    group: str | None,
    after: UUID | None,
    limit: int,
) -> list[Outline]:
    """In the order in which they were parked, which is that of their ids."""
    rows = await tx.driver.fetch(
        f"select {OUTLINE} from {table_of(parked).name} where ($1::text is null or state = $1) and "
        "($2::uuid is null or case_id = $2) and ($3::text is null or consumer_group = $3) and ($4::uuid is null or id > $4) "
        "order by id limit $5",
        state, case_id, group, after, limit,
    )  # fmt: skip
    return [Outline(*row) for row in rows]


async def find_letter(tx: Tx, parked: type[SQLModel], letter_id: UUID, *, lock: bool = False) -> Letter | None:
    """One dead letter; with `lock` nobody else settles it meanwhile. Whoever locks takes its case's lock first."""
    lines = "for update" if lock else ""
    row = await tx.driver.fetchrow(f"select {LETTER} from {table_of(parked).name} where id = $1 {lines}", letter_id)
    return Letter(*row) if row else None


async def first_of_case(tx: Tx, parked: type[SQLModel], case_id: UUID) -> Letter | None:
    """What is to be settled first: in each group the lowest position, and of these what was parked first."""
    row = await tx.driver.fetchrow(
        f"select {LETTER.replace('octet_length(payload) as size', 'size')} from (select distinct on (consumer_group, partition) "
        f"*, octet_length(payload) as size from {table_of(parked).name} where case_id = $1 and state = 'parked' "
        "order by consumer_group, partition, position) firsts order by parked_at, position limit 1",
        case_id,
    )
    return Letter(*row) if row else None


async def count_of_case(tx: Tx, parked: type[SQLModel], case_id: UUID) -> int:
    """How many records are parked for a case."""
    statement = f"select count(*) from {table_of(parked).name} where case_id = $1 and state = 'parked'"
    number: int = await tx.driver.fetchval(statement, case_id)
    return number


async def list_subjects(tx: Tx, parked: type[SQLModel], after: UUID | None, limit: int) -> list[Subject]:
    """Cases and single records that wait for a replay, in the order of their ids."""
    rows = await tx.driver.fetch(
        f"select distinct coalesce(case_id, id) as subject, case_id is not null from {table_of(parked).name} "
        "where state = 'parked' and ($1::uuid is null or coalesce(case_id, id) > $1) order by 1 limit $2",
        after, limit,
    )  # fmt: skip
    return [Subject(row[0], row[1]) for row in rows]


async def list_discarded(tx: Tx, parked: type[SQLModel], group: str, first_position: int) -> set[tuple[int, int]]:
    """Places (partition, position) of a group, from this position on, whose record was discarded: it is never taken again."""
    rows: Sequence[Any] = await tx.driver.fetch(
        f"select partition, position from {table_of(parked).name} "
        "where consumer_group = $1 and position >= $2 and state = 'discarded'",
        group, first_position,
    )  # fmt: skip
    return {(row[0], row[1]) for row in rows}


async def settle(tx: Tx, parked: type[SQLModel], letter: Letter, state: State, by: str, reason: str | None = None) -> None:
    """Settle a record for good. What was private is not kept longer than that."""
    await tx.driver.execute(
        f"update {table_of(parked).name} set state = $2, settled_at = $3, settled_by = $4, settled_reason = $5, "
        "payload = case when topic = $6 then null else payload end where id = $1",
        letter.id, state, tx.now, by, reason, CASE_PRIVATE.name,
    )  # fmt: skip


async def supersede(tx: Tx, parked: type[SQLModel], group: str, newest: Mapping[bytes, int]) -> None:
    """Give up what is parked under these keys before these positions: a newer value holds, or an erasure does."""
    await tx.driver.execute(
        f"update {table_of(parked).name} p set state = 'discarded', settled_at = $4, settled_by = 'consumer', "
        "settled_reason = 'superseded', payload = null from unnest($2::bytea[], $3::bigint[]) u(key, position) "
        "where p.consumer_group = $1 and p.state = 'parked' and p.key = u.key and p.position < u.position",
        group, list(newest), list(newest.values()), tx.now,
    )  # fmt: skip


async def note_fault(tx: Tx, parked: type[SQLModel], letter: Letter, reason: str, detail: str) -> None:
    """Say why a record could not be taken this time."""
    await tx.driver.execute(
        f"update {table_of(parked).name} set reason = $2, detail = $3 where id = $1 and state = 'parked'",
        letter.id, reason, detail,
    )  # fmt: skip


async def put_behind(tx: Tx, parked: type[SQLModel], letter: Letter, case_id: UUID, reason: str) -> None:
    """A record that turned out to belong to a case with others parked: from now on it waits among them."""
    statement = f"update {table_of(parked).name} set case_id = $2, reason = $3 where id = $1"
    await tx.driver.execute(statement, letter.id, case_id, reason)
