"""The time limits that a case gets at its acceptance, and the due dates they make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared import calendar, catalogue
from shared.calendar import WorkingCalendar, local_date
from shared.catalogue import Catalogue
from shared.contracts.events import Limit

OTHER_FIELD: Final = "other"


@dataclass(frozen=True, slots=True)
class CaseLimits:
    """Field, version and limits in force, with their ends; None is unknown, and no law is invented."""

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
        return CaseLimits()
    version = known.version_at(procedure, local_date(accepted_at))
    if version is None:
        return CaseLimits(field=known.field_of(procedure))
    return CaseLimits(
        field=known.field_of(procedure),
        version=version.version,
        committed=_stated(version.committed),
        statutory=_stated(version.statutory),
        due_at=_end(version.due_limit, accepted_at, days),
        statutory_due_at=_end(version.statutory, accepted_at, days),
    )


def _stated(limit: catalogue.Limit | None) -> Limit | None:
    """The catalogue's limit as an event states it."""
    return Limit(count=limit.count, unit=limit.unit.value) if limit else None


def _end(limit: calendar.Limit | None, accepted_at: datetime, days: WorkingCalendar) -> datetime | None:
    return days.due_at(accepted_at, limit) if limit else None
