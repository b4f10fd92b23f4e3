"""An answer in time: when the database hangs, the asker learns it within seconds and may ask again."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.problems import unavailable

WITHOUT_BODY = {"GET", "HEAD", "DELETE", "OPTIONS"}


class Deadline:
    """Answers 503 when nothing was answered `seconds` after a request had arrived whole; streamed paths are left alone.

    The work goes on being cancelled behind the answer: a hung connection gives up only when its own time-out comes. Whether
    a command was carried out is then not known; the same idempotency key tells, when it is sent again.
    """

    def __init__(self, app: ASGIApp, seconds: float, streamed: frozenset[str]) -> None:
        self._app, self._seconds, self._streamed = app, seconds, streamed
        self._abandoned = set[asyncio.Task[None]]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or scope["path"] in self._streamed:
            await self._app(scope, receive, send)
            return
        answer = _Answer(self._seconds, receive, send)
        if scope["method"] in WITHOUT_BODY:
            answer.arrived()
        task: asyncio.Task[Any] = asyncio.ensure_future(self._app(scope, answer.receive, answer.send))
        try:
            await asyncio.wait({task, answer.expired}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            answer.settle()
            if not task.done():
                self._abandon(task)
        if task.done() and not task.cancelled():
            task.result()
        elif answer.close():
            await unavailable("No answer in time; whether it was done is not known").answer()(scope, receive, send)

    def _abandon(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        self._abandoned.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._abandoned.discard(task)
        if not task.cancelled():
            task.exception()  # seen, so that nobody reports it as forgotten


class _Answer:
    """One request's messages: when the body is complete the time begins, when the answer begins it ends."""

    def __init__(self, seconds: float, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        self.expired: asyncio.Future[None] = loop.create_future()
        self._seconds, self._receive, self._send = seconds, receive, send
        self._timer: asyncio.TimerHandle | None = None
        self._begun = self._closed = False

    def arrived(self) -> None:
        """The request is here; the time runs."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._expire)

    def _expire(self) -> None:
        if not self._begun and not self.expired.done():
            self.expired.set_result(None)

    def settle(self) -> None:
        """No more time is measured."""
        if self._timer is not None:
            self._timer.cancel()

    def close(self) -> bool:
        """Let nothing more through from the work; whether nothing had been answered."""
        self._closed = True
        return not self._begun

    async def receive(self) -> Message:
        """ASGI."""
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self.arrived()
        return message

    async def send(self, message: Message) -> None:
        """ASGI."""
        if not self._closed:
            self._begun = True
            await self._send(message)
