"""What one event of a source says, once its mapping has been applied."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from shared.contracts.hotline import HotlineEvent


class Wrong(NamedTuple):
    """Why an event was refused: the field of the vendor's payload, the rule it breaks, and the line of the mapping (1 …).

    Nothing of the payload's content is repeated.
    """

    field: str
    rule: str
    line: int | None = None


class Said(NamedTuple):
    """One event as it was understood.

    `event_id` is durable: the source's own, or made of what identifies it (call, state, time), so that a repetition has the same.
    `body` is None where the mapping says that this event means nothing to us (`ignored` says why, as a code). `agency` is the
    one that the event is for.
    """

    event_id: str
    occurred_at: datetime
    body: HotlineEvent | None
    sequence: int | None = None
    sequence_scope: str = ""
    ignored: str = ""
    agency: str = ""


class Refused(NamedTuple):
    """An event that could not be understood. Its id and its number, with its scope, are given where that much could be read."""

    wrong: tuple[Wrong, ...]
    event_id: str | None = None
    sequence: int | None = None
    sequence_scope: str = ""


Understood = Said | Refused
