"""What surrounds a command, and what a refusal of it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.processing.domain.timeline import Recorded
from shared.calendar import WorkingCalendar
from shared.catalogue import Catalogue
from shared.contracts.events import CaseEvent
from shared.contracts.words import Origin, Rejection

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far clocks may differ: less than this ahead is no future, less than this behind is no past."""
COMMAND_LIFE = timedelta(days=14)
"""As long as the memory of commands: an older one could run twice."""


@dataclass(slots=True)
class Context:
    """What surrounds one command: when it happened and was written down, for whom, and the rules of the day.

    `now` is the real time at which it is decided. A live fact of the past is told by `recorded_at`, so that a command that
    only waited in a queue is not mistaken for one. `history` is the case's, in order, for a `correct` only.
    """

    occurred_at: datetime
    recorded_at: datetime
    now: datetime
    origin: Origin
    agency: str
    calendar: WorkingCalendar
    catalogue: Catalogue
    history: Sequence[Recorded] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a command was not carried out; `detail` is a short phrase in English."""

    reason: Rejection
    detail: str | None = None


Decision = list[CaseEvent] | Rejected
