"""The facts that time itself makes: due soon, overdue, and escalations. Pure: what is due follows from the case alone.

Nothing is scheduled in memory. `next_timer` says when a case must be looked at again, `pass_time` what is to be stated by then.
A fact is stated once for a deadline: `Case.raised` remembers it, under the case's lock and in the fact's own transaction.

Overdue begins at 00:00 after the due date, and so does every time that is counted in days (Civil Code 2015, art. 148.6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple, Protocol

from services.processing.domain.acts import about, resolution
from services.processing.domain.case import Case, changed
from services.processing.domain.effects import EFFECTS
from services.processing.domain.escalation import Escalation, Late
from services.processing.domain.limits import hand_over_by, refusable_until, version_of
from shared.calendar import LimitError, LimitUnit, WorkingCalendar, local_date
from shared.catalogue import Catalogue
from shared.contracts.events import CaseDueSoon, CaseEscalated, CaseEvent, CaseOverdue, DueDateRecalculated
from shared.contracts.words import Kind, Origin, Outcome, Status

DAY: Final = timedelta(days=1)
SECOND: Final = timedelta(seconds=1)
MIDNIGHT: Final = datetime(2000, 1, 1, tzinfo=UTC) - timedelta(hours=7)
"""Some midnight in Viet Nam, from which all others are whole days away."""
NEVER: Final = datetime.max.replace(tzinfo=UTC)
"""When a deadline has passed that lies at the end of all dates."""
IMPORTED: Final = Origin.IMPORT.value
REPLAYED: Final = Origin.REPLAY.value
DUE_SOON: Final = "due_soon"
SILENCE: Final = "silence"

OF_TIME: Final = frozenset({CaseDueSoon, CaseOverdue, CaseEscalated, DueDateRecalculated})
"""Facts that do not move the time of the last fact: a command that happened before one and came after it is still in order."""


class TimerRules(Protocol):
    """What timers rest on."""

    @property
    def calendar(self) -> WorkingCalendar:
        """Working days."""
        ...

    @property
    def catalogue(self) -> Catalogue:
        """Which procedures are approved by silence."""
        ...

    @property
    def escalation(self) -> Escalation:
        """Who is told when."""
        ...


Passed = tuple[CaseEvent, datetime]
"""A fact that time made, and when."""


class Due(NamedTuple):
    """One fact of time: when it comes, which it is, and the deadline that it is about. `level` and `to` of an escalation."""

    at: datetime
    name: str
    deadline: datetime
    level: int = 0
    to: str | None = None


def next_timer(case: Case, rules: TimerRules) -> datetime | None:
    """When time makes the next fact of a case; None when it makes none."""
    due = _next(case, rules)
    return None if due is None else due.at


def due_facts(case: Case, until: datetime, rules: TimerRules) -> list[Passed]:
    """What time has made of a case up to a moment, in order, each with its own time."""
    return pass_time(case, until, rules)[1]


def pass_time(case: Case, until: datetime, rules: TimerRules) -> tuple[Case, list[Passed]]:
    """The case at a moment when nothing but time has passed, and the facts that time made."""
    facts: list[Passed] = []
    while True:
        due = _next(case, rules)
        if due is None or due.at > until:
            return case, facts
        event, at = _event(case, due, rules), due.at.astimezone(UTC)
        facts.append((event, at))
        changes = EFFECTS[type(event)](case, event, at)
        if type(event) not in OF_TIME:
            changes["last_fact_at"] = at
        case = changed(case, changes)


# --- which fact is next --------------------------------------------------------------------------------


def _next(case: Case, rules: TimerRules) -> Due | None:
    """The earliest fact of time. What had passed while it could not be said comes with the case's last fact, not before."""
    watch = WATCHES.get(case.status)
    if watch is None or case.origin == IMPORTED:
        return None
    due = watch(case, rules)
    if due is None or case.last_fact_at is None or due.at >= case.last_fact_at:
        return due
    return due._replace(at=case.last_fact_at)


def _registered(case: Case, rules: TimerRules) -> Due | None:
    """Filed: feedback is accepted or refused in time."""
    refuse_by = refusable_until(case, rules.catalogue.of(case.agency), rules.calendar)
    return None if refuse_by is None else _chain(case, rules, Late.UNDECIDED, refuse_by, by_date=True)


def _running(case: Case, rules: TimerRules) -> Due | None:
    """In process: the due date, a unit to work on it, the answer of another agency or unit."""
    due = _due_date(case, rules) if case.due_at is not None else None
    if case.unit is None and case.holder is None and case.accepted_at is not None:
        due = _earlier(due, _unassigned(case, case.accepted_at, rules))
    if case.answer_by is not None:
        due = _earlier(due, _chain(case, rules, Late.ANSWER_LATE, case.answer_by))
    return due


def _unassigned(case: Case, accepted_at: datetime, rules: TimerRules) -> Due | None:
    """Nobody works on it: a dossier to the minute (art. 18), feedback by the days in which it is forwarded."""
    version = version_of(case, accepted_at, rules.catalogue.of(case.agency)) if case.kind == Kind.FEEDBACK else None
    within = version.forward_within if version else None
    deadline = hand_over_by(accepted_at, rules.calendar, within)
    return _chain(case, rules, Late.UNASSIGNED, deadline, by_date=within is not None)


def _due_date(case: Case, rules: TimerRules) -> Due | None:
    """Due soon on the due date, overdue after it, then level by level; silence may be the answer instead.

    Work that begins again after the due date finds the case late at once, and not due soon. Nor has anybody been silent then:
    the clock stood still when the limit ended, or somebody works on a wrong result again (art. 21).
    """
    due_at: datetime = case.due_at  # type: ignore[assignment]
    begins = due_at - (due_at - MIDNIGHT) % DAY
    on_time = case.last_fact_at is None or case.last_fact_at < begins + DAY
    if on_time and not _is_raised(case, DUE_SOON):
        return Due(begins, DUE_SOON, due_at)
    if on_time and _is_silence_approval(case, rules):
        return Due(begins + DAY - SECOND, SILENCE, due_at)
    if not _is_raised(case, Late.OVERDUE):
        return Due(begins + DAY, Late.OVERDUE, due_at)
    return _chain(case, rules, Late.OVERDUE, due_at, by_date=True)


def _waiting_for(late: Late) -> Callable[[Case, TimerRules], Due | None]:
    """The clock stands still: only the applicant's own deadline passes."""

    def watch(case: Case, rules: TimerRules) -> Due | None:
        return None if case.until is None else _chain(case, rules, late, case.until, by_date=True)

    return watch


def _resolved(case: Case, rules: TimerRules) -> Due | None:
    """The result is there: it must reach the applicant. A task has none, and silence leaves nothing to hand over."""
    due = _with_duty(case, rules)
    if case.kind == Kind.TASK or case.outcome == Outcome.NO_OBJECTION or case.resolved_at is None:
        return due
    last = rules.calendar.due_date(local_date(case.resolved_at), rules.escalation.undelivered_after, LimitUnit.WORKING_DAYS)
    return _earlier(due, _chain(case, rules, Late.UNDELIVERED, _end_of(last) - SECOND, by_date=True))


def _with_duty(case: Case, rules: TimerRules) -> Due | None:
    """A duty that follows the result, such as its publication; the record of a past year tells of none."""
    if case.duty is None or case.duty_by is None or case.origin == REPLAYED:
        return None
    return _chain(case, rules, Late.DUTY_LATE, case.duty_by, by_date=True)


WATCHES: Final[Mapping[int | None, Callable[[Case, TimerRules], Due | None]]] = {
    Status.REGISTERED: _registered,
    Status.ACCEPTED: _running,
    Status.IN_PROCESS: _running,
    Status.SUPPLEMENT_REQUESTED: _waiting_for(Late.SUPPLEMENT_TIMEOUT),
    Status.PAYMENT_REQUESTED: _waiting_for(Late.PAYMENT_TIMEOUT),
    Status.RESOLVED: _resolved,
    Status.RETURNED: _with_duty,
}
"""Status → what time may bring; in every other status nothing."""


def _chain(case: Case, rules: TimerRules, late: Late, deadline: datetime, *, by_date: bool = False) -> Due | None:
    """The first level that was not told of this deadline. One that is counted by date passes with the end of its day."""
    levels = rules.escalation.chains[late]
    number = 0 if case.raised is None else _told(case.raised, late, len(levels))
    if number == len(levels):
        return None
    level = levels[number]
    at = _after(deadline, level.after_working_days, rules.calendar, by_date=by_date)
    return Due(at, late, deadline, number + 1, level.to)


def _told(raised: str, late: Late, levels: int) -> int:
    """How many levels were told, without a gap: one that was told by hand leaves out none below it."""
    said = raised.split(" ")
    return next((number for number in range(levels) if f"{late.value}.{number + 1}" not in said), levels)


def _after(deadline: datetime, working_days: int, days: WorkingCalendar, *, by_date: bool) -> datetime:
    """The moment when a deadline has passed, and so many working days more."""
    try:
        if by_date:
            last = local_date(deadline)
            return _end_of(days.due_date(last, working_days, LimitUnit.WORKING_DAYS) if working_days else last)
        return days.add_working_seconds(deadline, working_days * days.hours.seconds_per_day) if working_days else deadline
    except LimitError:
        return NEVER


def _end_of(day: date) -> datetime:
    """24:00 of a local date."""
    return MIDNIGHT + timedelta(days=day.toordinal() - _ORDINAL + 1)


_ORDINAL: Final = local_date(MIDNIGHT).toordinal()


def _earlier(one: Due | None, other: Due | None) -> Due | None:
    if one is None or other is None:
        return one or other
    return other if other.at < one.at else one


def _is_silence_approval(case: Case, rules: TimerRules) -> bool:
    """Whether the version in force at the acceptance lets silence be the answer (Labour Code 2019, art. 119-121).

    How a case of a past year ended is in its record, and silence does not overrule it.
    """
    if case.procedure_version is None or case.due_at is None or case.origin == REPLAYED:
        return False
    version = version_of(case, case.due_at, rules.catalogue.of(case.agency))
    return version is not None and version.silent_approval


def _is_raised(case: Case, name: str) -> bool:
    """Whether the fact was stated for the present deadline: a new one takes its facts out of `raised`."""
    return case.raised is not None and name in case.raised.split(" ")


# --- what it says --------------------------------------------------------------------------------------


def _event(case: Case, due: Due, rules: TimerRules) -> CaseEvent:
    if due.name == DUE_SOON:
        return CaseDueSoon(**about(case), due_at=due.deadline)
    if due.name == SILENCE:
        return resolution(case, Outcome.NO_OBJECTION, due.at, rules.calendar, rules.catalogue.of(case.agency))
    if due.level == 0:
        return CaseOverdue(**about(case), due_at=due.deadline)
    return CaseEscalated(**about(case), due_at=due.deadline, level=due.level, reason=due.name, to=due.to)
