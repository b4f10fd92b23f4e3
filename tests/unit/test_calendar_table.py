"""The table of days: the packaged rows, and what a broken row is told."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from shared.calendar import (
    CalendarDay,
    DayKind,
    DaysFileError,
    DayStatus,
    WorkingCalendar,
    load_calendar,
    parse_days,
)

HEADER = "date,weekday,kind,name_vi,name_en,status"
NEW_YEAR = "2020-01-01,Wed,OFF,Tết Dương lịch,New Year's Day,library"


def test_packaged_table_covers_2020_to_2027() -> None:
    assert load_calendar().years == frozenset(range(2020, 2028))
    assert load_calendar() is load_calendar()


def test_every_swapped_day_off_has_one_make_up_day_in_its_year() -> None:
    days = load_calendar().days
    worked = Counter(day.on.year for day in days if day.kind is DayKind.WORK)
    swapped = Counter(day.on.year for day in days if day.name_vi.startswith("Nghỉ hoán đổi"))
    assert worked == swapped == {2024: 1, 2025: 1, 2026: 2}


def test_2027_is_provisional() -> None:
    statuses = {day.status for day in load_calendar().days if day.on.year == 2027}
    assert statuses == {DayStatus.PROVISIONAL}


def test_rows_come_out_sorted_by_date() -> None:
    days = parse_days([HEADER, "2020-09-02,Wed,OFF,Quốc khánh,National Day,library", NEW_YEAR])
    assert [day.on for day in days] == [date(2020, 1, 1), date(2020, 9, 2)]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2020-01-32,Wed,OFF,a,b,library", "line 3: '2020-01-32' is not a date"),
        ("2020-01-02,Fri,OFF,a,b,library", "line 3: 2020-01-02 is a Thu, not 'Fri'"),
        ("2020-01-02,Thu,HALF,a,b,library", "line 3: 'HALF' is not one of OFF, WORK"),
        ("2020-01-02,Thu,OFF,a,b,guess", "line 3: 'guess' is not one of verified, library, provisional"),
        ("2020-01-02,Thu,WORK,a,b,library", "line 3: 2020-01-02 is a weekday"),
        ("2020-01-02,Thu,OFF", "line 3: a row has 6 columns"),
        ("2020-01-02,Thu,OFF,a,b,library,more", "line 3: a row has 6 columns"),
        (NEW_YEAR, "line 3: 2020-01-01 is already in line 2"),
        (f'2020-01-02,Thu,OFF,"{"a" * 200_000}",b,library', "line 3: not readable as CSV"),
    ],
)
def test_broken_row_is_named_by_line_and_rule(row: str, said: str) -> None:
    with pytest.raises(DaysFileError, match=f"^mine.csv, {said}"):
        parse_days([HEADER, NEW_YEAR, row], origin="mine.csv")


def test_other_header_is_refused() -> None:
    with pytest.raises(DaysFileError, match="line 1: the header must be date,weekday"):
        parse_days(["day,kind", "2020-01-01,OFF"])


def test_date_given_twice_is_refused_by_the_calendar_too() -> None:
    day = CalendarDay(date(2020, 1, 1), DayKind.OFF, "", "", DayStatus.LIBRARY)
    with pytest.raises(DaysFileError, match="twice"):
        WorkingCalendar((day, day))
