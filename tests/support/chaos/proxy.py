"""A loopback TCP proxy that can break connections: reset them, or let nothing through while they stay open."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from dataclasses import dataclass, field

from deploy.local.ports import HOST

PIECE = 64 * 1024
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing sends a reset instead of an orderly end."""


@dataclass(slots=True)
class Proxy:
    """Forwards `port` to `target`. While held, bytes wait; they go on at `release`, unless the connection was reset.

    It runs in a thread of its own, so that a test that waits for a process does not hold up the traffic.
    """

    port: int
    target: int
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _flows: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _listens: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen; returns when it does."""
        self._flows.set()
        self._thread = threading.Thread(target=self._run, name=f"proxy {self.port}", daemon=True)
        self._thread.start()
        assert self._listens.wait(5), f"port {self.port} is taken"

    def stop(self) -> None:
        """Close everything."""
        if self._thread:
            self.reset()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def _run(self) -> None:
        self._loop.run_until_complete(asyncio.start_server(self._accept, HOST, self.port))
        self._listens.set()
        self._loop.run_forever()
        self._loop.run_until_complete(_cancel_others())
        self._loop.close()

    def hold(self) -> None:
        """A black hole: connections stay, and new ones are taken, but nothing passes."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def release(self) -> None:
        """Let everything pass again."""
        self._loop.call_soon_threadsafe(self._flows.set)

    def reset(self, share: float = 1.0, rng: random.Random | None = None) -> None:
        """Reset this share of the open connections, with whatever is on its way."""

        def go() -> None:
            for writer in [each for each in self._open if share >= 1 or (rng or random).random() < share]:
                _abort(writer)

        self._loop.call_soon_threadsafe(go)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # only `stop` cancels, and asyncio would report each
            await self._forward(reader, writer)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flows.wait()
        try:
            behind, beyond = await asyncio.open_connection(HOST, self.target)
        except OSError:
            _abort(writer)
            return
        both = {writer, beyond}
        self._open |= both
        try:
            await asyncio.gather(self._pump(reader, beyond), self._pump(behind, writer))
        finally:
            self._open -= both
            for each in both:
                _abort(each)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(PIECE):
                await self._flows.wait()
                writer.write(piece)
                await writer.drain()
        if writer.can_write_eof():
            with contextlib.suppress(OSError):
                writer.write_eof()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _abort(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    with contextlib.suppress(OSError, AttributeError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
