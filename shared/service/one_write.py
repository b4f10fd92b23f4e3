"""An answer in one write: uvicorn writes its head and its body apart, which costs a system call and a packet more."""

from __future__ import annotations

from typing import Any

from starlette.types import Send


class OneWrite:
    """Stands in for the transport of one request while its answer is sent: keeps the head until the body comes, empty or not."""

    __slots__ = ("_held", "_transport")

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._held: bytes | None = None

    def write(self, piece: bytes) -> None:
        """The head, then the body; anything more goes straight on."""
        if self._held is None:
            self._held = piece
        else:
            self._transport.write(self._held + piece)
            self._held = b""

    def close(self) -> None:
        """The transport's own."""
        self._transport.close()


def in_one_write(send: Send) -> None:
    """Let the next two messages, the whole of an answer, be written at once where the server is uvicorn; it has no public way."""
    request = getattr(send, "__self__", None)
    if (transport := getattr(request, "transport", None)) is not None:
        request.transport = OneWrite(transport)  # type: ignore[union-attr]
