"""Set-based SQL for many rows: COPY and `unnest`. The SQLModel table is the source of every column name and type."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from asyncpg import UniqueViolationError
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlmodel import SQLModel

from shared.persistence.database import Tx

Row = tuple[Any, ...]
DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
MANY = 5_000
"""Values from which on an update by COPY costs less than one by arrays, whose elements the driver looks at one by one."""


def table_of(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table behind a SQLModel class."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table


@functools.cache
def column_names(model: type[SQLModel]) -> tuple[str, ...]:
    """All columns of a table, in order."""
    return tuple(column.name for column in table_of(model).columns)


@functools.cache
def _unnest(model: type[SQLModel], columns: tuple[str, ...]) -> str:
    """`unnest($1::text[], …) as u(a, …)` with the columns' own types."""
    types = [table_of(model).columns[name].type.compile(dialect=DIALECT) for name in columns]
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, 1))
    return f"unnest({arrays}) as u({', '.join(columns)})"


def _arrays(rows: Iterable[Row]) -> Iterable[Row]:
    return zip(*rows, strict=True)


async def insert_rows(tx: Tx, model: type[SQLModel], rows: Sequence[Row], columns: Sequence[str] | None = None) -> None:
    """Insert rows with one COPY."""
    if rows:
        names = columns or column_names(model)
        await tx.driver.copy_records_to_table(table_of(model).name, records=rows, columns=names)


@functools.cache
def _insert_new(model: type[SQLModel], columns: tuple[str, ...], returning: tuple[str, ...]) -> str:
    key = ", ".join(column.name for column in table_of(model).primary_key.columns)
    names = ", ".join(columns)
    return (
        f"insert into {table_of(model).name} ({names}) select {names} from {_unnest(model, columns)} "
        f"order by {key} on conflict do nothing returning {', '.join(returning)}"
    )


async def insert_new(
    tx: Tx, model: type[SQLModel], rows: Sequence[Row], columns: Sequence[str], returning: Sequence[str]
) -> list[Row]:
    """Insert the rows that are not there yet, in the order of their key; give `returning` of the new ones."""
    if not rows:
        return []
    statement = _insert_new(model, tuple(columns), tuple(returning))
    return [tuple(row) for row in await tx.driver.fetch(statement, *_arrays(rows))]


async def add_new(tx: Tx, model: type[SQLModel], rows: Sequence[Row], columns: Sequence[str], key: Sequence[str]) -> set[Row]:
    """`insert_new` where almost always every row is new: by COPY, at less than half the cost; give `key` of the new ones."""
    if not rows:
        return set()
    try:
        async with tx.driver.transaction():
            await insert_rows(tx, model, rows, columns)
    except UniqueViolationError:
        return {*await insert_new(tx, model, rows, columns, key)}
    places = [columns.index(name) for name in key]
    return {tuple(row[place] for place in places) for row in rows}


@functools.cache
def _update(model: type[SQLModel], columns: tuple[str, ...], key: str) -> str:
    return f"update {table_of(model).name} t set {_pairs(columns, key)} from {_unnest(model, columns)} where t.{key} = u.{key}"


def _pairs(columns: Iterable[str], key: str) -> str:
    return ", ".join(f"{name} = u.{name}" for name in columns if name != key)


async def update_rows(tx: Tx, model: type[SQLModel], rows: Sequence[Row], columns: Sequence[str], key: str = "case_id") -> None:
    """Update many rows by their key, which is one of the columns. The rows must be locked already, or be one."""
    if rows:
        await tx.driver.execute(_update(model, tuple(columns), key), *_arrays(rows))


async def update_changed(tx: Tx, model: type[SQLModel], pairs: Sequence[tuple[Row, Row]], key: str = "case_id") -> None:
    """Update rows from what they were to what they are; whole rows, of which only the columns that differ anywhere are sent.

    At most once in a transaction.
    """
    if pairs:
        before, after = zip(*pairs, strict=True)
        columns = zip(column_names(model), zip(*before, strict=True), zip(*after, strict=True), strict=True)
        sent = {name: values for name, were, values in columns if name == key or values != were}
        if len(pairs) * len(sent) < MANY:
            await tx.driver.execute(_update(model, tuple(sent), key), *sent.values())
        else:
            await _update_by_copy(tx, model, sent, key)


async def _update_by_copy(tx: Tx, model: type[SQLModel], sent: Mapping[str, Row], key: str) -> None:
    """Update by way of a table of this session, which is empty again when the transaction ends."""
    name, changed = table_of(model).name, f"changed_{table_of(model).name}"
    await tx.driver.execute(
        f"create temp table if not exists {changed} on commit delete rows as select * from {name} with no data"
    )
    await tx.driver.copy_records_to_table(changed, records=zip(*sent.values(), strict=True), columns=list(sent))
    # without arguments nothing is prepared: the plan is made for the tables as they are now
    await tx.driver.execute(f"update {name} t set {_pairs(sent, key)} from {changed} u where t.{key} = u.{key}")


@functools.cache
def _upsert(model: type[SQLModel], columns: tuple[str, ...], key: tuple[str, ...]) -> str:
    names, table = ", ".join(columns), table_of(model).name
    pairs = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in key)
    return (
        f"insert into {table} as t ({names}) select {names} from {_unnest(model, columns)} order by {', '.join(key)} "
        f"on conflict ({', '.join(key)}) do update set {pairs}"
    )


async def upsert_rows(tx: Tx, model: type[SQLModel], rows: Sequence[Row], columns: Sequence[str], key: Sequence[str]) -> None:
    """Insert or replace rows, in the order of their key so that two transactions cannot deadlock."""
    if rows:
        await tx.driver.execute(_upsert(model, tuple(columns), tuple(key)), *_arrays(rows))
