"""The short way to one busy route, past the framework's layers.

FastAPI declares and documents the route; requests are answered here, by the same rules: a token and a role, a body of limited
size that arrives in time, an answer in time, problems as RFC 9457 says, and a measure of every answer.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.observability.metrics import HttpMetrics
from shared.problems import Problem, unavailable
from shared.security.tokens import Principal, Role, Tokens, admit
from shared.service.limits import drain, encoded, is_encoded, too_large, too_slow
from shared.service.one_write import in_one_write
from shared.service.patience import Rounds

log = structlog.get_logger()


class Visit(NamedTuple):
    """A request that was let in and has arrived whole. Header names are lower case; of a name given twice the first counts."""

    who: Principal
    headers: Mapping[bytes, bytes]
    body: bytes


class Reply(NamedTuple):
    """An HTTP answer as it is written."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


Answering = Callable[[Visit], Awaitable[Reply]]
"""Answers a visit; raises Problem."""


@dataclass(frozen=True, slots=True)
class ShortWay:
    """A POST route that has a door of its own: its path, who may come, its largest body in bytes, and what answers."""

    path: str
    roles: tuple[Role, ...]
    largest: int
    answer: Answering


class Door:
    """Answers the requests of one short way; everything else goes on to the framework.

    `sender_seconds` is how long a body may take, `answer_seconds` how long the answer may take after that.
    """

    def __init__(
        self, app: ASGIApp, way: ShortWay, tokens: Tokens, metrics: HttpMetrics, sender_seconds: float, answer_seconds: float
    ) -> None:
        self._app, self._way, self._tokens, self._metrics = app, way, tokens, metrics
        self._sender_seconds, self._answer_seconds = sender_seconds, answer_seconds
        self._rounds = Rounds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or scope["path"] != self._way.path or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        try:
            status, headers, body = await self._reply(scope, receive)
            in_one_write(send)
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        except ClientDisconnect:
            status = 499
        finally:
            self._metrics.observe(self._way.path, "POST", status, time.perf_counter() - began)

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        headers = dict(reversed(scope["headers"]))
        try:
            who = admit(self._tokens, headers.get(b"authorization", b"").decode("latin-1"), self._way.roles)
            return await self._answer(who, headers, receive)
        except Problem as problem:
            if problem.status in {408, 413, 415}:
                await drain(receive)
            return reply_of(problem)
        except ClientDisconnect:
            raise
        except Exception as error:
            log.exception("a request failed", error=type(error).__name__)
            return reply_of(Problem(500, "internal", "Something went wrong here", detail="it has been logged"))

    async def _answer(self, who: Principal, headers: Mapping[bytes, bytes], receive: Receive) -> Reply:
        """One limit for both: until the body is here, then until it is answered. What it cuts off goes on being cancelled."""
        arrived = False
        try:
            with self._rounds.limit(self._sender_seconds) as patience:
                body = await self._body(headers, receive)
                arrived = True
                patience.move(self._answer_seconds)
                return await self._way.answer(Visit(who, headers, body))
        except TimeoutError:
            raise (unavailable("No answer in time; whether it was done is not known") if arrived else too_slow()) from None

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        if is_encoded(headers):
            raise encoded()
        declared, largest = headers.get(b"content-length", b""), self._way.largest
        if declared.isdigit() and int(declared) > largest:
            raise too_large(largest)
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > largest:
                raise too_large(largest)
        return body


def reply_of(problem: Problem) -> Reply:
    """A problem as it is written."""
    answer = problem.answer()
    return Reply(answer.status_code, answer.raw_headers, bytes(answer.body))
