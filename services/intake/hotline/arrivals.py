"""What comes through a door, and what is answered: one payload of a source with the events that were understood of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from shared.contracts.hotline import EventOutcome
from shared.hotline.said import Understood, Wrong


class Door(StrEnum):
    """How a payload came in."""

    WEBHOOK = "webhook"
    KAFKA = "kafka"


class Arrival(NamedTuple):
    """One payload. `agency` is the source's own, for what could not be understood; None where its events name theirs.

    `attributes` are those of CloudEvents that came beside the payload. `place` is that of a record, by which it is known when it
    is read again; None of what comes by another door.
    """

    source: str
    door: Door
    understood: Sequence[Understood]
    payload: bytes
    attributes: Mapping[str, str]
    agency: str | None = None
    place: str | None = None


class Taken(NamedTuple):
    """What became of one event. `note` is a code that says more of an accepted or an ignored one."""

    event_id: str | None
    outcome: EventOutcome
    case_id: UUID | None = None
    wrong: tuple[Wrong, ...] = ()
    note: str = ""
