"""Request heads that do not end: uvicorn alone waits for them for ever, and keeps all that it is sent of them.

A head may take `HEAD_SECONDS`, from the connection's beginning or from its own first byte (408). What is no body of a request
(the head itself, sizes of chunks, trailers) may be `HEAD_BYTES` long (431); a byte of a body pays for some more, since chunks may
be small.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from shared.problems import MEDIA_TYPE, Problem

HEAD_SECONDS: Final = 10.0
HEAD_BYTES: Final = 64 * 1024
_PAID_BY_A_BYTE: Final = 9
_NOT_HTTP: Final = Problem(400, "not-http", "This is no HTTP request")
_TOO_SLOW: Final = Problem(408, "too-slow", "The request's head did not arrive in time")
_TOO_LARGE: Final = Problem(431, "head-too-large", "The request's head is too large", detail=f"at most {HEAD_BYTES} bytes")


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol on httptools, with limits for heads, and a problem for what is no HTTP."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._left, self._since = HEAD_BYTES, self.loop.time()
        self._in_head = True
        self._look_again: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Begin to wait for a head; one timer serves all requests of a connection."""
        super().connection_made(transport)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        super().connection_lost(exc)
        if self._look_again is not None:
            self._look_again.cancel()

    def data_received(self, data: bytes) -> None:
        """Count what arrives; after an answer, anything begins a new head."""
        if not self._in_head and self.cycle.response_complete:
            self._in_head, self._since = True, self.loop.time()
        self._left -= len(data)
        super().data_received(data)
        if self._left < 0:
            self._refuse(_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """The head is there; what follows has an allowance of its own."""
        super().on_headers_complete()
        self._in_head, self._left = False, HEAD_BYTES

    def on_body(self, body: bytes) -> None:
        """A body pays for itself and for the sizes of its chunks."""
        super().on_body(body)
        left = self._left + _PAID_BY_A_BYTE * len(body)
        self._left = min(HEAD_BYTES, left)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words
        """Refuse what cannot be read as HTTP."""
        self._refuse(_NOT_HTTP)

    def _look(self) -> None:
        now = self.loop.time()
        until = self._since + HEAD_SECONDS if self._in_head else now + HEAD_SECONDS
        if until <= now:
            self._refuse(_TOO_SLOW)
        else:
            self._look_again = self.loop.call_at(until, self._look)

    def _refuse(self, problem: Problem) -> None:
        """Say why and close; where an answer is being written, close."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            body = json.dumps(problem.body()).encode()
            fields = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
            self.transport.write(STATUS_LINE[problem.status] + fields.encode() + body)
        self.transport.close()
