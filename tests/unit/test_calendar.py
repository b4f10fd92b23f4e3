"""Due dates and timeliness: the worked examples, the years, the borders of a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest

from shared.calendar import (
    ZONE,
    CalendarError,
    CounterHours,
    CounterHoursError,
    LimitError,
    LimitUnit,
    NaiveInstantError,
    NotADateError,
    TimeLimit,
    Timeliness,
    WorkingCalendar,
    load_calendar,
    local_date,
)

CALENDAR = load_calendar()
WORKING, DAYS, HOURS = LimitUnit.WORKING_DAYS, LimitUnit.CALENDAR_DAYS, LimitUnit.HOURS

EXAMPLES = [
    ("2020-12-17", 10, WORKING, "2020-12-31", "plain"),
    ("2020-12-17", 15, WORKING, "2021-01-08", "1 January off"),
    ("2020-12-17", 7, WORKING, "2020-12-28", "plain"),
    ("2021-02-03", 7, WORKING, "2021-02-19", "Tet 10 to 16 February"),
    ("2021-04-28", 3, WORKING, "2021-05-05", "1 May on a Saturday, Monday off"),
    ("2023-04-27", 5, WORKING, "2023-05-09", "29 April to 3 May off"),
    ("2022-08-30", 2, WORKING, "2022-09-05", "1 and 2 September off"),
    ("2024-04-26", 5, WORKING, "2024-05-07", "Monday off, Saturday 4 May works"),
    ("2025-04-25", 5, WORKING, "2025-05-06", "Saturday 26 April works, Friday off"),
    ("2025-12-31", 3, WORKING, "2026-01-07", "Friday 2 January off"),
    ("2026-01-08", 3, WORKING, "2026-01-12", "Saturday 10 January works"),
    ("2026-02-12", 5, WORKING, "2026-02-26", "Tet 16 to 20 February"),
    ("2026-08-20", 3, WORKING, "2026-08-24", "Saturday 22 August works"),
    ("2026-08-28", 7, WORKING, "2026-09-11", "31 August to 2 September off"),
    ("2026-04-20", 12, DAYS, "2026-05-04", "ends on a Saturday"),
    ("2024-02-01", 7, DAYS, "2024-02-15", "ends in Tet"),
]


def local(text: str) -> datetime:
    """An instant given in Vietnamese wall time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(("accepted", "count", "unit", "due", "why"), EXAMPLES)
def test_due_date_equals_the_worked_example(accepted: str, count: int, unit: LimitUnit, due: str, why: str) -> None:
    assert CALENDAR.due_date(date.fromisoformat(accepted), count, unit) == date.fromisoformat(due), why


def test_limit_counted_again_after_a_supplement_starts_at_the_complete_dossier() -> None:
    assert CALENDAR.due_date(date(2021, 3, 1), 10, WORKING) == date(2021, 3, 15)
    assert CALENDAR.due_date(date(2021, 3, 12), 10, WORKING) == date(2021, 3, 26)


@pytest.mark.parametrize(
    ("year", "working_days"),
    [(2020, 252), (2021, 250), (2022, 249), (2023, 249), (2024, 251), (2025, 250), (2026, 249), (2027, 249)],
)
def test_year_has_as_many_working_days_as_the_table_says(year: int, working_days: int) -> None:
    assert CALENDAR.working_days_between(date(year - 1, 12, 31), date(year, 12, 31)) == working_days


def test_make_up_saturday_is_worked_and_the_day_given_for_it_is_not() -> None:
    assert CALENDAR.is_working_day(date(2024, 5, 4))
    assert not CALENDAR.is_working_day(date(2024, 4, 29))
    assert not CALENDAR.is_working_day(date(2024, 5, 11))


def test_year_without_rows_knows_weekends_only_and_says_so() -> None:
    assert CALENDAR.covers(date(2020, 6, 1))
    assert not CALENDAR.covers(date(2031, 1, 1))
    assert CALENDAR.is_working_day(date(2031, 1, 1))
    assert not CALENDAR.is_working_day(date(2031, 1, 4))


def test_acceptance_on_a_saturday_counts_from_monday() -> None:
    assert CALENDAR.due_date(date(2020, 3, 7), 1, WORKING) == date(2020, 3, 9)


def test_date_rolls_forward_only_when_it_is_off() -> None:
    assert CALENDAR.roll_forward(date(2020, 1, 23)) == date(2020, 1, 30)
    assert CALENDAR.roll_forward(date(2020, 1, 22)) == date(2020, 1, 22)


def test_appointment_is_counter_close_of_the_due_date() -> None:
    due = CALENDAR.due_at(local("2020-12-17T09:15"), TimeLimit(10, WORKING))
    assert due == local("2020-12-31T17:00")
    assert due.utcoffset() == timedelta(hours=7)


def test_appointment_follows_the_counter_hours_of_the_agency() -> None:
    calendar = WorkingCalendar(CALENDAR.days, CounterHours(((time(8), time(12)), (time(13), time(16, 30)))))
    assert calendar.due_at(local("2020-12-17T09:15"), TimeLimit(10, WORKING)) == local("2020-12-31T16:30")
    assert calendar.hours.seconds_per_day == 7.5 * 3600


def test_day_of_acceptance_is_the_vietnamese_one() -> None:
    evening_in_utc = datetime(2020, 12, 16, 17, 30, tzinfo=UTC)
    assert local_date(evening_in_utc) == date(2020, 12, 17)
    assert CALENDAR.due_on(evening_in_utc, TimeLimit(10, WORKING)) == date(2020, 12, 31)


def test_limit_in_hours_runs_from_the_moment_and_is_not_moved() -> None:
    friday_evening = local("2020-12-18T20:30")
    assert CALENDAR.due_at(friday_evening, TimeLimit(12, HOURS)) == local("2020-12-19T08:30")
    assert CALENDAR.due_on(friday_evening, TimeLimit(12, HOURS)) == date(2020, 12, 19)


def test_overdue_begins_at_midnight_after_the_due_date() -> None:
    due = date(2020, 12, 31)
    assert not CALENDAR.is_overdue(due, local("2020-12-31T23:59:59.999999"))
    assert CALENDAR.is_overdue(due, local("2021-01-01T00:00"))
    assert CALENDAR.is_overdue(due, datetime(2020, 12, 31, 17, tzinfo=UTC))


def test_case_is_due_soon_on_its_last_working_day_only() -> None:
    due = date(2020, 12, 28)
    assert not CALENDAR.is_due_soon(due, local("2020-12-27T23:59:59"))
    assert CALENDAR.is_due_soon(due, local("2020-12-28T00:00"))
    assert CALENDAR.is_due_soon(due, local("2020-12-28T23:59:59"))
    assert not CALENDAR.is_due_soon(due, local("2020-12-29T00:00"))


@pytest.mark.parametrize(
    ("resolved_at", "timeliness"),
    [
        ("2020-12-30T23:59", Timeliness.EARLY),
        ("2020-12-31T00:00", Timeliness.ON_TIME),
        ("2020-12-31T23:59", Timeliness.ON_TIME),
        ("2021-01-01T00:00", Timeliness.LATE),
    ],
)
def test_timeliness_compares_local_dates(resolved_at: str, timeliness: Timeliness) -> None:
    assert CALENDAR.timeliness(date(2020, 12, 31), local(resolved_at)) is timeliness
    assert CALENDAR.timeliness(date(2020, 12, 31), local(resolved_at).astimezone(UTC)) is timeliness


def test_case_without_a_due_date_is_neither_on_time_nor_late() -> None:
    assert CALENDAR.timeliness(None, local("2020-12-31T10:00")) == "no_due_date"


@pytest.mark.parametrize("count", [0, -3])
def test_limit_below_one_is_refused(count: int) -> None:
    with pytest.raises(LimitError, match="at least 1"):
        CALENDAR.due_date(date(2020, 1, 2), count, WORKING)
    with pytest.raises(LimitError, match="at least 1"):
        TimeLimit(count, HOURS)


def test_limit_in_hours_has_no_due_date_without_a_moment() -> None:
    with pytest.raises(LimitError, match="due_at"):
        CALENDAR.due_date(date(2020, 1, 2), 12, HOURS)


@pytest.mark.parametrize("unit", list(LimitUnit))
def test_limit_beyond_the_last_year_is_refused(unit: LimitUnit) -> None:
    with pytest.raises(LimitError, match="after year 9999"):
        CALENDAR.due_at(local("2020-01-02T08:00"), TimeLimit(10**9, unit))


def test_instant_without_a_zone_is_refused() -> None:
    naive = datetime(2020, 1, 2, 8)  # noqa: DTZ001 - what the test is about
    for refused in (
        lambda: local_date(naive),
        lambda: CALENDAR.is_overdue(date(2020, 1, 2), naive),
        lambda: CALENDAR.due_at(naive, TimeLimit(1, WORKING)),
        lambda: CALENDAR.working_seconds(naive, local("2020-01-02T09:00")),
        lambda: CALENDAR.add_working_seconds(naive, 1),
    ):
        with pytest.raises(NaiveInstantError, match="no time zone"):
            refused()


def test_instant_in_place_of_a_date_is_refused() -> None:
    with pytest.raises(NotADateError, match="local_date"):
        CALENDAR.is_working_day(local("2020-01-02T08:00"))


@pytest.mark.parametrize(
    "spans", [(), ((time(8), time(8)),), ((time(8), time(12)), (time(11), time(17))), ((time(12), time(8)),)]
)
def test_counter_hours_out_of_order_are_refused(spans: tuple[tuple[time, time], ...]) -> None:
    with pytest.raises(CounterHoursError, match="opening after"):
        CounterHours(spans)


def test_every_refusal_is_a_calendar_error() -> None:
    for error in (CounterHoursError, LimitError, NaiveInstantError, NotADateError):
        assert issubclass(error, CalendarError)


def test_fixed_offset_equals_the_zone_since_1976() -> None:
    instant, offset = datetime(1976, 1, 1, tzinfo=UTC), timezone(timedelta(hours=7))
    while instant.year < 2100:
        assert instant.astimezone(ZONE).utcoffset() == instant.astimezone(offset).utcoffset()
        assert local_date(instant) == instant.astimezone(ZONE).date()
        instant += timedelta(days=17, hours=5)
