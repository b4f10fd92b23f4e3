"""Laws of the calendar that hold for every date, against an oracle that steps from day to day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.calendar import (
    ZONE,
    CalendarDay,
    DayKind,
    DayStatus,
    LimitError,
    LimitUnit,
    ReversedIntervalError,
    WorkingCalendar,
    load_calendar,
)

CALENDAR = load_calendar()
KINDS = {day.on: day.kind for day in CALENDAR.days}
SPANS = ((time(7), time(11, 30)), (time(13, 30), time(17)))

dates = st.dates(date(2019, 11, 1), date(2028, 3, 1))
counts = st.integers(1, 80)
instants = st.datetimes(datetime(2019, 11, 1), datetime(2028, 3, 1), timezones=st.sampled_from([UTC, ZONE]))  # noqa: DTZ001
day_units = st.sampled_from([LimitUnit.WORKING_DAYS, LimitUnit.CALENDAR_DAYS])


def works(on: date) -> bool:
    """The oracle's view of a day: the table, else the week."""
    kind = KINDS.get(on)
    return on.weekday() < 5 if kind is None else kind is DayKind.WORK


def stepped_due_date(accepted_on: date, count: int, unit: LimitUnit) -> date:
    """Step day by day from the day after acceptance."""
    on = accepted_on
    while count:
        on += timedelta(days=1)
        count -= unit is LimitUnit.CALENDAR_DAYS or works(on)
    while not works(on):
        on += timedelta(days=1)
    return on


def stepped_working_time(start_at: datetime, end_at: datetime) -> timedelta:
    """Cut every counter span of every day to the interval."""
    total, on = timedelta(), start_at.astimezone(ZONE).date()
    while on <= end_at.astimezone(ZONE).date():
        for opens, closes in SPANS if works(on) else ():
            begin = max(start_at, datetime.combine(on, opens, ZONE))
            end = min(end_at, datetime.combine(on, closes, ZONE))
            total += max(end - begin, timedelta())
        on += timedelta(days=1)
    return total


@given(dates)
def test_working_day_equals_the_table(on: date) -> None:
    assert CALENDAR.is_working_day(on) == works(on)


@given(dates, counts, day_units)
def test_due_date_equals_stepping_day_by_day(accepted_on: date, count: int, unit: LimitUnit) -> None:
    due = CALENDAR.due_date(accepted_on, count, unit)
    assert due == stepped_due_date(accepted_on, count, unit)
    assert CALENDAR.is_working_day(due)


@pytest.mark.parametrize("unit", [LimitUnit.WORKING_DAYS, LimitUnit.CALENDAR_DAYS])
def test_limit_of_one_day_equals_stepping_from_every_day_of_the_table(unit: LimitUnit) -> None:
    on = date(2019, 12, 1)
    while on.year < 2028:
        assert CALENDAR.due_date(on, 1, unit) == stepped_due_date(on, 1, unit)
        on += timedelta(days=1)


def test_working_day_begins_and_ends_with_the_counter_on_a_make_up_saturday() -> None:
    friday_close = datetime(2024, 5, 3, 17, tzinfo=ZONE)
    assert CALENDAR.add_working_seconds(friday_close, 1) == datetime(2024, 5, 4, 7, 0, 1, tzinfo=ZONE)
    assert CALENDAR.add_working_seconds(friday_close, 8 * 3600) == datetime(2024, 5, 4, 17, tzinfo=ZONE)


@given(dates, st.integers(0, 40), counts, st.integers(0, 9), day_units)
def test_due_date_never_falls_when_acceptance_or_limit_grows(
    accepted_on: date, later: int, count: int, longer: int, unit: LimitUnit
) -> None:
    due = CALENDAR.due_date(accepted_on, count, unit)
    assert due <= CALENDAR.due_date(accepted_on + timedelta(days=later), count, unit)
    assert due <= CALENDAR.due_date(accepted_on, count + longer, unit)


@given(dates, counts)
def test_working_limit_holds_exactly_its_count_of_working_days(accepted_on: date, count: int) -> None:
    due = CALENDAR.due_date(accepted_on, count, LimitUnit.WORKING_DAYS)
    assert CALENDAR.working_days_between(accepted_on, due) == count


@settings(max_examples=60)
@given(instants, st.timedeltas(timedelta(), timedelta(days=40)))
def test_working_time_equals_stepping_span_by_span(start_at: datetime, length: timedelta) -> None:
    end_at = start_at.astimezone(UTC) + length
    expected = stepped_working_time(start_at, end_at)
    assert timedelta(microseconds=CALENDAR.working_microseconds(start_at, end_at)) == expected
    assert CALENDAR.working_seconds(start_at, end_at) == expected.total_seconds()


@given(st.lists(instants, min_size=3, max_size=3).map(sorted))
def test_working_time_of_two_parts_is_that_of_the_whole(moments: list[datetime]) -> None:
    first, middle, last = moments
    whole = CALENDAR.working_microseconds(first, last)
    parts = CALENDAR.working_microseconds(first, middle) + CALENDAR.working_microseconds(middle, last)
    assert whole == parts


@given(instants, st.integers(0, 10**13))
def test_adding_working_time_is_the_earliest_inverse(start_at: datetime, microseconds: int) -> None:
    seconds = microseconds / 1_000_000
    end_at = CALENDAR.add_working_seconds(start_at, seconds)
    assert end_at >= start_at
    assert CALENDAR.working_microseconds(start_at, end_at) == microseconds
    if end_at > start_at:
        just_before = end_at.astimezone(UTC) - timedelta(microseconds=1)
        assert CALENDAR.working_microseconds(start_at, just_before) == microseconds - 1


@settings(max_examples=60)
@given(st.sets(st.dates(date(2020, 1, 1), date(2020, 2, 29)), max_size=40))
def test_any_table_counts_like_stepping(exceptions: set[date]) -> None:
    days = tuple(
        CalendarDay(on, DayKind.WORK if on.weekday() > 4 else DayKind.OFF, "", "", DayStatus.LIBRARY) for on in exceptions
    )
    calendar, count, eve = WorkingCalendar(days), 0, date(2019, 12, 31)
    for step in range(1, 80):
        on = eve + timedelta(days=step)
        if (on.weekday() < 5) != (on in exceptions):
            count += 1
            assert calendar.due_date(eve, count, LimitUnit.WORKING_DAYS) == on


def test_whole_working_day_is_eight_hours_and_a_night_is_nothing() -> None:
    monday, tuesday = datetime(2020, 3, 2, tzinfo=ZONE), datetime(2020, 3, 3, tzinfo=ZONE)
    assert CALENDAR.working_seconds(monday, tuesday) == 8 * 3600
    assert CALENDAR.working_seconds(monday.replace(hour=17), tuesday.replace(hour=7)) == 0
    assert CALENDAR.working_seconds(monday.replace(hour=11), monday.replace(hour=14)) == 3600


def test_interval_that_ends_before_it_starts_is_refused() -> None:
    early, late = datetime(2020, 3, 2, 1, tzinfo=ZONE), datetime(2020, 3, 2, 2, tzinfo=ZONE)
    assert CALENDAR.working_seconds(early, early) == 0
    with pytest.raises(ReversedIntervalError, match="before it starts"):
        CALENDAR.working_seconds(late, early)


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf"), 1e12])
def test_working_time_that_cannot_be_added_is_refused(seconds: float) -> None:
    with pytest.raises(LimitError, match="year 9999"):
        CALENDAR.add_working_seconds(datetime(2020, 3, 2, 1, tzinfo=ZONE), seconds)
