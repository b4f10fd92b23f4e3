"""The calendar that an administrator edits: exceptional days and counter hours. An edit gives a new one, checked as a whole.

An exchange of working days (a Saturday worked for a day off) is always two days; a year of which nothing is said has its
weekends only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType

from shared.calendar import CalendarDay, CounterHours, DayKind, WorkingCalendar, pair_faults
from shared.contracts.events import CITY, AgencyHours, CalendarChanged, ExceptionalDay
from shared.contracts.words import DayKind as StatedKind

MAKE_UP = "Làm bù cho {}", "Make-up working day for {}"
GIVEN = "Nghỉ hoán đổi (làm bù {})", "Day off in exchange for {}"
"""Names of the other day of an exchange, where nobody names it."""


class UnfitCalendarError(ValueError):
    """An edit that would leave a table that breaks a rule; `faults` are dates and sentences."""

    def __init__(self, faults: Sequence[tuple[date, str]]) -> None:
        super().__init__("; ".join(rule for _, rule in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Almanac:
    """Everything that working time is counted by; `revision` is the number of its last change."""

    days: tuple[CalendarDay, ...] = ()
    hours: CounterHours = field(default_factory=CounterHours)
    agencies: Mapping[str, CounterHours] = field(default_factory=lambda: MappingProxyType({}))
    revision: int = 0

    def calendar(self, agency: str | None = None) -> WorkingCalendar:
        """The calendar of an agency, or that of all without hours of their own."""
        return WorkingCalendar(self.days, self.agencies.get(agency, self.hours) if agency else self.hours)

    def says_the_same(self, other: Almanac) -> bool:
        """Whether an edit changed nothing."""
        return replace(self, revision=other.revision) == other

    def with_years(self, days: Iterable[CalendarDay]) -> Almanac:
        """These days instead of all days of their years; raises UnfitCalendarError."""
        new = tuple(days)
        years = {day.on.year for day in new}
        return self._of([day for day in self.days if day.on.year not in years] + list(new))

    def with_day(self, day: CalendarDay) -> Almanac:
        """This day instead of what was there, and the other day of its exchange with it; raises UnfitCalendarError."""
        known = {each.on: each for each in self._without(day.on)}
        known[day.on] = day
        if day.swap is not None:
            before = next((each for each in self.days if each.on == day.swap), None)
            if before is not None and before.swap not in {None, day.on}:
                raise UnfitCalendarError([(day.on, f"{day.swap} is already swapped with {before.swap}")])
            known[day.swap] = _other(day, day.swap, before)
        return self._of(known.values())

    def without_day(self, on: date) -> Almanac:
        """A plain day again, and the other day of its exchange with it."""
        return self._of(self._without(on))

    def with_hours(self, agency: str | None, hours: CounterHours | None) -> Almanac:
        """Counter hours of an agency, None for those of all without their own; hours None: an agency's own no more."""
        if agency is None:
            return replace(self, hours=hours or CounterHours())
        others = {name: each for name, each in self.agencies.items() if name != agency}
        return replace(self, agencies=MappingProxyType(others | ({agency: hours} if hours else {})))

    def stated(self) -> CalendarChanged:
        """The fact that states it."""
        days = tuple(
            ExceptionalDay(on=day.on, kind=StatedKind(day.kind.value), vi=day.name_vi, en=day.name_en, swap=day.swap)
            for day in self.days
        )
        agencies = tuple(AgencyHours(agency=name, spans=hours.texts) for name, hours in sorted(self.agencies.items()))
        return CalendarChanged(agency=CITY, revision=self.revision, days=days, hours=self.hours.texts, agencies=agencies)

    def _without(self, on: date) -> list[CalendarDay]:
        return [day for day in self.days if on not in {day.on, day.swap}]

    def _of(self, days: Iterable[CalendarDay]) -> Almanac:
        made = tuple(sorted(days, key=lambda day: day.on))
        faults = pair_faults(made)
        if faults:
            raise UnfitCalendarError(faults)
        return replace(self, days=made)


def _other(day: CalendarDay, on: date, before: CalendarDay | None) -> CalendarDay:
    """The other day of an exchange; one that was it already keeps its names."""
    kind = DayKind.OFF if day.kind is DayKind.WORK else DayKind.WORK
    if before is not None and before.swap == day.on and before.kind is kind:
        return replace(before, status=day.status)
    vi, en = GIVEN if kind is DayKind.OFF else MAKE_UP
    return CalendarDay(on, kind, vi.format(f"{day.on:%d/%m/%Y}"), en.format(day.on), day.status, day.on)
