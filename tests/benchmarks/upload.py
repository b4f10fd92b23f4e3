"""A bulk upload over one raw connection: written and read at the same time, at little cost of this process's own."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

PIECE = 64 * 1024


def dechunked(body: bytes) -> Iterator[bytes]:
    """The pieces of a chunked HTTP body."""
    at = 0
    while at < len(body):
        end = body.index(b"\r\n", at)
        size = int(body[at:end], 16)
        yield body[end + 2 : end + 2 + size]
        at = end + 4 + size


async def upload(port: int, token: str, content: bytes) -> list[dict[str, Any]]:
    """Send NDJSON to `POST /v1/cases/bulk` and give every answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    head = (
        "POST /v1/cases/bulk HTTP/1.1\r\nhost: bench\r\ncontent-type: application/x-ndjson\r\nconnection: close\r\n"
        f"authorization: Bearer {token}\r\ncontent-length: {len(content)}\r\n\r\n"
    )
    writer.write(head.encode())
    sending = asyncio.create_task(_send(writer, content))
    said = await reader.read()
    await sending
    writer.close()
    head_said, _, body = said.partition(b"\r\n\r\n")
    if not head_said.startswith(b"HTTP/1.1 200"):
        raise ConnectionError(f"the service said {head_said[:40]!r}")
    return [json.loads(line) for line in b"".join(dechunked(body)).splitlines()]


async def _send(writer: asyncio.StreamWriter, content: bytes) -> None:
    view = memoryview(content)
    for begin in range(0, len(view), PIECE):
        writer.write(view[begin : begin + PIECE])
        await writer.drain()


def statuses(answers: list[dict[str, Any]]) -> Counter[int]:
    """How many answers of each status."""
    return Counter(answer["status"] for answer in answers)
