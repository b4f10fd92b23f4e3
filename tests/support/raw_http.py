"""HTTP by the byte: what no client would send, and what comes back."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any

PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Raw:
    """The last answer on a connection; status 0 when none came."""

    status: int
    content_type: str = ""
    body: bytes = b""
    interim: bool = False
    """Whether 100 Continue came first."""
    silent: bool = False
    """Whether the connection was left open without an answer."""

    @property
    def problem(self) -> dict[str, Any]:
        """The problem of a refusal."""
        assert self.content_type == PROBLEM, self
        told: dict[str, Any] = json.loads(self.body)
        assert told["status"] == self.status
        assert told["type"].startswith("urn:motcua:problem:")
        return told

    @property
    def fits(self) -> bool:
        """Silence, an answer below 400, or a 4xx problem; never a 5xx."""
        return self.status < 400 or (self.status < 500 and bool(self.problem))


def ask(port: int, raw: bytes, *, patience: float = 5.0) -> Raw:
    """Send these bytes on a connection of their own and read one answer; silence longer than `patience` is none."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as line:
        try:
            line.sendall(raw)
            return _read(line)
        except TimeoutError:
            return Raw(0, silent=True)
        except ConnectionError:
            return Raw(0)


def _read(line: socket.socket) -> Raw:
    received, interim = b"", False
    while True:
        head, found, rest = received.partition(b"\r\n\r\n")
        if found and head.startswith(b"HTTP/1.1 100"):
            received, interim = rest, True
            continue
        if found:
            break
        piece = line.recv(65536)
        if not piece:
            return Raw(0, interim=interim)
        received += piece
    first, *fields = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
    length = int(headers.get("content-length", "0"))
    while len(rest) < length and (piece := line.recv(65536)):
        rest += piece
    return Raw(int(first.split()[1]), headers.get("content-type", ""), rest, interim)


def request(method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> bytes:
    """A request as it is written; no header is added."""
    fields = b"".join(b"%b: %b\r\n" % field for field in headers)
    return f"{method} {path} HTTP/1.1\r\n".encode() + fields + b"\r\n" + body
