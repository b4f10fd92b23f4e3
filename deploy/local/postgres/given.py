"""A PostgreSQL that somebody else runs, and the probe that all kinds share."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import asyncpg


def postgres_fault(url: str, *, timeout: float = 5.0) -> str | None:
    """None when the server lets us in and answers (seconds), else why not; never shows the password."""
    with ThreadPoolExecutor(max_workers=1) as pool:  # a loop of its own: the caller may have one running
        return pool.submit(asyncio.run, _try(url, timeout)).result()


async def _try(url: str, timeout: float) -> str | None:
    place = urlsplit(url)
    try:
        async with asyncio.timeout(timeout):
            connection = await asyncpg.connect(url)
            await connection.fetchval("select 1")
            await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return f"{place.hostname}:{place.port or 5432} does not let us in ({' '.join(said.split())})"
    return None


class GivenPostgres:
    """The address of the settings: checked, never started and never stopped."""

    name = "postgres"
    kind = "address"

    def __init__(self, url: str) -> None:
        self.address = url

    def fault(self) -> str | None:
        """None when the server lets us in, else why not."""
        return postgres_fault(self.address)
