"""Request heads on a real socket: they end in time and within a size, or the connection does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from shared.service import heads
from shared.service.heads import HEAD_BYTES, GuardedProtocol

SECONDS = 0.4
GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers how many bytes came, and how many headers; `/stream` begins its answer before the body has come."""
    if scope["path"] == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    size, more = 0, scope["path"] != "/early"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    if scope["path"] != "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d bytes" % size})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(heads, "HEAD_SECONDS", SECONDS)
    config = uvicorn.Config(echo, http=GuardedProtocol, ws="none", lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    setattr(server, "capture_signals", contextlib.nullcontext)  # noqa: B010 - the test run keeps its own signals
    with socket.create_server(("127.0.0.1", 0)) as listening:
        task = asyncio.create_task(server.serve(sockets=[listening]))
        yield listening.getsockname()[1]
        server.should_exit = True
        await task


class Line:
    """A connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, *pieces: bytes, pause: float = 0.0) -> None:
        for piece in pieces:
            self.writer.write(piece)
            with contextlib.suppress(ConnectionError):
                await self.writer.drain()
            await asyncio.sleep(pause)

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        whole = b""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(10 * SECONDS + 5):
                while piece := await self.reader.read(65536):
                    whole += piece
        return whole

    async def until(self, sign: bytes) -> bytes:
        async with asyncio.timeout(5):
            return await self.reader.readuntil(sign)


@pytest.fixture
async def line(port: int) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield Line(reader, writer)
    writer.close()


def problem_of(answer: bytes) -> tuple[int, str]:
    """Status and slug of the last answer in what came."""
    head, _, body = answer[answer.rindex(b"HTTP/1.1 ") :].partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    told = json.loads(body)
    assert int(head.split()[1]) == told["status"]
    return told["status"], told["type"].removeprefix("urn:motcua:problem:")


@pytest.mark.parametrize("begun", [b"", b"\r\n", b"G", b"GET / HTTP/1.1\r\nHost: x\r\nX: "])
async def test_a_head_that_stops_is_ended(line: Line, begun: bytes) -> None:
    began = time.monotonic()
    await line.send(begun)
    assert problem_of(await line.rest()) == (408, "too-slow")
    assert 0.8 * SECONDS <= time.monotonic() - began < 3 * SECONDS


async def test_a_head_that_comes_byte_by_byte_is_ended_too(line: Line) -> None:
    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(line.send(*(b"x" for _ in range(100)), pause=SECONDS / 20))
        answer = await line.rest()
        sending.cancel()
    assert answer == b"" or problem_of(answer)[0] in {400, 408}  # a byte sent afterwards may reset the answer away
    assert time.monotonic() - began < 3 * SECONDS


@pytest.mark.parametrize("begun", [b"\r\n", b"GET / HTTP/1.1\r\nX: "])
async def test_a_second_head_on_the_same_connection_has_its_own_time(line: Line, begun: bytes) -> None:
    await line.send(GET, b"\r\n", pause=SECONDS * 0.6)
    assert b"0 bytes" in await line.until(b"0\r\n\r\n")
    await asyncio.sleep(SECONDS * 0.6)
    began = time.monotonic()
    await line.send(begun)
    assert problem_of(await line.rest()) == (408, "too-slow")
    assert 0.8 * SECONDS <= time.monotonic() - began < 3 * SECONDS


async def test_the_rest_of_a_body_that_was_answered_early_is_not_waited_for_for_ever(line: Line) -> None:
    await line.send(b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
    await line.until(b"0\r\n\r\n")
    await line.send(b"x")
    assert problem_of(await line.rest()) == (408, "too-slow")


async def test_a_body_may_take_longer_than_a_head(line: Line) -> None:
    await line.send(CHUNKED, *[b"1\r\nx\r\n"] * 5, b"0\r\n\r\n", pause=SECONDS / 2)
    assert b"5 bytes" in await line.until(b"0\r\n\r\n")


async def test_an_idle_connection_stays_for_its_keep_alive(line: Line) -> None:
    for _ in range(3):
        await line.send(GET + b"\r\n", pause=SECONDS * 1.5)
        assert b"200 OK" in await line.until(b"0\r\n\r\n")


@pytest.mark.parametrize(
    "begun",
    [
        b"GET /" + b"a" * (HEAD_BYTES * 2),
        GET + b"X: " + b"a" * (HEAD_BYTES * 2),
        GET + b"X: a\r\n" * HEAD_BYTES,
        GET + b"a" * (HEAD_BYTES * 2),
        b"\r\n" * HEAD_BYTES,
        CHUNKED + b"1;" + b"a" * (HEAD_BYTES * 2),
        CHUNKED + b"1\r\nx\r\n0\r\n" + b"X: a\r\n" * HEAD_BYTES,
    ],
    ids=["url", "value", "many", "name", "lines", "chunk", "trailers"],
)
async def test_a_head_that_grows_is_ended(line: Line, begun: bytes) -> None:
    await line.send(*(begun[at : at + 4096] for at in range(0, len(begun), 4096)))
    answer = await line.rest()
    assert answer == b"" or problem_of(answer)[0] == 431  # what is sent afterwards may reset the answer away


async def test_a_large_head_within_the_limit_is_taken(line: Line) -> None:
    await line.send(GET, b"X: " + b"a" * (HEAD_BYTES - 500), b"\r\n\r\n")
    assert b"200 OK" in await line.until(b"0\r\n\r\n")


async def test_many_requests_of_one_connection_do_not_add_up(line: Line) -> None:
    one = GET + b"X: " + b"a" * 10_000 + b"\r\n\r\n"
    for _ in range(20):
        await line.send(one)
        assert b"200 OK" in await line.until(b"0\r\n\r\n")


@pytest.mark.parametrize("size", [1, 300, 60_000])
async def test_a_long_body_in_chunks_of_any_size_is_taken(line: Line, size: int) -> None:
    count = 600_000 // (size + 6)
    chunk = b"%x\r\n%b\r\n" % (size, b"x" * size)
    await line.send(CHUNKED, chunk * count, b"0\r\n\r\n")
    assert b"%d bytes" % (size * count) in await line.until(b"0\r\n\r\n")


@pytest.mark.parametrize(
    "raw", [b"\x00\r\n\r\n", b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"CONNECT x:1 HTTP/1.1\r\n\r\n"]
)
async def test_what_is_no_http_is_a_problem(line: Line, raw: bytes) -> None:
    await line.send(raw)
    assert problem_of(await line.rest()) == (400, "not-http")


async def test_an_answer_that_has_begun_is_not_written_into(line: Line) -> None:
    await line.send(b"POST /stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert await line.until(b"begun\r\n")
    await line.send(b"no size\r\n")
    assert await line.rest() == b""


async def test_an_offer_of_another_protocol_is_not_taken(line: Line) -> None:
    await line.send(GET, b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n")
    assert b"200 OK" in await line.until(b"0\r\n\r\n")
