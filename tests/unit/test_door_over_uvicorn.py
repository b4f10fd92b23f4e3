"""What leaves uvicorn when the door answers: one write an answer, in order, and connections end as they should."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn
from prometheus_client import CollectorRegistry
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.observability.metrics import HttpMetrics
from shared.security.tokens import Role, Tokens
from shared.service.door import Door, Reply, ShortWay, Visit
from tests.support.servers import Keys


async def answer(visit: Visit) -> Reply:
    return Reply(201, [(b"content-length", b"%d" % len(visit.body))], visit.body)


async def framework(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


class Counting(HttpToolsProtocol):
    """uvicorn's own protocol; counts what is written to its transports."""

    writes: list[bytes]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn itself
        protocol = self

        class Counted:
            def write(self, piece: bytes) -> None:
                protocol.writes.append(piece)
                transport.write(piece)

            def __getattr__(self, name: str) -> object:
                return getattr(transport, name)

        super().connection_made(Counted())  # type: ignore[arg-type]  # stands in for one


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[tuple[int, Keys, list[bytes]]]:
    """A door on uvicorn: its port, its keys, and what it has written."""
    keys = Keys.make(tmp_path)
    way = ShortWay("/short", (Role.COUNTER,), 100, answer)
    door = Door(framework, way, Tokens(tmp_path / "public.json"), HttpMetrics(CollectorRegistry()), 5, 5)
    written = list[bytes]()
    protocol = type("Mine", (Counting,), {"writes": written})
    config = uvicorn.Config(door, http=protocol, lifespan="off", log_config=None, access_log=False)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield listener.getsockname()[1], keys, written
        server.should_exit = True
        await serving


@contextlib.asynccontextmanager
async def calling(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


def post(keys: Keys, body: bytes, more: str = "", path: str = "/short") -> bytes:
    token = keys.token(Role.COUNTER)
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


async def read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The next answer."""
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return int(head.split()[1]), await reader.readexactly(length)


async def test_an_answer_is_one_write_and_the_connection_stays(house: tuple[int, Keys, list[bytes]]) -> None:
    port, keys, written = house
    async with calling(port) as (reader, writer):
        for body in (b"one", b"", b"three"):
            writer.write(post(keys, body))
            assert await read(reader) == (201, body)
        writer.write(post(keys, b"", path="/else"))
        assert await read(reader) == (404, b"")
    answers = [piece for piece in written if b" 201 " in piece]
    assert [piece.partition(b"\r\n\r\n")[2] for piece in answers] == [b"one", b"", b"three"]


async def test_requests_sent_in_one_go_are_answered_in_their_order(house: tuple[int, Keys, list[bytes]]) -> None:
    port, keys, _ = house
    async with calling(port) as (reader, writer):
        writer.write(post(keys, b"one") + post(keys, b"", path="/else") + post(keys, b"two") + post(keys, b"x" * 101))
        assert [await read(reader) for _ in range(3)] == [(201, b"one"), (404, b""), (201, b"two")]
        assert (await read(reader))[0] == 413
        assert await reader.read() == b""


async def test_a_client_that_asks_for_it_gets_its_answer_and_the_end(house: tuple[int, Keys, list[bytes]]) -> None:
    port, keys, _ = house
    async with calling(port) as (reader, writer):
        writer.write(post(keys, b"last", "connection: close\r\nexpect: 100-continue\r\n"))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        assert await read(reader) == (201, b"last")
        assert await reader.read() == b""
