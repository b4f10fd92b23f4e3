"""One case as the metrics service sees it: what its backlog, turnaround and timeliness need, and nothing personal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(slots=True)
class Case:
    """The projection of one case; its fields are the domain columns of `cases`, in their order.

    `received_at` is the first acceptance, `left_at` the moment a withdrawal or termination took it out of the backlog.
    `turnaround_seconds` run from acceptance to resolution, `working_seconds` are those of them inside counter hours.
    `stopped_at` is since when the clock stands still, `standstill` what that is made of (`domain.standstill`). `committed` and
    `statutory` are the limits in force at the acceptance, such as `10 working_days`. `milestones` are those that a task reached.
    `refiled_from` is an earlier filing of the same person and procedure (`domain.validity`); `supplemented` and
    `refused_for_documents` are None where nobody knows, of cases from before they were kept.
    The `*_sequence` fields say which of processing's facts decided a value, so that any order of arrival ends the same.
    """

    agency: str | None = None
    kind: str | None = None
    procedure: str | None = None
    field: str | None = None
    channel: str | None = None
    return_channel: str | None = None
    origin: str | None = None
    status: int | None = None
    stop_kind: str | None = None
    submitted_at: datetime | None = None
    received_at: datetime | None = None
    due_at: datetime | None = None
    statutory_due_at: datetime | None = None
    resolved_at: datetime | None = None
    returned_at: datetime | None = None
    left_at: datetime | None = None
    timeliness: str | None = None
    outcome: str | None = None
    turnaround_seconds: float | None = None
    working_seconds: int | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    steps: int = 0
    status_sequence: int = 0
    due_sequence: int = 0
    statutory_sequence: int = 0
    resolved_sequence: int = 0
    returned_sequence: int = 0
    stopped_at: datetime | None = None
    standstill: str | None = None
    procedure_version: int | None = None
    committed: str | None = None
    statutory: str | None = None
    milestones: int = 0
    received_sequence: int = 0
    outcome_sequence: int = 0
    timeliness_sequence: int = 0
    handed_sequence: int = 0
    documents_complete: bool | None = None
    supplemented: bool | None = False
    refused_for_documents: bool | None = False
    refiled_from: UUID | None = None
