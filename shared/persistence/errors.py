"""Which failures pass by themselves: those are waited out with back-off, everything else is permanent."""

from __future__ import annotations

from collections.abc import Iterator

import asyncpg
from aiokafka.errors import KafkaError
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

TRANSIENT_CLASSES = ("08", "53", "57", "58", "40", "55")
"""SQLSTATE classes: connection, resources, operator intervention, system, rollback (deadlock), lock not available."""

PASSING = (
    OSError, TimeoutError, EOFError, InterfaceError, PoolTimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError,
)  # fmt: skip
"""Exceptions of a connection that broke or could not be had."""


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed a little later."""
    return any(_passes(each) for each in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or getattr(error, "orig", None)


def _passes(error: BaseException) -> bool:
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return state[:2] in TRANSIENT_CLASSES
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, KafkaError):
        return bool(error.retriable)
    kinds = (
        OSError,
        TimeoutError,
        EOFError,
        InterfaceError,
        PoolTimeoutError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
    )
    return isinstance(error, kinds) and not isinstance(error, (FileNotFoundError, PermissionError))
