"""Heartbeats of loops: liveness is the progress of what must never stand still."""

from __future__ import annotations

import time
from collections.abc import Iterable


class Progress:
    """When a loop last came round. `limit` is the longest silence, in seconds, that still counts as alive."""

    def __init__(self, name: str, limit: float = 60.0) -> None:
        self.name, self.limit = name, limit
        self._beat_at = time.monotonic()

    def beat(self) -> None:
        """The loop came round."""
        self._beat_at = time.monotonic()

    @property
    def silence(self) -> float:
        """Seconds since the last beat."""
        return time.monotonic() - self._beat_at

    @property
    def alive(self) -> bool:
        """Whether the silence is within its limit."""
        return self.silence <= self.limit


def silent_ones(loops: Iterable[Progress]) -> list[str]:
    """Which loops stand still, and for how long."""
    return [f"{loop.name}: silent for {loop.silence:.0f} s" for loop in loops if not loop.alive]
