"""Bulk filing: lines come in, one answer line each goes out, in order, while later lines are still being read.

At most `IN_FLIGHT` lines wait between reading and answering; a client that does not read its answers is not
read either.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from services.intake.domain.lines import Line, LineSplitter

IN_FLIGHT: Final = 1000
LINES_AT_ONCE: Final = 50
BYTES_AT_ONCE: Final = 32 * 1024

Answer = dict[str, Any]
Take = Callable[[Line], Awaitable[asyncio.Future[Answer]]]
"""Takes a line, waiting while there is no room; the future answers it and never raises."""


class SilentError(Exception):
    """The client sent nothing for too long."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """The input has ended; `error` says why, unless it was complete."""

    error: Exception | None = None


_Queue = asyncio.Queue["asyncio.Future[Answer] | _Ended"]


async def answer_lines(chunks: AsyncIterator[bytes], take: Take, silence: float) -> AsyncIterator[bytes]:
    """Answers as NDJSON; ends with the input.

    Raises:
        SilentError: Nothing came for `silence` seconds. Everything read before has its answer by then.
    """
    queue: _Queue = asyncio.Queue(IN_FLIGHT)
    reading = asyncio.create_task(_read(chunks, take, queue, silence), name="bulk-reader")
    try:
        entry = await queue.get()
        while not isinstance(entry, _Ended):
            lines = written(await entry)
            while not queue.empty() and len(lines) < BYTES_AT_ONCE:
                entry = queue.get_nowait()
                if isinstance(entry, _Ended) or not entry.done():
                    yield lines
                    break
                lines += written(entry.result())
            else:
                yield lines
                entry = await queue.get()
        if entry.error is not None:
            raise entry.error
    finally:
        reading.cancel()


def written(answer: Answer) -> bytes:
    """One line of NDJSON."""
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


async def _read(chunks: AsyncIterator[bytes], take: Take, queue: _Queue, silence: float) -> None:
    """Read, split and take lines; puts the end of the input last."""
    splitter, ended = LineSplitter(), _Ended()
    try:
        async for chunk in _with_deadline(chunks, silence):
            for line in splitter.feed(chunk):
                await queue.put(await take(line))
                if line.number % LINES_AT_ONCE == 0:
                    await asyncio.sleep(0)  # what is buffered already must not keep others from their turn
            await asyncio.sleep(0)
        for line in splitter.finish():
            await queue.put(await take(line))
    except Exception as error:  # noqa: BLE001 - handed to whoever writes the answers
        ended = _Ended(error)
    await queue.put(ended)


async def _with_deadline(chunks: AsyncIterator[bytes], silence: float) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(silence):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise SilentError from None
        yield chunk
