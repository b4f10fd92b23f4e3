"""Asks a Kafka broker whether it serves, without a client library: a probe must be quick and leave no trace."""

from __future__ import annotations

import socket
import struct

_API_VERSIONS = 18
_CORRELATION = 7


def kafka_fault(host: str, port: int, *, plain: bool = True, timeout: float = 2.0) -> str | None:
    """None when a broker answers there (seconds); where the listener is not plain text, a connection must do."""
    try:
        with socket.create_connection((host, port), timeout=timeout) as connection:
            if plain:
                connection.sendall(_request())
                return _fault_in(_read(connection, 10))
    except OSError as error:
        return f"{host}:{port} does not answer ({error.strerror or error})"
    return None


def _request() -> bytes:
    client = b"motcua"
    body = struct.pack(">hhih", _API_VERSIONS, 0, _CORRELATION, len(client)) + client
    return struct.pack(">i", len(body)) + body


def _read(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (part := connection.recv(count - len(data))):
        data += part
    return data


def _fault_in(answer: bytes) -> str | None:
    if len(answer) < 10:
        return "the connection was closed before an answer"
    _, correlation, error = struct.unpack(">iih", answer)
    return None if correlation == _CORRELATION and error == 0 else "what answers there is not a Kafka broker"
