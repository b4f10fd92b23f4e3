"""The short way to a busy route keeps every rule of the long one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from starlette.types import Message, Receive, Scope, Send

from shared.observability.metrics import HttpMetrics
from shared.problems import Problem
from shared.security.tokens import Role, Tokens
from shared.service.door import Door, Reply, ShortWay, Visit
from tests.support.servers import Keys

LARGEST = 100


async def answer(visit: Visit) -> Reply:
    match visit.body:
        case b"hang":
            await asyncio.Event().wait()
        case b"wrong":
            raise Problem(409, "conflict", "Not now", headers={"Retry-After": "1"})
        case b"broken":
            raise ValueError("secret")
    return Reply(201, [(b"content-length", b"2")], b"ok")


async def framework(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})


@dataclass(slots=True)
class House:
    """A door with its keys."""

    folder: Path
    keys: Keys = field(init=False)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    door: Door = field(init=False)

    def __post_init__(self) -> None:
        self.keys = Keys.make(self.folder)
        way = ShortWay("/short", (Role.COUNTER,), LARGEST, answer)
        self.door = Door(framework, way, Tokens(self.folder / "public.json"), HttpMetrics(self.registry), 0.2, 0.2)

    async def ask(
        self, body: Sequence[bytes | None] = (b"fine",), *, role: Role | None = Role.COUNTER, **scope: Any
    ) -> tuple[int, dict[str, str], bytes]:
        """The answer to a body in pieces; None is a client that has gone, and after the last piece nothing more comes."""
        pieces, told = list(body), list[Message]()
        headers = [] if role is None else [(b"authorization", f"Bearer {self.keys.token(role)}".encode())]

        async def receive() -> Message:
            if not pieces:
                await asyncio.Event().wait()
            piece = pieces.pop(0)
            if piece is None:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": piece, "more_body": bool(pieces) or piece.endswith(b"...")}

        async def send(message: Message) -> None:
            told.append(message)

        asked = {"type": "http", "method": "POST", "path": "/short", "headers": headers, **scope}
        await self.door(asked, receive, send)
        if not told:
            return 0, {}, b""
        return told[0]["status"], {k.decode(): v.decode() for k, v in told[0]["headers"]}, told[-1].get("body", b"")

    def counted(self, code: int) -> float | None:
        """How often this code was answered."""
        labels = {"route": "/short", "method": "POST", "code": str(code)}
        return self.registry.get_sample_value("motcua_http_requests_total", labels)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_a_body_in_pieces_is_answered_and_counted(house: House) -> None:
    assert await house.ask((b"fi", b"ne")) == (201, {"content-length": "2"}, b"ok")
    assert house.counted(201) == 1


async def test_everything_else_goes_on_to_the_framework(house: House) -> None:
    others: list[dict[str, Any]] = [{"method": "GET"}, {"path": "/short/"}, {"type": "websocket"}]
    for other in others:
        assert (await house.ask(**other))[0] == 299


async def test_who_is_not_known_or_may_not_is_refused_before_the_body_is_read(house: House) -> None:
    assert (await house.ask((), role=None))[0] == 401
    assert (await house.ask((), role=Role.AUDITOR))[0] == 403


@pytest.mark.parametrize("body", [(b"x" * 101,), (b"x" * 60, b"x" * 60, b"rest")])
async def test_a_body_that_is_too_large_is_413_and_the_connection_ends(house: House, body: tuple[bytes, ...]) -> None:
    status, headers, _ = await house.ask(body)
    assert (status, headers["connection"]) == (413, "close")


async def test_a_declared_length_that_is_too_large_is_413(house: House) -> None:
    token = f"Bearer {house.keys.token(Role.COUNTER)}".encode()
    status, _, _ = await house.ask((b"short",), headers=[(b"authorization", token), (b"content-length", b"101")])
    assert status == 413


async def test_a_sender_that_dawdles_is_408_and_one_that_leaves_gets_nothing(house: House) -> None:
    status, headers, _ = await house.ask((b"never ends...",))
    assert (status, headers["connection"]) == (408, "close")
    assert (await house.ask((b"gone", None)))[0] == 0
    assert house.counted(499) == 1


async def test_what_is_not_answered_in_time_is_503_with_retry_after(house: House) -> None:
    status, headers, body = await house.ask((b"hang",))
    assert status == 503
    assert headers["retry-after"]
    assert json.loads(body)["type"] == "urn:motcua:problem:unavailable"


async def test_problems_and_crashes_are_problem_json_without_the_input(house: House) -> None:
    status, headers, _ = await house.ask((b"wrong",))
    assert (status, headers["retry-after"], headers["content-type"]) == (409, "1", "application/problem+json")
    status, _, body = await house.ask((b"broken",))
    assert status == 500
    assert b"secret" not in body
