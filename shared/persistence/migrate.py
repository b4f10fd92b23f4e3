"""Schema migrations with alembic: a service creates and upgrades its own database when it starts."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from shared.persistence.database import Database

LOCK = 0x4D6F7443
"""Advisory lock that lets one replica migrate while the others wait."""


async def migrate(database: Database, folder: Path, revision: str = "head") -> None:
    """Create the database when it is missing, and bring it to a revision in `folder`, the newest unless one is named."""
    await _create(database)
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["url"] = database.url.replace("postgresql://", "postgresql+asyncpg://", 1)
    await asyncio.to_thread(command.upgrade, config, revision)


async def _create(database: Database) -> None:
    server = await asyncpg.connect(database.server_url, timeout=3)
    try:
        if not await server.fetchval("select 1 from pg_database where datname = $1", database.name):
            # words and ids are compared byte by byte, as Python sorts them: the rules of a language cost twice as much
            await server.execute(f"create database \"{database.name}\" template template0 lc_collate 'C'")
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
        pass  # another replica was faster
    finally:
        await server.close()


def run_env(metadata: MetaData) -> None:
    """What a service's `migrations/env.py` calls; alembic runs it in a thread without an event loop."""
    asyncio.run(_upgrade(context.config.attributes["url"], metadata))


async def _upgrade(url: str, metadata: MetaData) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_run, metadata)
    finally:
        await engine.dispose()


def _run(connection: Connection, metadata: MetaData) -> None:
    connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": LOCK})
    context.configure(connection=connection, target_metadata=metadata)
    context.run_migrations()
