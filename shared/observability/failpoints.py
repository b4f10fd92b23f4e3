"""Named places where tests let a process exit, sleep or fail. Inert unless MOTCUA_FAILPOINTS is set, which only tests do.

The variable holds `place=action:chance[:seconds]`, separated by semicolons. Actions are `exit` (at once, as kill -9), `raise`
(ConnectionResetError, which passes by itself) and `sleep` (for so many seconds). A chance below 1 is a probability at each pass;
from 1 on it is the number of the one pass that counts.
"""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import dataclass

PLACES = frozenset(
    {"before_commit", "after_commit", "before_publish", "after_publish", "before_offsets", "after_offsets", "after_send"}
)
ACTIONS = frozenset({"exit", "raise", "sleep"})
EXIT_STATUS = 86


@dataclass(slots=True)
class Failpoint:
    """What happens at one place."""

    action: str
    chance: float
    seconds: float = 0.0
    passes: int = 0

    def strikes(self) -> bool:
        """Whether it is this pass."""
        self.passes += 1
        return self.passes == self.chance if self.chance >= 1 else random.random() < self.chance  # noqa: S311 - no secret


def read_failpoints(text: str) -> dict[str, Failpoint]:
    """The failpoints of a setting.

    Raises:
        ValueError: It names a place or an action that does not exist, or a number that is none.
    """
    found = {}
    for each in filter(None, text.split(";")):
        place, _, rest = each.partition("=")
        action, chance, seconds, *_ = [*rest.split(":"), "0", "0"]
        if place not in PLACES or action not in ACTIONS:
            raise ValueError(f"MOTCUA_FAILPOINTS: {each!r} is not one of {sorted(PLACES)} with one of {sorted(ACTIONS)}")
        found[place] = Failpoint(action, float(chance), float(seconds))
    return found


ARMED = read_failpoints(os.environ.get("MOTCUA_FAILPOINTS", ""))


async def reach(place: str) -> None:
    """Pass a place.

    Raises:
        ConnectionResetError: The place is armed to fail, and this is the pass.
    """
    point = ARMED.get(place)
    if point is None or not point.strikes():
        return
    if point.action == "exit":
        os._exit(EXIT_STATUS)
    if point.action == "raise":
        raise ConnectionResetError(f"failpoint {place}")
    await asyncio.sleep(point.seconds)
