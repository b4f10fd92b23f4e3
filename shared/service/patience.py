"""Time limits for very many tasks at the price of one timer, which looks after all of them a few times a second."""

from __future__ import annotations

import asyncio
from time import monotonic
from types import TracebackType
from typing import Self

EVERY_SECONDS = 0.1


class Rounds:
    """Looks every `every` seconds which of its limits are over; a limit is kept to that precision."""

    def __init__(self, every: float = EVERY_SECONDS) -> None:
        self._every, self._going = every, False
        self._entered = set[Patience]()

    def limit(self, seconds: float) -> Patience:
        """A limit for the task that enters it, in so many seconds."""
        return Patience(self, seconds)

    def enter(self, patience: Patience) -> None:
        """Look after this one, too."""
        self._entered.add(patience)
        if not self._going:
            self._going = True
            asyncio.get_running_loop().call_later(self._every, self._look)

    def leave(self, patience: Patience) -> None:
        """It is over, one way or another."""
        self._entered.discard(patience)

    def _look(self) -> None:
        now = monotonic()
        for patience in [each for each in self._entered if each.until <= now]:
            self._entered.discard(patience)
            patience.strike()
        if self._entered:
            asyncio.get_running_loop().call_later(self._every, self._look)
        else:
            self._going = False


class Patience:
    """Raises TimeoutError inside the block when its time is over, as `asyncio.timeout` does."""

    __slots__ = ("_rounds", "_struck", "_task", "until")

    def __init__(self, rounds: Rounds, seconds: float) -> None:
        self._rounds, self._task, self._struck = rounds, asyncio.current_task(), False
        self.until = monotonic() + seconds

    def move(self, seconds: float) -> None:
        """From now on so many seconds are left."""
        self.until = monotonic() + seconds

    def strike(self) -> None:
        """The time is over."""
        if self._task is not None:
            self._struck = True
            self._task.cancel()

    def __enter__(self) -> Self:
        self._rounds.enter(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._rounds.leave(self)
        if self._struck and self._task is not None and self._task.uncancel() <= 0 and kind is asyncio.CancelledError:
            raise TimeoutError from error
