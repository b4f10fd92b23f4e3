"""A repair of aiokafka on uvloop: a write to a connection that was reset at that moment is a broken connection, and no more.

asyncio's own loop accepts such a write in silence, uvloop raises RuntimeError. aiokafka expects neither: its fetch loop ends for
good, while heartbeats go on, so that the consumer keeps its partitions and never reads again.
"""

from __future__ import annotations

import functools
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError, KafkaError


def mend_connections() -> None:
    """Let every aiokafka connection of this process take a closed transport for a broken connection; once."""
    if not hasattr(AIOKafkaConnection.send, "__wrapped__"):
        AIOKafkaConnection.send = _mended(AIOKafkaConnection.send)


def _mended(send: Any) -> Any:
    @functools.wraps(send)
    def sending(connection: AIOKafkaConnection, *arguments: Any, **options: Any) -> Any:
        try:
            return send(connection, *arguments, **options)
        except KafkaError:  # a RuntimeError, too
            raise
        except RuntimeError as error:
            connection.close(reason=CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"Connection at {connection.host}:{connection.port} broken") from error

    return sending


def is_deaf(client: AIOKafkaConsumer | None) -> bool:
    """Whether the client's fetch loop has ended, whatever ended it: nothing will ever be read again."""
    fetcher = client and client._fetcher  # noqa: SLF001 - the client does not tell
    return bool(fetcher and fetcher.error_future.done())
