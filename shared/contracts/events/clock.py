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
    """The calendar changed, and with it the due date of an open case."""

    type = "case.due_date_recalculated"
    stated_by = PROCESSING

    old_due_at: Instant | None
    new_due_at: Instant | None
    reason: Reason


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
    """A late case was raised to the next level of the chain."""

    type = "case.escalated"
    stated_by = PROCESSING

    due_at: Instant
    level: PositiveInt


class ClockSet(Event):
    """Where an agency's business clock stands. Keyed by agency."""

    type = "agency.clock_set"
    stated_by = PROCESSING

    agency: Slug
    mode: ClockMode
    at: Instant | None = None
