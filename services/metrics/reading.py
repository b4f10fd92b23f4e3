"""Reads that must agree with each other: one repeatable-read transaction."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from shared.persistence.database import Database, Tx


@contextlib.asynccontextmanager
async def reading(database: Database) -> AsyncIterator[Tx]:
    """One moment of the database, read only, however many statements ask."""
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        async with connection.begin():
            now = (await connection.exec_driver_sql("select clock_timestamp()")).scalar_one()
            raw = await connection.get_raw_connection()
            yield Tx(connection, raw.driver_connection, now)
