"""Group commit: what arrives while a commit runs shares the next one.

A commit waits for the disk whether it carries one case or five hundred; sharing it makes a loaded service faster and
leaves an idle one as quick as before. Nothing waits for a timer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class UnavailableError(Exception):
    """The item was not committed for a reason that passes: the queue is full, or the database is away."""


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """How many items share a transaction, how many may wait, and how long a group is tried again (seconds)."""

    most: int = 1000
    capacity: int = 5000
    patience_seconds: float = 0.0
    first_pause_seconds: float = 0.1
    longest_pause_seconds: float = 2.0


@dataclass(slots=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    answer: asyncio.Future[Result]

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)

    def succeed(self, result: Result) -> None:
        if not self.answer.done():
            self.answer.set_result(result)


class GroupCommit(Generic[Item, Result]):
    """Commits items in groups, in the order of their arrival, one group at a time.

    `commit` writes all items in one transaction and returns one result each, in order. When it raises what
    `is_transient` recognises, the group is tried again for `patience_seconds`, then everybody in it gets
    UnavailableError. Any other error is permanent: the group is halved until the guilty item stands alone and
    gets the error itself.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        is_transient: Callable[[Exception], bool],
        limits: GroupLimits | None = None,
    ) -> None:
        """Take what commits, and what tells a passing failure from a lasting one."""
        self._commit = commit
        self._is_transient = is_transient
        self._limits = limits or GroupLimits()
        self._queue: deque[_Waiting[Item, Result]] = deque()
        self._running: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    def submit(self, item: Item) -> asyncio.Future[Result]:
        """Queue an item; the future answers after the commit.

        Raises:
            UnavailableError: The queue is full, or the service shuts down.
        """
        if self._closed:
            raise UnavailableError("the service is shutting down")
        if len(self._queue) >= self._limits.capacity:
            raise UnavailableError("too many cases wait for their commit")
        waiting: _Waiting[Item, Result] = _Waiting(item, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        if len(self._queue) >= self._limits.capacity:
            self._room.clear()
        if self._running is None:
            self._running = asyncio.create_task(self._run(), name="group-commit")
        return waiting.answer

    async def wait_and_submit(self, item: Item) -> asyncio.Future[Result]:
        """Like `submit`, but waits for room instead of refusing.

        Raises:
            UnavailableError: The service shuts down.
        """
        while not self._closed and len(self._queue) >= self._limits.capacity:
            await self._room.wait()
        return self.submit(item)

    async def drain(self) -> None:
        """Take nothing new and return when everything queued has its answer."""
        self._closed = True
        self._room.set()
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        """Commit group after group until nothing waits; the next item starts it again."""
        group: list[_Waiting[Item, Result]] = []
        try:
            while self._queue:
                group = [self._queue.popleft() for _ in range(min(self._limits.most, len(self._queue)))]
                self._room.set()
                await self._settle(group)
        except BaseException:
            for waiting in (*group, *self._queue):
                waiting.fail(UnavailableError("the commit was interrupted"))
            self._queue.clear()
            raise
        finally:
            self._running = None

    async def _settle(self, group: Sequence[_Waiting[Item, Result]]) -> None:
        """Answer everybody in the group."""
        try:
            results = await self._commit_patiently([waiting.item for waiting in group])
        except UnavailableError as error:
            for waiting in group:
                waiting.fail(UnavailableError(*error.args))
        except Exception as error:  # noqa: BLE001 - permanent: whose fault it is shows by halving
            if len(group) == 1:
                group[0].fail(error)
                return
            middle = len(group) // 2
            await self._settle(group[:middle])
            await self._settle(group[middle:])
        else:
            for waiting, result in zip(group, results, strict=True):
                waiting.succeed(result)

    async def _commit_patiently(self, items: Sequence[Item]) -> Sequence[Result]:
        """Commit, again after a growing pause while the failure is transient and patience lasts."""
        pause, until = self._limits.first_pause_seconds, monotonic() + self._limits.patience_seconds
        while True:
            try:
                return await self._commit(items)
            except Exception as error:
                if not self._is_transient(error):
                    raise
                if monotonic() + pause > until:
                    raise UnavailableError("the database cannot be reached") from error
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._limits.longest_pause_seconds)
