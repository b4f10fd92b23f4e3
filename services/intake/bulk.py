"""Bulk filing: lines come in, one answer line each goes out, in order, while later lines are still being read.

Lines that arrived together are checked, committed and answered together: at most `LINES_AT_ONCE` of them, fewer when they are
long. At most `PARTS_IN_FLIGHT` such parts wait between reading and answering; a client that does not read its answers is not
read either.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.intake.domain.lines import Line, LineSplitter

LINES_AT_ONCE: Final = 20
BYTES_AT_ONCE: Final = 16 * 1024
"""What is checked before others get their turn, whichever comes first: usually less than 1 ms."""
PARTS_IN_FLIGHT: Final = 80

Take = Callable[[Sequence[Line]], Awaitable[asyncio.Future[bytes]]]
"""Takes lines, waiting while there is no room; the future answers them as NDJSON, in order, and never raises."""


class SilentError(Exception):
    """The client sent nothing for too long."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """The input has ended; `error` says why, unless it was complete."""

    error: Exception | None = None


_Queue = asyncio.Queue["asyncio.Future[bytes] | _Ended"]


async def answer_lines(chunks: AsyncIterator[bytes], take: Take, silence: float) -> AsyncIterator[bytes]:
    """Answers as NDJSON; ends with the input.

    Raises:
        SilentError: Nothing came for `silence` seconds. Everything read before has its answer by then.
    """
    queue: _Queue = asyncio.Queue(PARTS_IN_FLIGHT)
    reading = asyncio.create_task(_read(chunks, take, queue, silence), name="bulk-reader")
    try:
        while not isinstance(entry := await queue.get(), _Ended):
            yield await entry
        if entry.error is not None:
            raise entry.error
    finally:
        reading.cancel()


def written(answer: dict[str, Any]) -> bytes:
    """One line of NDJSON."""
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


async def _read(chunks: AsyncIterator[bytes], take: Take, queue: _Queue, silence: float) -> None:
    """Read, split and take lines; puts the end of the input last."""
    splitter, ended = LineSplitter(), _Ended()
    try:
        async for chunk in _with_deadline(chunks, silence):
            for lines in _parts(splitter.feed(chunk)):
                await queue.put(await take(lines))
                await asyncio.sleep(0)  # what is buffered already must not keep others from their turn
            await asyncio.sleep(0)
        for lines in _parts(splitter.finish()):
            await queue.put(await take(lines))
    except Exception as error:  # noqa: BLE001 - handed to whoever writes the answers
        ended = _Ended(error)
    await queue.put(ended)


def _parts(lines: Iterator[Line]) -> Iterator[list[Line]]:
    part: list[Line] = []
    size = 0
    for line in lines:
        part.append(line)
        size += len(line.content or b"")
        if len(part) == LINES_AT_ONCE or size >= BYTES_AT_ONCE:
            yield part
            part, size = [], 0
    if part:
        yield part


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
