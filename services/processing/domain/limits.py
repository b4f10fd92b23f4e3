"""The time limits that a case gets at its acceptance, the due dates they make, and how a standstill moves these.

None is unknown: a case of a procedure without a known limit has no due date, and no law is invented.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from functools import lru_cache
from typing import Final, NamedTuple

from services.processing.domain.case import Case
from shared import calendar, catalogue
from shared.calendar import ZONE, LimitUnit, WorkingCalendar, local_date
from shared.catalogue import Catalogue, LimitVersion
from shared.contracts.events import Limit
from shared.contracts.words import Kind, Regime

OTHER_FIELD: Final = "other"
HAND_OVER_CLOSES: Final = time(15)
"""What is accepted before 15:00 is handed over on the same day (Decree 61/2018/NĐ-CP, art. 18)."""
HALF_DAYS: Final = 2

Due = tuple[datetime | None, datetime | None]
"""Two due dates: that of the committed limit, which is the appointment, and the law's own."""


class CaseLimits(NamedTuple):
    """Field, version and limits in force, with their ends, and when somebody has to work on the case."""

    hand_over_by: datetime
    field: str = OTHER_FIELD
    version: int | None = None
    committed: Limit | None = None
    statutory: Limit | None = None
    due_at: datetime | None = None
    statutory_due_at: datetime | None = None


def limits_of(procedure: str, accepted_at: datetime, known: Catalogue, days: WorkingCalendar) -> CaseLimits:
    """The limits of a procedure at the local date of acceptance.

    The committed limit makes the due date; where no shorter one is committed, the statutory limit does.
    """
    if procedure not in known:
        return CaseLimits(hand_over_by(accepted_at, days))
    version = known.version_at(procedure, local_date(accepted_at))
    if version is None:
        return CaseLimits(hand_over_by(accepted_at, days), field=known.field_of(procedure))
    due_at, statutory_due_at = count_from(accepted_at, version, days)
    return CaseLimits(
        hand_over_by(accepted_at, days, version.forward_within),
        field=known.field_of(procedure),
        version=version.version,
        committed=_stated(version.committed),
        statutory=_stated(version.statutory),
        due_at=due_at,
        statutory_due_at=statutory_due_at,
    )


def _stated(limit: catalogue.Limit | None) -> Limit | None:
    return _limit(limit.count, limit.unit.value) if limit else None


@lru_cache(maxsize=256)
def _limit(count: int, unit: str) -> Limit:
    """A limit as an event states it; there are few of them."""
    return Limit(count=count, unit=unit)


def version_of(case: Case, at: datetime, known: Catalogue) -> LimitVersion | None:
    """The version that the case keeps since its acceptance; before that, the one in force at this moment."""
    procedure = str(case.procedure)
    if case.procedure_version is not None:
        return known.version(procedure, case.procedure_version)
    return known.version_at(procedure, local_date(at)) if case.accepted_at is None and procedure in known else None


def missing_documents(procedure: str, filed_at: datetime, filed: Sequence[str], known: Catalogue) -> str | None:
    """Codes of the required documents that were not filed, with spaces between; None when there are none."""
    version = known.version_at(procedure, local_date(filed_at)) if procedure in known else None
    missing = None if version is None else version.missing(filed)
    return " ".join(document.code for document in missing) if missing else None


# --- counting --------------------------------------------------------------------------------------


def count_from(start_at: datetime, version: LimitVersion, days: WorkingCalendar) -> Due:
    """Both due dates, counted from the acceptance, or from the completion that restarted the clock."""
    due_at = _end(version.due_limit, start_at, days)
    same = version.statutory is version.due_limit
    return due_at, due_at if same else _end(version.statutory, start_at, days)


def _end(limit: calendar.Limit | None, start_at: datetime, days: WorkingCalendar) -> datetime | None:
    return days.due_at(start_at, limit) if limit else None


def regime_of(kind: str | None, version: LimitVersion | None) -> Regime:
    """What a supplement does to the limit: RESTART unless the procedure says otherwise (Decree 61/2018/NĐ-CP, art. 19.4).

    A task has a deadline of its own, which cannot be counted again from the start: it moves by the standstill.
    """
    if kind == Kind.TASK:
        return Regime.EXTEND
    return version.supplement.regime if version else Regime.RESTART


def supplemented(
    due: Due, regime: Regime, version: LimitVersion | None, stop: tuple[datetime, datetime], days: WorkingCalendar
) -> Due:
    """The due dates once the dossier is complete; those of an unknown limit stay as they are."""
    if regime is Regime.RESTART and version is not None and version.due_limit is not None:
        return count_from(stop[1], version, days)
    return moved(due, version, stop, days) if regime is Regime.EXTEND else due


def moved(due: Due, version: LimitVersion | None, stop: tuple[datetime, datetime], days: WorkingCalendar) -> Due:
    """The due dates after a standstill: later by as much of their own unit as it took."""
    committed = version.due_limit.unit if version and version.due_limit else LimitUnit.WORKING_DAYS
    statutory = version.statutory.unit if version and version.statutory else committed
    return later(due[0], committed, stop, days), later(due[1], statutory, stop, days)


def later(due_at: datetime | None, unit: LimitUnit, stop: tuple[datetime, datetime], days: WorkingCalendar) -> datetime | None:
    """Working days by working days, calendar days by calendar days and then to a working day, hours by elapsed time.

    What was late already when it stopped stays late; what was not is not late on the day when it goes on.
    """
    if due_at is None:
        return None
    if unit is LimitUnit.HOURS:
        return due_at if stop[0] > due_at else due_at + (stop[1] - stop[0])
    due_on, first, last = local_date(due_at), local_date(stop[0]), local_date(stop[1])
    if due_on < first or first == last:
        return due_at
    count = days.working_days_between(first, last) if unit is LimitUnit.WORKING_DAYS else (last - first).days
    moved_to = max(
        days.due_date(due_on, count, unit) if count else due_on, days.roll_forward(last) if due_on == first else due_on
    )
    return datetime.combine(moved_to, due_at.astimezone(ZONE).time(), tzinfo=ZONE)


def appointed(at: datetime, days: WorkingCalendar) -> datetime:
    """A moment, or the same hour of the next working day when nobody works on its day."""
    on = local_date(at)
    worked_on = days.roll_forward(on)
    return at if worked_on == on else datetime.combine(worked_on, at.astimezone(ZONE).time(), tzinfo=ZONE)


def refusable_until(case: Case, known: Catalogue, days: WorkingCalendar) -> datetime | None:
    """Until when a case that was filed is accepted or refused; None where its procedure sets no limit, as for dossiers."""
    if case.submitted_at is None or case.kind != Kind.FEEDBACK:
        return None
    version = version_of(case, case.submitted_at, known)
    return _end(version.refuse_within, case.submitted_at, days) if version else None


def hand_over_by(accepted_at: datetime, days: WorkingCalendar, within: calendar.Limit | None = None) -> datetime:
    """When the dossier has to be with who resolves it (Decree 61/2018/NĐ-CP, art. 18), or feedback by its limit for forwarding.

    On the same working day, by the close of the counter; from 15:00 on, and on days off, at the start of the next one.
    """
    if within is not None:
        return days.due_at(accepted_at, within)
    local = accepted_at.astimezone(ZONE)
    if local.time() < HAND_OVER_CLOSES and days.is_working_day(local.date()):
        return datetime.combine(local.date(), days.hours.closes_at, tzinfo=ZONE)
    following = days.due_date(local.date(), 1, LimitUnit.WORKING_DAYS)
    return datetime.combine(following, days.hours.opens_at, tzinfo=ZONE)


def share_ends_at(start_at: datetime, half_days: int, days: WorkingCalendar) -> datetime:
    """When a share of the time limit has passed in working time: four hours to a half day of the usual counter."""
    return days.add_working_seconds(start_at, half_days * days.hours.seconds_per_day / HALF_DAYS)
