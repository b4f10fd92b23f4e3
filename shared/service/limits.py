"""HTTP's edge: bodies of at most 1 MB, senders that may not dawdle, and a measure of every answer."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.observability.metrics import HttpMetrics
from shared.problems import Problem

BODY_BYTES = 1_000_000
DRAIN_BYTES, DRAIN_SECONDS = 32_000_000, 2.0


class _CutError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.slug)
        self.problem = problem


class Limits:
    """Cuts bodies over 1 MB (413) and senders slower than `seconds` (408); `streamed` paths are limited by their own reader."""

    def __init__(self, app: ASGIApp, metrics: HttpMetrics, streamed: frozenset[str], seconds: float) -> None:
        self._app, self._metrics, self._streamed, self._seconds = app, metrics, streamed, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, codes = time.perf_counter(), list[int]()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                codes.append(message["status"])
            await send(message)

        try:
            if is_encoded(dict(scope["headers"])):
                raise _CutError(encoded())
            await self._app(scope, self._limited(scope, receive), sending)
        except _CutError as error:
            if not codes:
                await drain(receive)
                await error.problem.answer()(scope, receive, sending)
        except ClientDisconnect:
            codes.append(499)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.observe(route, _method(scope["method"]), codes[0] if codes else 500, time.perf_counter() - began)

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        streamed = scope["path"] in self._streamed
        declared = dict(scope["headers"]).get(b"content-length", b"")
        deadline = time.monotonic() + self._seconds
        size, complete = 0, False

        async def limited() -> Message:
            nonlocal size, complete
            if complete:
                return await receive()
            if not streamed and declared.isdigit() and int(declared) > BODY_BYTES:
                raise _CutError(too_large(BODY_BYTES))
            patience = self._seconds if streamed else deadline - time.monotonic()
            try:
                async with asyncio.timeout(patience):
                    message: dict[str, Any] = dict(await receive())
            except TimeoutError:
                raise _CutError(too_slow()) from None
            size += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if not streamed and size > BODY_BYTES:
                raise _CutError(too_large(BODY_BYTES))
            return message

        return limited


def _method(method: str) -> str:
    return method if method in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"} else "other"


async def drain(receive: Receive) -> None:
    """Take what the sender is still sending, within bounds: a connection closed in its face would lose the answer."""
    taken, more = 0, True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while more and taken < DRAIN_BYTES:
                message = await receive()
                taken += len(message.get("body", b""))
                more = message.get("more_body", False)


def is_encoded(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a body is packed; header names are lower case."""
    return headers.get(b"content-encoding", b"identity").strip().lower() != b"identity"


def encoded() -> Problem:
    """415: a packed body. Nothing is unpacked here, so that nothing small can become large."""
    return Problem(
        415, "encoded", "Packed bodies are not taken", detail="send it without Content-Encoding", headers={"Connection": "close"}
    )


def too_large(most: int) -> Problem:
    """413: a body has more than so many bytes."""
    return Problem(413, "too-large", "The body is too large", detail=f"at most {most} bytes", headers={"Connection": "close"})


def too_slow() -> Problem:
    """408: a body took too long."""
    return Problem(408, "too-slow", "The body did not arrive in time", headers={"Connection": "close"})
