"""Which failures pass by themselves: those are waited out with back-off, everything else is permanent."""

from __future__ import annotations

from collections.abc import Iterator

import asyncpg
from aiokafka.errors import KafkaError
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

TRANSIENT_STATES = ("08", "25006", "25P03", "25P04", "28", "3D", "40", "53", "55", "57", "58")
"""SQLSTATEs by their beginning: connection, a server that only reads (a fail-over), a session ended for its silence, log-in,
no such database (both an operator's matter, never a record's), rollback (deadlock), resources, lock not available, operator
intervention, system."""

PASSING = (
    OSError, TimeoutError, EOFError, InterfaceError, PoolTimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError,
    asyncpg.InvalidCachedStatementError,
)  # fmt: skip
"""Exceptions of a connection that broke or could not be had, or that has to learn of a migration."""


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed a little later."""
    return any(_passes(each) for each in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or getattr(error, "orig", None)


def _passes(error: BaseException) -> bool:
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str) and not isinstance(error, PASSING):
        return state.startswith(TRANSIENT_STATES)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, KafkaError):
        return bool(error.retriable)
    return isinstance(error, PASSING) and not isinstance(error, (FileNotFoundError, PermissionError))
