"""Since when a case's clock stands still, whatever the order in which its facts arrive.

One standstill may take several facts: a supplement that is asked for, then a withdrawal. It began with the first of them after
the newest fact with which the clock ran; a fact in between may come late, so the later ones are kept, too.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

Stop = tuple[int, datetime]
"""The sequence of a fact that stopped the clock, and when."""


class Standstill(NamedTuple):
    """The newest fact with which the clock ran, and the stops after it in their order."""

    ran: int = 0
    stops: tuple[Stop, ...] = ()

    @classmethod
    def read(cls, text: str) -> Standstill:
        """From a column: `3;5@2020-03-02T01:00:00+00:00`."""
        ran, *stops = text.split(";")
        pairs = (stop.split("@") for stop in stops)
        return cls(int(ran), tuple((int(sequence), datetime.fromisoformat(at)) for sequence, at in pairs))

    def text(self) -> str | None:
        """For a column; None while the clock runs."""
        if not self.stops:
            return None
        return ";".join((str(self.ran), *(f"{sequence}@{at.isoformat()}" for sequence, at in self.stops)))

    def stopped(self, sequence: int, at: datetime) -> Standstill:
        """After a fact that stops the clock."""
        return self if sequence <= self.ran else Standstill(self.ran, tuple(sorted({*self.stops, (sequence, at)})))

    def runs(self, sequence: int) -> Standstill:
        """After a fact with which it runs."""
        ran = max(self.ran, sequence)
        return Standstill(ran, tuple(stop for stop in self.stops if stop[0] > ran))

    @property
    def since(self) -> datetime | None:
        """When it began, None while the clock runs."""
        return self.stops[0][1] if self.stops else None
