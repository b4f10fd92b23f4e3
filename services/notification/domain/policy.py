"""Which facts are told to the applicant, with what, and which law makes the message mandatory.

Every event type is decided here: it has a notice, or a reason why nobody is told. Articles without a name are those of
Decree 61/2018/NĐ-CP.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from services.notification.domain.case import Case
from shared.calendar import local_date
from shared.contracts.events import (
    EVENTS,
    CaseAccepted,
    CaseCorrected,
    CaseEvent,
    CaseForwarded,
    CaseSubmitted,
    DueDateRecalculated,
)
from shared.contracts.words import Kind, Origin, Status

APPLICANT = "applicant"

Particulars = dict[str, str | int | None]
"""What a message states, as plain values: the case after the fact, and the fact's own fields. Nothing personal."""


@dataclass(frozen=True, slots=True)
class Notice:
    """How one fact is told: the template, the fields of the fact that it states, and the law behind it."""

    template: str
    states: tuple[str, ...] = ()
    basis: str | None = None

    @property
    def mandatory(self) -> bool:
        """Whether the law orders the message."""
        return self.basis is not None


NOTICES: dict[str, Notice] = {
    "case.accepted": Notice("accepted", basis="art. 17.3"),
    "case.refused": Notice("refused", ("reason",), basis="art. 17.1.b"),
    "case.forwarded": Notice("forwarded", ("to_agency",)),
    "case.supplement_requested": Notice("supplement_requested", ("reason", "until"), basis="art. 17.2.a and 19.4"),
    "case.supplement_received": Notice("supplement_received"),
    "case.payment_requested": Notice("payment_requested", ("amount_vnd", "until")),
    "case.payment_received": Notice("payment_received"),
    "case.extended": Notice("extended", ("old_due_at", "new_due_at", "reason"), basis="art. 19.9"),
    "case.due_date_recalculated": Notice("due_date_recalculated", ("old_due_at", "new_due_at")),
    "case.withdrawal_requested": Notice("withdrawal_requested"),
    "case.stopped": Notice("stopped", ("stop_kind", "reason"), basis="Circular 03/2025/TT-VPCP, art. 7"),
    "case.resumed": Notice("resumed"),
    "case.resolved": Notice(
        "resolved", ("outcome", "timeliness", "reason"), basis="art. 19.8 and 20.4; Decision 45/2016/QĐ-TTg, art. 8.4"
    ),
    "case.returned": Notice("returned", ("channel",)),
    "case.reopened": Notice("reopened"),
    "case.corrected": Notice("corrected"),
}

QUIET: dict[str, str] = {
    "case.submitted": "the channel itself answers whoever files a case; the message comes with the acceptance",
    "case.step_completed": "internal to the office",
    "case.due_soon": "a reminder for the office",
    "case.overdue": "a reminder for the office; the applicant gets the apology of the extension",
    "case.escalated": "internal to the office",
    "case.cause_recorded": "internal to the office",
    "case.milestone_reached": "the progress of a task, which has no applicant",
    "case.linked": "internal to the office",
    "case.contact_recorded": "the citizen has just spoken with the call centre",
    "case.rated": "the citizen has just said it",
    "case.duplicate_suspected": "a hint for the officer, who decides",
    "case.command_rejected": "an answer to the sender of a command",
    "notification.sent": "about a message",
    "notification.delivered": "about a message",
    "notification.failed": "about a message",
    "notification.undeliverable": "about a message",
    "hotline.call_ended": "about a call, not a case",
    "feed.reported": "about a feed, not a case",
    "feed.observed": "about a feed, not a case",
    "agency.clock_set": "about an agency, not a case",
    "calendar.changed": "about the calendar, not a case",
}

HEARD = {name: EVENTS[name] for name in (CaseSubmitted.type, *NOTICES)}
"""The event types that the service takes: those it tells about, and the submission, which fixes the lane."""


def notice_for(event: CaseEvent, origin: Origin, before: Case | None = None) -> Notice | None:
    """The notice about a fact, or None when nobody is told; `before` is the case as it was.

    An imported log notifies nobody (its citizens were told long ago). A task has no applicant. A case that moves inside
    its agency is the agency's own affair. Of an appointment that was counted again only another day is news, and of a
    correction of the books nothing else.
    """
    if origin is Origin.IMPORT or event.kind is Kind.TASK:
        return None
    if isinstance(event, CaseForwarded) and event.to_agency in (None, event.agency):
        return None
    if isinstance(event, DueDateRecalculated) and not _is_news(event):
        return None
    if isinstance(event, CaseCorrected) and not _moves_appointment(event, before or Case()):
        return None
    return NOTICES.get(event.type)


def _moves_appointment(event: CaseCorrected, before: Case) -> bool:
    """Whether the true moment of acceptance gives a case that is still worked on another day."""
    corrects = event.corrected == CaseAccepted.type and event.occurred_at is not None
    ended = before.status in (Status.RESOLVED, Status.RETURNED)
    return corrects and not ended and _day(event.due_at) != _day(before.due_at)


def _is_news(event: DueDateRecalculated) -> bool:
    """Whether the calendar gave the appointment another day. What follows from a standstill is told with the result."""
    return event.reason != "clock_stopped" and _day(event.old_due_at) != _day(event.new_due_at)


def _day(at: datetime | None) -> date | None:
    return local_date(at) if at else None


def particulars(notice: Notice, case: Case, event: CaseEvent) -> Particulars:
    """What the message will state, taken down now: the case may be further on when the message is written."""
    stated: Particulars = {"code": case.code, "due_at": _plain(case.due_at), "status": case.status}
    return stated | {name: _plain(getattr(event, name)) for name in notice.states}


def _plain(value: object) -> str | int | None:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or isinstance(value, (int, str)):
        return value
    raise TypeError(f"a message cannot state a {type(value).__name__}")
