"""Master keys in a running service: the file is read again when it was written, and what still hangs on a key is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from shared.contracts.topics import CASE_PRIVATE
from shared.persistence.bulk import table_of
from shared.persistence.database import Database
from shared.persistence.work import Store
from shared.problems import Problem, refusals
from shared.security.key_ring import PREFIX_BYTES, KeyRing, id_of
from shared.service.dead_letters import Administrator
from shared.service.jobs import Job

REFRESH_SECONDS: Final = 2.0
PAGE: Final = 20_000
"""Rows looked at for one answer, so that it comes in time from a large table too."""


@dataclass(frozen=True, slots=True)
class SealedColumns:
    """Where a table keeps sealed values. `key` and `kind` are name and type of a unique column to go by."""

    table: str
    columns: tuple[str, ...]
    key: str = "case_id"
    kind: str = "uuid"
    where: str = "true"

    def statement(self) -> str:
        """Rows after one key, in order: the key as text, and the beginning of each value."""
        beginnings = ", ".join(f"substring({each} for {PREFIX_BYTES})" for each in self.columns)
        return (
            f"select {self.key}::text, {beginnings} from {self.table} "
            f"where ($1::text = '' or {self.key} > nullif($1::text, '')::{self.kind}) and {self.where} "
            f"order by {self.key} limit {PAGE}"
        )


class KeysPage(BaseModel):
    """The keys that a service holds, and how many sealed values of one page of its rows hang on each.

    Keys are ids in hexadecimal, the current one first. `version 1` values are bound to no id; an empty one stands for them.
    `next` is the cursor of the following page, null at the end.
    """

    service: str
    keys: list[str]
    values: dict[str, int]
    next: str | None


def sealed_in(store: Store[Any], *own: SealedColumns) -> tuple[SealedColumns, ...]:
    """Everything sealed in a service's database: its own tables, and records of `case-private` to be sent, or not taken."""
    private = f"topic in ('{CASE_PRIVATE.name}', '{CASE_PRIVATE.dead_letters}') and payload is not null"
    outbox, parked = table_of(store.outbox).name, table_of(store.parked).name
    return (
        *own,
        SealedColumns(outbox, ("payload",), "id", "bigint", private),
        SealedColumns(parked, ("payload",), "id", "uuid", f"{private} and state = 'parked'"),  # what is settled is not read again
    )


def make_key_job(keys: KeyRing) -> Job:
    """Reads the key file again, so that a new key is used, and a retired one forgotten, without a restart."""

    async def run() -> None:
        keys.refresh()

    return Job("read the key file", REFRESH_SECONDS, run)


def add_keys_route(router: APIRouter, database: Database, service: str, keys: KeyRing, places: Sequence[SealedColumns]) -> None:
    """What `motcua keys` asks for."""

    @router.get("/v1/keys", tags=["service"], summary="What is sealed under which master key", responses=refusals())
    async def read_keys(
        who: Administrator,  # noqa: ARG001 - only to be one
        cursor: Annotated[str, Query(max_length=64, pattern=r"^([0-9]{1,2}/[0-9a-f-]{0,36})?$")] = "",
    ) -> KeysPage:
        keys.refresh()
        page = KeysPage(service=service, keys=[each.hex() for each in keys.ids], values={}, next=None)
        number, after = read_cursor(cursor, places)
        if number < len(places):
            page.values, page.next = await _count(database, places, number, after)
        return page


def read_cursor(cursor: str, places: Sequence[SealedColumns]) -> tuple[int, str]:
    """The number of a place, and the key that was its last.

    Raises:
        Problem: That place has no such keys.
    """
    before, _, after = cursor.partition("/")
    number = int(before or 0)
    if not after or number >= len(places):
        return number, ""
    try:
        key = str(UUID(after)) if places[number].kind == "uuid" else str(int(after))
    except ValueError:
        key = None
    if key is None or (places[number].kind == "bigint" and not 0 <= int(key) < 2**63):
        fault = {"pointer": "/query/cursor", "rule": "must be the `next` of a page", "code": "cursor"}
        raise Problem(422, "invalid", "The content is not valid", errors=[fault])
    return number, key


Counted = tuple[dict[str, int], str | None]


async def _count(database: Database, places: Sequence[SealedColumns], number: int, after: str) -> Counted:
    """One page of one place, and where the next begins."""
    async with database.transaction() as tx:
        rows = await tx.driver.fetch(places[number].statement(), after)
    counted = Counter(id_of(value) for row in rows for value in row[1:] if value is not None)
    if len(rows) == PAGE:
        return counted, f"{number}/{rows[-1][0]}"
    return counted, f"{number + 1}/" if number + 1 < len(places) else None
