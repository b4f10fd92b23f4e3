"""What forbids a command: first what is wrong with it whatever it asks, then the rules of law of its own kind.

A guard gives the refusal, or None when the command may pass. The status from which a command is legal is no guard: it is
the table `machine.MOVES`.
"""

from __future__ import annotations

from datetime import datetime

from services.processing.domain.case import Case
from services.processing.domain.context import CLOCK_TOLERANCE, COMMAND_LIFE, Context, Rejected
from services.processing.domain.limits import version_of
from shared.calendar import LimitUnit, TimeLimit, WorkingCalendar, local_date
from shared.catalogue import LimitVersion
from shared.contracts import commands as ask
from shared.contracts.commands import Command
from shared.contracts.words import Kind, Origin, Outcome, Rejection, Status, StopKind

SUPPLEMENT_WITHIN = TimeLimit(3, LimitUnit.WORKING_DAYS)
"""After acceptance, unless sector law says otherwise (Decree 61/2018/NĐ-CP, art. 19.4)."""
NEVER_ACCEPTED = "it was never accepted"
OF_HOLDER = frozenset({ask.CompleteStep, ask.Forward, ask.RecordCause, ask.ReachMilestone})
"""What the agency that works on another one's case may ask for; the receiving unit keeps everything else (art. 19.7)."""


STAYS_TRUE = frozenset({ask.RecordContact, ask.Rate, ask.Link})
"""What a citizen said, and that two cases belong together, stays true whatever has happened to the case meanwhile."""


def fault_of(case: Case, command: Command, context: Context, *, known: bool) -> Rejected | None:
    """What forbids any command, the first that holds: who asks and when it was written down, then when it happens."""
    if case.status is None:
        return Rejected(Rejection.UNKNOWN_CASE)
    if context.now - context.recorded_at > COMMAND_LIFE:
        return Rejected(Rejection.EXPIRED)
    if context.agency != case.agency and not (context.agency == case.holder and type(command) in OF_HOLDER):
        return Rejected(Rejection.WRONG_AGENCY)
    if not known:
        return Rejected(Rejection.NOT_SUPPORTED)
    return _wrong_time(case, command, context)


def _wrong_time(case: Case, command: Command, context: Context) -> Rejected | None:
    at = context.occurred_at
    if at - context.now > CLOCK_TOLERANCE:
        return Rejected(Rejection.IN_THE_FUTURE)
    if context.origin is Origin.LIVE and context.recorded_at - at > CLOCK_TOLERANCE:
        return Rejected(Rejection.PAST_NOT_ALLOWED)
    if case.last_fact_at is not None and at < case.last_fact_at and type(command) not in STAYS_TRUE:
        return Rejected(Rejection.OUT_OF_ORDER)
    return None


def illegal(case: Case, detail: str | None = None) -> Rejected:
    """The case's status forbids it."""
    return Rejected(Rejection.ILLEGAL_TRANSITION, detail or f"from {case.status or 0:d}")


def is_new(case: Case, _command: Command, _context: Context) -> Rejected | None:
    """A case is accepted once."""
    return illegal(case) if case.accepted_at is not None else None


def is_complete(case: Case, command: ask.Accept, context: Context) -> Rejected | None:
    """Only a complete dossier is accepted (Decree 61/2018/NĐ-CP, art. 17.1); what another system did, it did."""
    if case.missing is None or context.origin is not Origin.LIVE:
        return None
    missing = [each for each in case.missing.split() if each not in command.documents]
    return Rejected(Rejection.DOCUMENTS_MISSING, " ".join(missing)[:200]) if missing else None


def has_own_deadline(case: Case, command: ask.Accept, context: Context) -> Rejected | None:
    """Only a task is given its deadline; that of a dossier or of feedback is counted."""
    if command.due_at is None:
        return None
    if case.kind != Kind.TASK:
        return Rejected(Rejection.NOT_SUPPORTED, "only a task brings its own due date")
    return is_later(command.due_at, context.occurred_at)


def is_later(deadline: datetime | None, at: datetime) -> Rejected | None:
    """A deadline lies ahead."""
    return Rejected(Rejection.NOT_LATER) if deadline is not None and deadline <= at else None


def was_accepted(case: Case, _command: Command, _context: Context) -> Rejected | None:
    """Work starts with the acceptance: without it there is no code and no due date to go back to."""
    if case.accepted_at is not None:
        return None
    return illegal(case, "accept the completed dossier" if case.status == Status.SUPPLEMENT_REQUESTED else NEVER_ACCEPTED)


def is_first_supplement(case: Case, _command: Command, context: Context) -> Rejected | None:
    """At most one request for completion (Decree 61/2018/NĐ-CP, art. 11.2.c); an import's second is flagged instead."""
    used = case.supplements and context.origin is not Origin.IMPORT
    return Rejected(Rejection.SUPPLEMENT_USED) if used else None


def is_supplement_in_time(case: Case, _command: Command, context: Context) -> Rejected | None:
    """Within three working days of acceptance, or what sector law says (art. 19.4); an import's later one is flagged."""
    late = context.origin is not Origin.IMPORT and is_supplement_late(case, context)
    return Rejected(Rejection.SUPPLEMENT_TOO_LATE) if late else None


def is_supplement_late(case: Case, context: Context) -> bool:
    """Whether the time has passed in which completion may be asked for; before the acceptance it has not begun."""
    if case.accepted_at is None:
        return False
    version = version_of(case, context.occurred_at, context.catalogue)
    return _is_after(case.accepted_at, version, context.occurred_at, context.calendar)


def _is_after(accepted_at: datetime, version: LimitVersion | None, at: datetime, days: WorkingCalendar) -> bool:
    within = version.supplement.within if version else SUPPLEMENT_WITHIN
    if within is None:
        return False
    ends_at = days.due_at(accepted_at, within)
    return at > ends_at if within.unit is LimitUnit.HOURS else days.is_overdue(local_date(ends_at), at)


def is_asked_amount(case: Case, command: ask.ReceivePayment, _context: Context) -> Rejected | None:
    """What was asked for is what is paid."""
    return Rejected(Rejection.WRONG_AMOUNT) if command.amount_vnd != case.payment_vnd else None


def is_first_extension(case: Case, _command: Command, _context: Context) -> Rejected | None:
    """A new appointment is made once at most (Decree 61/2018/NĐ-CP, art. 19.9)."""
    return Rejected(Rejection.EXTENSION_USED) if case.extensions else None


def has_due_date(case: Case, _command: Command, _context: Context) -> Rejected | None:
    """What has no due date cannot be late and has none to move."""
    return Rejected(Rejection.NO_DUE_DATE) if case.due_at is None else None


def is_later_day(case: Case, command: ask.Extend, context: Context) -> Rejected | None:
    """A new appointment is on a later day than the old one, and not over already; what another system promised, it promised."""
    new_on = local_date(command.new_due_at)
    over = context.origin is not Origin.IMPORT and new_on < local_date(context.occurred_at)
    return Rejected(Rejection.NOT_LATER) if over or (case.due_at and new_on <= local_date(case.due_at)) else None


def is_undecided(case: Case, _command: Command, _context: Context) -> Rejected | None:
    """A dossier may be taken back until a decision exists (Circular 03/2025/TT-VPCP, art. 7)."""
    return Rejected(Rejection.DECISION_EXISTS) if case.status in {Status.RESOLVED, Status.RETURNED} else None


def is_stop_of_its_kind(case: Case, command: ask.Stop, _context: Context) -> Rejected | None:
    """A withdrawal is confirmed after it was asked for; nothing else ends it, and a case that never ran is not suspended."""
    asked = case.status == Status.WITHDRAWAL_REQUESTED
    if asked != (command.stop_kind is StopKind.WITHDRAWN):
        return illegal(case)
    return illegal(case, NEVER_ACCEPTED) if command.stop_kind is StopKind.SUSPENDED and case.accepted_at is None else None


def has_reason(_case: Case, command: ask.Resolve, _context: Context) -> Rejected | None:
    """A refusal says why (Decree 61/2018/NĐ-CP, art. 19.8)."""
    unfounded = command.outcome is Outcome.REFUSED and command.reason is None
    return Rejected(Rejection.REASON_MISSING) if unfounded else None


def is_work(case: Case, command: ask.CompleteStep, _context: Context) -> Rejected | None:
    """After the result nothing is left to do but the duty that follows it."""
    ended = case.status in {Status.RESOLVED, Status.RETURNED}
    return illegal(case) if ended and command.step != case.duty else None


def is_task(case: Case, _command: Command, _context: Context) -> Rejected | None:
    """Milestones are a task's."""
    return Rejected(Rejection.NOT_SUPPORTED, "only a task has milestones") if case.kind != Kind.TASK else None


def has_applicant(case: Case, _command: ask.Rate, _context: Context) -> Rejected | None:
    """A task has nobody to be content."""
    return Rejected(Rejection.NOT_SUPPORTED, "a task has no applicant") if case.kind == Kind.TASK else None


def has_until_ahead(_case: Case, command: ask.RequestSupplement | ask.RequestPayment, context: Context) -> Rejected | None:
    """The citizen is given time."""
    return is_later(command.until, context.occurred_at)
