"""What the routes of the calendar take and answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from services.processing.bodies import Answered, Body
from services.processing.domain.almanac import Almanac, UnfitCalendarError
from services.processing.repository import Sweep
from shared.calendar import (
    CalendarDay,
    CounterHours,
    CounterHoursError,
    DayKind,
    DaysFileError,
    DayStatus,
    check_name,
    pair_faults,
    parse_hours,
    read_days,
)
from shared.problems import Problem, faults_of

CSV = "text/csv"
Fault = dict[str, str]


def _name(text: str) -> str:
    try:
        return check_name(text)
    except DaysFileError as error:
        raise PydanticCustomError("day_name", "{rule}", {"rule": str(error)}) from None


Name = Annotated[str, AfterValidator(_name)]


class SetDay(Body):
    """What a day is: its date is in the path."""

    kind: Literal["OFF", "WORK"]
    name_vi: Name
    name_en: Name
    status: Literal["verified", "library", "provisional"] = "verified"
    swap: dt.date | None = None


class Day(SetDay):
    """One exceptional day."""

    date: dt.date


class Days(Body):
    """Days that take the place of all days of their years."""

    days: tuple[Day, ...] = Field(max_length=5000)


class Hours(Body):
    """Opening hours in order, local time."""

    spans: tuple[str, ...] = Field(min_length=1, max_length=12)


def read_set_day(raw: bytes, on: date) -> CalendarDay:
    """Read the body of `PUT …/days/{date}`.

    Raises:
        Problem: 422 with every fault at once.
    """
    try:
        return _calendar_day(SetDay.model_validate_json(raw), on)
    except ValidationError as error:
        raise faulty(faults_of(error)) from None
    except DaysFileError as error:
        raise faulty([_fault("/", str(error))]) from None


def read_all_days(raw: bytes, content_type: str) -> tuple[CalendarDay, ...]:
    """Read the body of `PUT …/days`: JSON, or the file as it is; nothing of it is taken when anything is wrong.

    Raises:
        Problem: 422 with every fault: a file's by its line.
    """
    days, faults = _of_file(raw) if content_type.partition(";")[0].strip().lower() == CSV else _of_json(raw)
    if not faults and not days:
        faults = [_fault("/", "holds no day")]
    if faults:
        raise faulty(faults)
    return days


def read_hours(raw: bytes) -> CounterHours:
    """Read the body of `PUT …/hours`.

    Raises:
        Problem: 422 with every fault.
    """
    try:
        return parse_hours(Hours.model_validate_json(raw).spans)
    except ValidationError as error:
        raise faulty(faults_of(error)) from None
    except CounterHoursError as error:
        raise faulty([_fault("/spans", str(error))]) from None


def unfit(error: UnfitCalendarError) -> Problem:
    """422: the edit alone is right, but not with the rest of the table."""
    return faulty([_fault("/days", rule) for _, rule in error.faults])


def faulty(faults: Sequence[Fault]) -> Problem:
    """422 with these faults."""
    return Problem(422, "invalid", "The content is not valid", errors=list(faults))


def _of_file(raw: bytes) -> tuple[tuple[CalendarDay, ...], list[Fault]]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return (), [_fault("/", "must be UTF-8")]
    days, faults = read_days(text.splitlines(keepends=True))
    return days, [_fault(f"/lines/{fault.line}", fault.rule) for fault in faults]


def _of_json(raw: bytes) -> tuple[tuple[CalendarDay, ...], list[Fault]]:
    try:
        body = Days.model_validate_json(raw)
    except ValidationError as error:
        return (), faults_of(error)
    places: dict[date, int] = {}
    days, faults = [], []
    for place, day in enumerate(body.days):
        if day.date in places:
            faults.append(_fault(f"/days/{place}/date", f"{day.date} is given twice"))
        places[day.date] = place
        try:
            days.append(_calendar_day(day, day.date))
        except DaysFileError as error:
            faults.append(_fault(f"/days/{place}", str(error)))
    return tuple(days), faults or [_fault(f"/days/{places[on]}", rule) for on, rule in pair_faults(days)]


def _calendar_day(day: SetDay, on: date) -> CalendarDay:
    return CalendarDay(on, DayKind(day.kind), day.name_vi, day.name_en, DayStatus(day.status), day.swap)


def _fault(pointer: str, rule: str) -> Fault:
    return {"pointer": pointer, "rule": rule, "code": "calendar"}


# --- answers ---------------------------------------------------------------------------------------


class DayBody(Answered):
    """One exceptional day."""

    date: dt.date
    weekday: str
    kind: str
    name_vi: str
    name_en: str
    status: str
    swap: dt.date | None


class SweepBody(Answered):
    """How far open cases were counted again after the change `revision`; `ended_at` null while it goes on."""

    revision: int
    cases: int
    moved: int
    began_at: datetime
    ended_at: datetime | None


class CalendarBody(Answered):
    """The calendar: `revision` is the number of its last change. Due dates in other `years`, or in provisional ones, may move."""

    revision: int
    years: list[int]
    provisional_years: list[int]
    days: list[DayBody]
    hours: list[str]
    agencies: dict[str, list[str]]
    recalculation: SweepBody | None = None


def calendar_body(almanac: Almanac, sweep: Sweep | None = None, year: int | None = None) -> CalendarBody:
    """The calendar as it is answered; of one year, if one is asked for."""
    calendar = almanac.calendar()
    return CalendarBody(
        revision=almanac.revision,
        years=sorted(calendar.years),
        provisional_years=sorted(calendar.provisional_years),
        days=[_day_body(day) for day in almanac.days if year is None or day.on.year == year],
        hours=list(almanac.hours.texts),
        agencies={agency: list(hours.texts) for agency, hours in sorted(almanac.agencies.items())},
        recalculation=SweepBody.model_validate(sweep) if sweep else None,
    )


def _day_body(day: CalendarDay) -> DayBody:
    plain: dict[str, Any] = {"kind": day.kind.value, "status": day.status.value, "swap": day.swap}
    return DayBody(date=day.on, weekday=f"{day.on:%a}", name_vi=day.name_vi, name_en=day.name_en, **plain)
