"""One event of a source with what became of it: what calls and feeds are told inside the transaction that takes it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from shared.contracts.hotline import EventOutcome
from shared.hotline.said import Said


class Heard(NamedTuple):
    """An event as it was taken; `said` is None where it could not be understood. `received_at` is the database's time.

    Of a duplicate `said` is what was said this time; it may change nothing but counts. The source's number and its scope are
    given whenever they could be read, whatever became of the event: a number that has come is not missing.
    """

    source: str
    agency: str
    outcome: EventOutcome
    said: Said | None
    received_at: datetime
    sequence: int | None = None
    sequence_scope: str = ""
