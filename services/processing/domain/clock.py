"""The business clock of an agency, and the states of a case's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.contracts.words import ClockMode


class ClockState(StrEnum):
    """Not started before acceptance; stopped while it stands still; ended by a resolution, a withdrawal, a termination."""

    NOT_STARTED = "not_started"
    RUNNING = "running"
    STOPPED = "stopped"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class AgencyClock:
    """An agency's business clock: real time, or a moment of the past. `sequence` counts its changes."""

    mode: ClockMode = ClockMode.LIVE
    at: datetime | None = None
    sequence: int = 0

    def time(self, now: datetime) -> datetime:
        """The business time while real time is `now`."""
        return self.at if self.mode is ClockMode.HISTORICAL and self.at is not None else now
