"""How often a client may ask, and all of them together, with memory for those only who asked within the last minute.

A client has an allowance that refills evenly: `each` at once, and as many again within the next minute. What is kept of it is
one time, the moment at which it is full again; once that has passed it says nothing and is forgotten. A refused question keeps
nothing, so what all clients together may ask bounds how many are remembered: twice `everybody`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from enum import StrEnum
from time import monotonic
from typing import Final, NamedTuple

WINDOW_SECONDS: Final = 60.0
_ROUNDING: Final = 1e-6


class Whose(StrEnum):
    """Whose allowance was used up."""

    CLIENT = "client"
    SERVICE = "service"


class TooMany(NamedTuple):
    """A question that is refused, and after how many seconds the next one may be allowed."""

    whose: Whose
    wait: float


class Rate:
    """Allows `each` questions a minute to one client and `everybody` to all of them; `clock` gives seconds that never go back."""

    def __init__(self, each: int, everybody: int, clock: Callable[[], float] = monotonic) -> None:
        """Start with every allowance full."""
        self._each, self._everybody = WINDOW_SECONDS / each, WINDOW_SECONDS / everybody
        self._clock = clock
        self._full_at = OrderedDict[str, float]()
        """By client, in the order of the last allowed question."""
        self._all_full_at = 0.0

    def __len__(self) -> int:
        """How many clients are remembered."""
        return len(self._full_at)

    def ask(self, client: str) -> TooMany | None:
        """Count a question; None when it is allowed."""
        now = self._clock()
        of_client = max(now, self._full_at.get(client, now)) + self._each
        of_all = max(now, self._all_full_at) + self._everybody
        for whose, full_at in ((Whose.CLIENT, of_client), (Whose.SERVICE, of_all)):
            if full_at > now + WINDOW_SECONDS + _ROUNDING:
                return TooMany(whose, full_at - now - WINDOW_SECONDS)
        self._full_at[client], self._all_full_at = of_client, of_all
        self._full_at.move_to_end(client)
        self._forget(now)
        return None

    def _forget(self, now: float) -> None:
        """Forget two clients at most, so that no question pays for many others; one is added at most."""
        for _ in range(2):
            client, full_at = next(iter(self._full_at.items()))
            if full_at > now:
                return
            del self._full_at[client]
