"""The calendar that metrics measures by is what processing stated, to the second."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from services.metrics.domain.calendars import Calendars
from services.processing.domain.almanac import Almanac
from shared.calendar import ZONE, CalendarDay, DayKind, DayStatus, load_calendar, parse_hours
from shared.contracts.events import CalendarChanged
from tests.support.lives import moment

PACKAGED = Almanac(load_calendar().days, revision=1)
HOLIDAY = CalendarDay(date(2020, 3, 3), DayKind.OFF, "Nghỉ", "Off", DayStatus.VERIFIED)
START, END = moment("2020-03-02 08:00"), moment("2020-03-04 08:00")


def stated(almanac: Almanac) -> Calendars:
    """As it travels."""
    return Calendars.stated(CalendarChanged.model_validate_json(almanac.stated().model_dump_json()))


def hours(calendars: Calendars, agency: str) -> float:
    return calendars.of(agency).working_seconds(START.astimezone(ZONE), END) / 3600


def test_without_a_fact_the_packaged_calendar_is_in_force() -> None:
    assert Calendars().counts_like(stated(PACKAGED))
    assert (Calendars().revision, stated(PACKAGED).revision) == (0, 1)
    assert hours(Calendars(), "a") == 16


def test_days_and_hours_are_those_that_were_stated() -> None:
    changed = stated(PACKAGED.with_day(HOLIDAY).with_hours("early", parse_hours(["08:00-12:00"])))
    assert (hours(changed, "a"), hours(changed, "early")) == (8, 4)
    assert changed.of(None) is changed.common


def test_only_what_changes_working_time_is_another_calendar() -> None:
    named = replace(PACKAGED, days=(replace(PACKAGED.days[0], name_vi="Tết"), *PACKAGED.days[1:]))
    assert stated(named).counts_like(stated(PACKAGED))
    for other in (
        PACKAGED.with_day(HOLIDAY),
        PACKAGED.with_hours(None, parse_hours(["08:00-12:00"])),
        PACKAGED.with_hours("early", parse_hours(["08:00-12:00"])),
    ):
        assert not stated(other).counts_like(stated(PACKAGED))
