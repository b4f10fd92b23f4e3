"""One database of one service: pool, transactions, reads."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from shared.settings import ServiceSettings

KEEPALIVE = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
"""So that the server misses a vanished client, and frees its locks, within half a minute; its own default is two hours."""
CLOSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Tx:
    """One open transaction, seen by SQLAlchemy and by the driver (COPY, arrays); `now` is the database's time."""

    connection: AsyncConnection
    driver: asyncpg.Connection
    now: datetime


class Database:
    """A service's own database on the installation's server."""

    def __init__(self, settings: ServiceSettings, service: str) -> None:
        self.name = f"{settings.database_prefix}{service}"
        self.server_url = settings.postgres_url
        self.url = self._with_path(self.name)
        milliseconds = {
            "statement_timeout": settings.statement_timeout,
            "lock_timeout": settings.lock_timeout,
            "idle_in_transaction_session_timeout": 60.0,
        }
        self.server_settings = {name: str(int(value * 1000)) for name, value in milliseconds.items()}
        self.server_settings |= {
            "jit": "off",
            "plan_cache_mode": "force_custom_plan",
            "application_name": f"motcua-{service}",
        }
        self._command_timeout = settings.statement_timeout + 1
        self._kept: list[asyncpg.Connection] = []
        self.engine: AsyncEngine = create_async_engine(
            self.url.replace("postgresql://", "postgresql+asyncpg://", 1),
            pool_size=settings.database_pool,
            max_overflow=0,
            pool_timeout=3,
            connect_args={
                "timeout": 3,
                "command_timeout": self._command_timeout,
                "server_settings": self.server_settings,
            },
        )

    def _with_path(self, name: str) -> str:
        parts = urlsplit(self.server_url)
        return urlunsplit(parts._replace(scheme="postgresql", path=f"/{name}"))

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """One transaction; commits at the end, rolls back on an exception."""
        async with self.engine.begin() as connection:
            # SQLAlchemy begins with its first statement; only then may the driver be used inside the same transaction.
            now: datetime = (await connection.exec_driver_sql("select clock_timestamp()")).scalar_one()
            raw = await connection.get_raw_connection()
            yield Tx(connection, raw.driver_connection, now)

    @contextlib.asynccontextmanager
    async def driver(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection of the driver's own, where each statement is a transaction of its own and is planned once.

        For statements over arrays that go by keys: no values make another plan better, and planning took a fifth of their time.
        It is kept for the next caller; after an exception, which leaves its state unknown, it is closed for good.
        """
        connection = await self._driver()
        try:
            yield connection
        except BaseException:
            connection.terminate()
            raise
        self._kept.append(connection)

    async def _driver(self) -> asyncpg.Connection:
        while self._kept:
            if not (kept := self._kept.pop()).is_closed():
                return kept
        settings = self.server_settings | {"plan_cache_mode": "force_generic_plan"}
        return await asyncpg.connect(self.url, timeout=3, command_timeout=self._command_timeout, server_settings=settings)

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """A session for reads with SQLModel."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            yield session

    async def connect(self) -> asyncpg.Connection:
        """A connection of its own, outside the pool, for who holds a session-wide lock or listens."""
        return await asyncpg.connect(self.url, timeout=3, command_timeout=15, server_settings=self.server_settings | KEEPALIVE)

    async def ping(self) -> None:
        """Raise unless the database answers."""
        async with self.engine.connect() as connection:
            await connection.exec_driver_sql("select 1")

    async def close(self) -> None:
        """Close the pool, and what is kept beside it."""
        await self.engine.dispose()
        while self._kept:
            await self._kept.pop().close(timeout=CLOSE_SECONDS)
