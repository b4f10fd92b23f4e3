"""The table of days: the packaged rows, and what a broken row or a broken exchange is told."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest

from shared.calendar import (
    CalendarDay,
    CounterHours,
    CounterHoursError,
    DayFault,
    DayKind,
    DaysFileError,
    DayStatus,
    WorkingCalendar,
    check_name,
    format_days,
    load_calendar,
    pair_faults,
    parse_days,
    parse_hours,
    read_days,
)

HEADER = "date,weekday,kind,name_vi,name_en,status,swap"
NEW_YEAR = "2020-01-01,Wed,OFF,Tết Dương lịch,New Year's Day,library,"
WORKED = "2026-08-22,Sat,WORK,Làm bù,Make-up day,verified,"
GIVEN = "2026-08-31,Mon,OFF,Nghỉ hoán đổi,Day off,verified,"


def test_packaged_table_covers_2020_to_2027() -> None:
    assert load_calendar().years == frozenset(range(2020, 2028))
    assert load_calendar() is load_calendar()


def test_every_make_up_day_of_the_packaged_table_has_its_day_off_in_its_year() -> None:
    days = load_calendar().days
    assert pair_faults(days) == []
    worked = Counter(day.on.year for day in days if day.kind is DayKind.WORK)
    swapped = Counter(day.on.year for day in days if day.kind is DayKind.OFF and day.swap is not None)
    assert worked == swapped == {2024: 1, 2025: 1, 2026: 2}


def test_2027_is_provisional_and_a_due_date_in_it_or_in_a_year_without_rows_may_move() -> None:
    calendar = load_calendar()
    assert {day.status for day in calendar.days if day.on.year == 2027} == {DayStatus.PROVISIONAL}
    assert calendar.provisional_years == {2027}
    assert [calendar.is_provisional(date(year, 6, 1)) for year in (2019, 2020, 2026, 2027, 2028)] == [
        True, False, False, True, True,
    ]  # fmt: skip


def test_rows_come_out_sorted_by_date() -> None:
    days = parse_days([HEADER, "2020-09-02,Wed,OFF,Quốc khánh,National Day,library,", NEW_YEAR])
    assert [day.on for day in days] == [date(2020, 1, 1), date(2020, 9, 2)]


def test_a_file_without_exchanges_needs_no_column_for_them() -> None:
    lines = [line.removesuffix(",") for line in (HEADER.removesuffix("swap"), NEW_YEAR)]
    assert parse_days(lines) == parse_days([HEADER, NEW_YEAR])


def test_a_table_survives_its_own_file() -> None:
    days = load_calendar().days
    assert parse_days(format_days(days).splitlines(keepends=True)) == days


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2020-01-32,Wed,OFF,a,b,library,", "line 3: '2020-01-32' is not a date"),
        ("20200102,Thu,OFF,a,b,library,", "line 3: '20200102' is not a date"),
        ("2020-01-02,Fri,OFF,a,b,library,", "line 3: 2020-01-02 is a Thu, not 'Fri'"),
        ("2020-01-02,Thu,HALF,a,b,library,", "line 3: 'HALF' is not one of OFF, WORK"),
        ("2020-01-02,Thu,OFF,a,b,guess,", "line 3: 'guess' is not one of verified, library, provisional"),
        ("2020-01-02,Thu,WORK,a,b,library,", "line 3: 2020-01-02 is a weekday"),
        ("2020-01-04,Sat,OFF,a,b,library,2020-01-11", "line 3: 2020-01-04 is on a weekend"),
        ("2020-01-02,Thu,OFF,a,b,library,2020", "line 3: '2020' is not a date"),
        ("2020-01-02,Thu,OFF, ,b,library,", "line 3: a day has a printable name"),
        ("2020-01-02,Thu,OFF,a,b\x07,library,", "line 3: a day has a printable name"),
        ("2020-01-02,Thu,OFF", "line 3: a row has 7 columns"),
        ("2020-01-02,Thu,OFF,a,b,library,,more", "line 3: a row has 7 columns"),
        (NEW_YEAR, "line 3: 2020-01-01 is already in line 2"),
        (f'2020-01-02,Thu,OFF,"{"a" * 200_000}",b,library,', "line 3: not readable as CSV"),
    ],
)
def test_broken_row_is_named_by_line_and_rule(row: str, said: str) -> None:
    with pytest.raises(DaysFileError, match=f"^mine.csv, {said}"):
        parse_days([HEADER, NEW_YEAR, row], origin="mine.csv")


@pytest.mark.parametrize(
    ("rows", "faults"),
    [
        ([WORKED], [(2, "2026-08-22 is a make-up working day (WORK): `swap` must name the day off that it replaces")]),
        ([f"{WORKED}2026-08-31"], [(2, "2026-08-22 is swapped with 2026-08-31, which has no row")]),
        (
            [f"{WORKED}2026-08-31", GIVEN],
            [(2, "2026-08-22 is swapped with 2026-08-31, which is swapped with no day")],
        ),
        (
            [f"{WORKED}2026-08-31", f"{GIVEN}2026-08-22", "2026-08-29,Sat,WORK,a,b,verified,2026-08-31"],
            [(4, "2026-08-29 is swapped with 2026-08-31, which is swapped with 2026-08-22")],
        ),
        (
            [f"{GIVEN}2026-09-01", "2026-09-01,Tue,OFF,a,b,verified,2026-08-31"],
            [
                (2, "2026-08-31 and 2026-09-01 are both OFF; of two swapped days one is OFF and one is WORK"),
                (3, "2026-09-01 and 2026-08-31 are both OFF; of two swapped days one is OFF and one is WORK"),
            ],
        ),
        ([f"{GIVEN}2026-08-31"], [(2, "2026-08-31 and 2026-08-31 are both OFF; of two swapped days one is OFF and one is WORK")]),
        ([f"{WORKED}2026-08-31", f"{GIVEN}2026-08-22"], []),
    ],
)
def test_an_exchange_is_one_day_off_and_one_day_worked_that_name_each_other(
    rows: list[str], faults: list[tuple[int, str]]
) -> None:
    assert read_days([HEADER, *rows])[1] == tuple(DayFault(line, rule) for line, rule in faults)


def test_every_fault_of_a_file_is_named_at_once() -> None:
    rows = ["2020-01-32,Wed,OFF,a,b,library,", NEW_YEAR, "2020-01-02,Fri,OFF,a,b,library,", WORKED]
    assert [fault.line for fault in read_days([HEADER, *rows])[1]] == [2, 4]


def test_other_header_is_refused() -> None:
    with pytest.raises(DaysFileError, match="line 1: the header must be date,weekday"):
        parse_days(["day,kind", "2020-01-01,OFF"])
    assert read_days([])[1][0].line == 1


def test_date_given_twice_is_refused_by_the_calendar_too() -> None:
    day = CalendarDay(date(2020, 1, 1), DayKind.OFF, "", "", DayStatus.LIBRARY)
    with pytest.raises(DaysFileError, match="twice"):
        WorkingCalendar((day, day))


def test_names_are_what_citizens_can_read() -> None:
    assert check_name("Tết Nguyên đán") == "Tết Nguyên đán"
    for wrong in ("", " ", "a\nb", "a" * 201):
        with pytest.raises(DaysFileError):
            check_name(wrong)


def test_counter_hours_survive_their_texts() -> None:
    assert parse_hours(CounterHours().texts) == CounterHours()
    assert parse_hours(["08:00-12:00"]).seconds_per_day == 4 * 3600


@pytest.mark.parametrize(
    "spans", [[], ["7:00-11:30"], ["07:00-24:00"], ["11:30-07:00"], ["07:00-12:00", "11:00-13:00"], ["07:00-12:00 "]]
)
def test_counter_hours_that_are_none_are_refused(spans: list[str]) -> None:
    with pytest.raises(CounterHoursError):
        parse_hours(spans)


def test_a_calendar_of_other_hours_keeps_the_days() -> None:
    plain = load_calendar()
    other = replace(plain, hours=parse_hours(["08:00-12:00"]))
    assert other.days == plain.days
    assert other.working_days_between(date(2020, 1, 1), date(2020, 12, 31)) == 252
