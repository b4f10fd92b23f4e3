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
from typing import Generic, TypeAlias, TypeVar, cast

Item = TypeVar("Item")
Result = TypeVar("Result")


class UnavailableError(Exception):
    """The item was not committed for a reason that passes: the queue is full, or the database is away."""


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """How many items share a transaction, how many may wait, and how long a group is tried again (seconds).

    Items that weigh differently also share it up to `heaviest` only; an item that is heavier goes alone. `at_once` transactions
    may run at a time; a further one begins only when a whole group waits.
    """

    most: int = 1000
    capacity: int = 5000
    heaviest: int = 1_000_000
    at_once: int = 1
    patience_seconds: float = 0.0
    first_pause_seconds: float = 0.1
    longest_pause_seconds: float = 2.0


@dataclass(slots=True)
class _Waiting(Generic[Item, Result]):
    """An item that is answered by itself."""

    item: Item
    answer: asyncio.Future[Result]

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)

    def succeed(self, result: Result) -> None:
        if not self.answer.done():
            self.answer.set_result(result)


@dataclass(slots=True)
class _Together(Generic[Result]):
    """The answers of items that came together: one future for all of them."""

    answer: asyncio.Future[list[Result | Exception]]
    told: list[Result | Exception]
    left: int

    def tell(self, place: int, told: Result | Exception) -> None:
        self.told[place] = told
        self.left -= 1
        if self.left == 0 and not self.answer.done():
            self.answer.set_result(self.told)


@dataclass(slots=True)
class _Member(Generic[Item, Result]):
    """An item among others that came with it."""

    item: Item
    together: _Together[Result]
    place: int

    def fail(self, error: Exception) -> None:
        self.together.tell(self.place, error)

    def succeed(self, result: Result) -> None:
        self.together.tell(self.place, result)


_Queued: TypeAlias = _Waiting[Item, Result] | _Member[Item, Result]


class GroupCommit(Generic[Item, Result]):
    """Commits items in groups, in the order of their arrival, as many groups at a time as the limits allow.

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
        weigh: Callable[[Item], int] = lambda _: 1,
    ) -> None:
        """Take what commits, what tells a passing failure from a lasting one, and how heavy an item is."""
        self._commit = commit
        self._is_transient = is_transient
        self._weigh = weigh
        self._limits = limits or GroupLimits()
        self._queue: deque[_Queued[Item, Result]] = deque()
        self._running: list[asyncio.Task[None]] = []
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
        self._begin()
        return waiting.answer

    async def submit_together(self, items: Sequence[Item]) -> asyncio.Future[list[Result | Exception]]:
        """Queue items that came together, waiting for room instead of refusing; one future answers all of them, in order.

        It never raises: an item that was not committed is answered by its error.
        """
        answer: asyncio.Future[list[Result | Exception]] = asyncio.get_running_loop().create_future()
        while items and not self._closed and len(self._queue) >= self._limits.capacity:
            await self._room.wait()
        if self._closed or not items:
            answer.set_result([UnavailableError("the service is shutting down") for _ in items])
            return answer
        together = _Together(answer, cast("list[Result | Exception]", [None] * len(items)), len(items))
        self._queue.extend(_Member(item, together, place) for place, item in enumerate(items))
        self._begin()
        return answer

    def _begin(self) -> None:
        """See to what was queued just now."""
        if len(self._queue) >= self._limits.capacity:
            self._room.clear()
        self._running = [each for each in self._running if not each.done()]
        if not self._running or (len(self._running) < self._limits.at_once and len(self._queue) >= self._limits.most):
            self._running.append(asyncio.create_task(self._run(), name="group-commit"))

    async def drain(self) -> None:
        """Take nothing new and return when everything queued has its answer."""
        self._closed = True
        self._room.set()
        await asyncio.gather(*self._running)

    async def _run(self) -> None:
        """Commit group after group until nothing waits; the next item starts it again."""
        group: list[_Queued[Item, Result]] = []
        try:
            while self._queue:
                group = self._next_group()
                self._make_room()
                await self._settle(group)
        except BaseException:
            for waiting in (*group, *self._queue):
                waiting.fail(UnavailableError("the commit was interrupted"))
            self._queue.clear()
            self._make_room()
            raise

    def _next_group(self) -> list[_Queued[Item, Result]]:
        """What shares the next transaction: the item that waits longest, and those behind it that fit in."""
        group = [self._queue.popleft()]
        weight = self._weigh(group[0].item)
        while self._queue and len(group) < self._limits.most:
            weight += self._weigh(self._queue[0].item)
            if weight > self._limits.heaviest:
                break
            group.append(self._queue.popleft())
        return group

    def _make_room(self) -> None:
        """Wake who waits for room once there is some: what came together may have filled the queue beyond its capacity."""
        if len(self._queue) < self._limits.capacity:
            self._room.set()

    async def _settle(self, group: Sequence[_Queued[Item, Result]]) -> None:
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
