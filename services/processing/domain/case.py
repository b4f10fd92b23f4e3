"""What processing knows about one case. Field names and order are the domain columns of the table `cases`."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from shared.contracts.words import Status


class Case(NamedTuple):
    """A case; every value is None until a fact says it. Times are aware, codes of closed vocabularies their values.

    `status` None: not submitted yet, only named by a command that came first. `due_at` is the appointment of the committed
    limit, `statutory_due_at` the law's own. `last_fact_at` is when the latest fact happened.
    """

    agency: str | None = None
    kind: str | None = None
    procedure: str | None = None
    procedure_version: int | None = None
    field: str | None = None
    channel: str | None = None
    return_channel: str | None = None
    status: int | None = None
    step: str | None = None
    unit: str | None = None
    code: str | None = None
    origin: str | None = None
    lane: int | None = None
    submitted_at: datetime | None = None
    accepted_at: datetime | None = None
    due_at: datetime | None = None
    statutory_due_at: datetime | None = None
    resolved_at: datetime | None = None
    returned_at: datetime | None = None
    outcome: str | None = None
    last_fact_at: datetime | None = None


TRANSITIONS: dict[int, frozenset[int]] = {
    Status.REGISTERED: frozenset({Status.ACCEPTED, Status.REFUSED}),
    Status.ACCEPTED: frozenset({Status.IN_PROCESS, Status.RESOLVED}),
    Status.REFUSED: frozenset(),
    Status.IN_PROCESS: frozenset({Status.IN_PROCESS, Status.RESOLVED}),
    Status.RESOLVED: frozenset({Status.RETURNED}),
    Status.RETURNED: frozenset(),
}
"""The legal moves between the national status codes, as far as commands make them; staying in 4 is a further step."""

OPEN = frozenset({Status.ACCEPTED, Status.IN_PROCESS, Status.SUPPLEMENT_REQUESTED, Status.PAYMENT_REQUESTED})
"""Statuses of the backlog. A case that is only registered is not received yet; nothing leads to a stop so far."""
