"""The wall calendar of the sheet that is kept by hand: each day is looked at, in the table as it lies there."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from importlib import resources
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DAY = timedelta(days=1)
SPANS = (time(7), time(11, 30)), (time(13, 30), time(17))
TABLE = resources.files("shared.calendar").joinpath("days.csv").read_text(encoding="utf-8").splitlines()
EXCEPTIONS = {date.fromisoformat(row["date"]): row["kind"] == "WORK" for row in csv.DictReader(TABLE)}


def works(day: date) -> bool:
    """Whether anybody works."""
    return EXCEPTIONS.get(day, day.weekday() < 5)


def on(at: datetime) -> date:
    """The local date."""
    return at.astimezone(ZONE).date()


def clock(day: date, hour: time = time(17)) -> datetime:
    """A local moment."""
    return datetime.combine(day, hour, tzinfo=ZONE)


def midnight(day: date) -> datetime:
    """When a day begins."""
    return clock(day, time(0))


def days(first: date, last: date) -> Iterator[date]:
    """Each day after the first through the last."""
    while first < last:
        first += DAY
        yield first


def rolled(day: date) -> date:
    """The same day, or the next on which somebody works."""
    while not works(day):
        day += DAY
    return day


def nth(day: date, count: int, unit: str = "w") -> date:
    """The day on which so many have been crossed out, the first day not counted."""
    while count:
        day += DAY
        count -= unit == "c" or works(day)
    return rolled(day)


def crossed(first: date, last: date, unit: str = "w") -> int:
    """How many days are crossed out."""
    return sum(unit == "c" or works(day) for day in days(first, last))


def worked(start: datetime, end: datetime) -> timedelta:
    """Counter hours between two moments."""
    total = timedelta()
    for day in days(on(start) - DAY, on(end)):
        for opens, closes in SPANS if works(day) else ():
            total += max(min(clock(day, closes), end) - max(clock(day, opens), start), timedelta())
    return total


def add_worked(start: datetime, amount: timedelta) -> datetime:
    """The moment by which so much counter time has passed."""
    day = on(start)
    while amount:
        for opens, closes in SPANS if works(day) else ():
            begins = max(clock(day, opens), start)
            open_for = max(clock(day, closes) - begins, timedelta())
            if open_for >= amount:
                return begins + amount
            amount -= open_for
        day += DAY
    return start


def hand_over(at: datetime) -> datetime:
    """Art. 18: before 15:00 on the same working day, otherwise at the start of the next."""
    if works(on(at)) and at.astimezone(ZONE).time() < time(15):
        return clock(on(at))
    return clock(nth(on(at), 1), time(7))
