"""The calendar that working time is counted by: the newest that processing stated, the packaged one before the first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from shared.calendar import CalendarDay, DayKind, DayStatus, WorkingCalendar, load_calendar, parse_hours
from shared.contracts.events import CalendarChanged


@dataclass(frozen=True, slots=True)
class Calendars:
    """The calendar of all agencies, and those of agencies with counter hours of their own; `revision` 0 is the packaged one."""

    common: WorkingCalendar = field(default_factory=load_calendar)
    agencies: Mapping[str, WorkingCalendar] = field(default_factory=dict)
    revision: int = 0

    @classmethod
    def stated(cls, event: CalendarChanged) -> Calendars:
        """As the fact has it."""
        days = tuple(
            CalendarDay(day.on, DayKind(day.kind.value), day.vi, day.en, DayStatus.VERIFIED, day.swap) for day in event.days
        )
        common = WorkingCalendar(days, parse_hours(event.hours))
        own = {each.agency: replace(common, hours=parse_hours(each.spans)) for each in event.agencies}
        return cls(common, own, event.revision)

    def of(self, agency: str | None) -> WorkingCalendar:
        """The calendar of an agency."""
        return self.agencies.get(agency, self.common) if agency else self.common

    def counts_like(self, other: Calendars) -> bool:
        """Whether working time is the same under both."""
        return _measure(self) == _measure(other)


def _measure(calendars: Calendars) -> object:
    days = {(day.on, day.kind) for day in calendars.common.days}
    return days, calendars.common.hours, {agency: each.hours for agency, each in calendars.agencies.items()}
