"""What processing states about time: due dates, and where an agency's business clock stands."""

from __future__ import annotations

from pydantic import PositiveInt

from shared.contracts.events.base import PROCESSING, CaseEvent, Event
from shared.contracts.model import Instant, Reason, Slug
from shared.contracts.words import ClockMode


class CaseExtended(CaseEvent):
    """A new appointment with an apology (form 04; Decree 61/2018/NĐ-CP, art. 19.9)."""

    type = "case.extended"
    stated_by = PROCESSING

    old_due_at: Instant
    new_due_at: Instant
    reason: Reason
    apology: Reason
    breach: bool = False


class DueDateRecalculated(CaseEvent):
    """The due date of an open case was counted again.

    Because the calendar changed (`calendar_changed`), or because the case was resolved while its clock stood still
    (`clock_stopped`).
    """

    type = "case.due_date_recalculated"
    stated_by = PROCESSING

    old_due_at: Instant | None
    new_due_at: Instant | None
    reason: Reason
    old_statutory_due_at: Instant | None = None
    new_statutory_due_at: Instant | None = None


class CaseDueSoon(CaseEvent):
    """The last working day of the limit has begun."""

    type = "case.due_soon"
    stated_by = PROCESSING

    due_at: Instant


class CaseOverdue(CaseEvent):
    """The due date has passed and the case is open."""

    type = "case.overdue"
    stated_by = PROCESSING

    due_at: Instant


class CaseEscalated(CaseEvent):
    """A case was raised to the next level of the chain because the time `due_at` had passed.

    `reason` says which time: of the due date (`overdue`), of the assignment to a unit (`unassigned`), of another agency's
    answer (`answer_late`), of the supplement (`supplement_timeout`) or the payment (`payment_timeout`), of a duty after the
    result (`duty_late`), or of the hand-over of the result (`undelivered`). `to` is the role or unit that is told.
    """

    type = "case.escalated"
    stated_by = PROCESSING

    due_at: Instant
    level: PositiveInt
    reason: Reason = "overdue"
    to: Slug | None = None


class ClockSet(Event):
    """Where an agency's business clock stands. Keyed by agency."""

    type = "agency.clock_set"
    stated_by = PROCESSING

    agency: Slug
    mode: ClockMode
    at: Instant | None = None
