"""The calendar that an administrator edits: each edit is whole, or refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.processing.calendar_bodies import read_all_days, read_hours, read_set_day
from services.processing.domain.almanac import Almanac, UnfitCalendarError
from shared.calendar import CalendarDay, DayKind, DayStatus, load_calendar, pair_faults, parse_hours
from shared.contracts.events import CalendarChanged
from shared.problems import Problem

SATURDAY, MONDAY = date(2026, 8, 22), date(2026, 8, 31)
PACKAGED = Almanac(load_calendar().days, revision=1)


def off(on: date, swap: date | None = None, name: str = "Nghỉ") -> CalendarDay:
    return CalendarDay(on, DayKind.OFF, name, name, DayStatus.VERIFIED, swap)


def work(on: date, swap: date | None) -> CalendarDay:
    return CalendarDay(on, DayKind.WORK, "Làm bù", "Make-up", DayStatus.VERIFIED, swap)


def test_a_swapped_day_brings_the_other_day_of_its_exchange() -> None:
    almanac = Almanac().with_day(off(MONDAY, SATURDAY))
    assert [(day.on, day.kind, day.swap) for day in almanac.days] == [
        (SATURDAY, DayKind.WORK, MONDAY),
        (MONDAY, DayKind.OFF, SATURDAY),
    ]
    assert almanac.days[0].name_vi == "Làm bù cho 31/08/2026"
    assert almanac.with_day(off(MONDAY, SATURDAY)).says_the_same(almanac)


def test_the_other_day_keeps_the_names_it_had() -> None:
    before = Almanac().with_years([off(MONDAY, SATURDAY, "Cũ"), work(SATURDAY, MONDAY)])
    after = before.with_day(off(MONDAY, SATURDAY, "Mới"))
    assert [day.name_vi for day in after.days] == ["Làm bù", "Mới"]


def test_a_day_that_is_removed_or_becomes_plain_takes_the_other_one_with_it() -> None:
    almanac = Almanac().with_day(work(SATURDAY, MONDAY))
    assert almanac.without_day(MONDAY).days == almanac.without_day(SATURDAY).days == ()
    assert almanac.with_day(off(MONDAY)).days == (off(MONDAY),)
    assert almanac.without_day(date(2026, 1, 1)).says_the_same(almanac)


def test_a_day_of_another_exchange_is_not_taken_from_it() -> None:
    almanac = Almanac().with_day(work(SATURDAY, MONDAY))
    with pytest.raises(UnfitCalendarError, match="2026-08-22 is already swapped with 2026-08-31"):
        almanac.with_day(off(date(2026, 9, 4), SATURDAY))


def test_a_file_replaces_its_years_and_leaves_the_others() -> None:
    almanac = PACKAGED.with_years([off(date(2026, 1, 1))])
    assert [day.on for day in almanac.days if day.on.year == 2026] == [date(2026, 1, 1)]
    assert [day for day in almanac.days if day.on.year != 2026] == [day for day in PACKAGED.days if day.on.year != 2026]


def test_a_file_that_tears_an_exchange_over_the_new_year_apart_is_refused() -> None:
    saturday, friday = date(2027, 12, 25), date(2028, 1, 7)
    almanac = Almanac().with_years([work(saturday, friday), off(friday, saturday)])
    with pytest.raises(UnfitCalendarError, match="2027-12-25 is swapped with 2028-01-07, which has no row"):
        almanac.with_years([off(date(2028, 1, 1))])


def test_an_agency_has_its_own_hours_until_they_are_taken_away() -> None:
    short = parse_hours(["08:00-12:00"])
    almanac = PACKAGED.with_hours("a", short)
    assert (almanac.calendar("a").hours, almanac.calendar("b").hours, almanac.calendar().hours) == (
        short, PACKAGED.hours, PACKAGED.hours,
    )  # fmt: skip
    assert almanac.with_hours(None, short).calendar("b").hours == short
    assert almanac.with_hours("a", None).says_the_same(PACKAGED)


@given(edits=st.lists(st.tuples(st.sampled_from(["set", "swap", "remove"]), st.integers(0, 40), st.integers(0, 40)), max_size=12))
def test_no_edit_leaves_half_an_exchange(edits: list[tuple[str, int, int]]) -> None:
    almanac = Almanac()
    for what, first, second in edits:
        on, other = (date(2026, 8, 1) + timedelta(days=days) for days in (first, second))
        try:
            if what == "remove":
                almanac = almanac.without_day(on)
            else:
                almanac = almanac.with_day(off(on, other if what == "swap" else None))
        except ValueError:
            continue
        assert pair_faults(almanac.days) == []
        assert len({day.on for day in almanac.days}) == len(almanac.days)


def test_the_whole_table_is_stated() -> None:
    event = replace(PACKAGED.with_hours("a", parse_hours(["08:00-12:00"])), revision=7).stated()
    read = CalendarChanged.model_validate_json(event.model_dump_json())
    assert (read.revision, len(read.days), read.hours) == (7, len(PACKAGED.days), ("07:00-11:30", "13:30-17:00"))
    assert [(each.agency, each.spans) for each in read.agencies] == [("a", ("08:00-12:00",))]
    assert {(day.on, day.kind.value, day.swap) for day in read.days} == {
        (day.on, day.kind.value, day.swap) for day in PACKAGED.days
    }


# --- bodies ----------------------------------------------------------------------------------------


def faults_of(problem: Problem) -> list[str]:
    assert problem.status == 422
    return [fault["pointer"] for fault in problem.more["errors"]]


def row(on: str, kind: str = "OFF", **more: str) -> dict[str, str]:
    return {"date": on, "kind": kind, "name_vi": "Nghỉ", "name_en": "Off", **more}


def test_days_come_as_json_or_as_the_file() -> None:
    by_json = read_all_days(json.dumps({"days": [row("2026-09-02")]}).encode(), "application/json")
    file = "date,weekday,kind,name_vi,name_en,status\n2026-09-02,Wed,OFF,Nghỉ,Off,verified\n"
    expected = (CalendarDay(date(2026, 9, 2), DayKind.OFF, "Nghỉ", "Off", DayStatus.VERIFIED),)
    assert by_json == read_all_days(file.encode(), "text/csv; charset=utf-8") == expected


@pytest.mark.parametrize(
    ("raw", "pointers"),
    [
        (b"", ["/"]),
        (b"[]", ["/"]),
        (b'{"days": []}', ["/"]),
        (json.dumps({"days": [row("2026-09-02"), row("2026-09-31")]}).encode(), ["/days/1/date"]),
        (json.dumps({"days": [row("2026-09-02"), row("2026-09-02")]}).encode(), ["/days/1/date"]),
        (json.dumps({"days": [row("2026-09-02", "WORK"), row("2026-09-03", name_vi=" ")]}).encode(), ["/days/1/name_vi"]),
        (json.dumps({"days": [row("2026-09-02", "WORK")]}).encode(), ["/days/0"]),
        (json.dumps({"days": [row("2026-08-22", "WORK"), row("2026-08-31")]}).encode(), ["/days/0"]),
        (json.dumps({"days": [row("2026-09-02", extra="x")]}).encode(), ["/days/0/extra"]),
    ],
)
def test_faults_of_days_name_their_place(raw: bytes, pointers: list[str]) -> None:
    with pytest.raises(Problem) as caught:
        read_all_days(raw, "application/json")
    assert faults_of(caught.value) == pointers


@pytest.mark.parametrize(
    ("raw", "pointers"),
    [
        (b"\xff", ["/"]),
        (b"", ["/lines/1"]),
        (b"date,weekday,kind,name_vi,name_en,status\n", ["/"]),
        (b"date,weekday,kind,name_vi,name_en,status\n2026-09-02,Thu,OFF,a,b,verified\n", ["/lines/2"]),
    ],
)
def test_faults_of_a_file_name_their_line(raw: bytes, pointers: list[str]) -> None:
    with pytest.raises(Problem) as caught:
        read_all_days(raw, "text/csv")
    assert faults_of(caught.value) == pointers


def test_one_day_and_hours_are_read_strictly() -> None:
    body = {"kind": "OFF", "name_vi": "Quốc khánh", "name_en": "National Day"}
    assert read_set_day(json.dumps(body).encode(), date(2026, 9, 2)).status is DayStatus.VERIFIED
    for wrong in (body | {"kind": "WORK"}, body | {"name_vi": ""}, body | {"swap": "x"}, {}):
        with pytest.raises(Problem):
            read_set_day(json.dumps(wrong).encode(), date(2026, 9, 2))
    assert read_hours(b'{"spans": ["08:00-12:00"]}').texts == ("08:00-12:00",)
    for raw in (b"{}", b'{"spans": []}', b'{"spans": ["12:00-08:00"]}', b'{"spans": "08:00-12:00"}'):
        with pytest.raises(Problem):
            read_hours(raw)
