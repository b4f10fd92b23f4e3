"""A year of random cases against a naive oracle that steps day by day and knows nothing of the machine's arithmetic.

Every due date, every segment's length and working time, and every stated timeliness have to agree.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from importlib import resources

import pytest

from services.processing.domain.explanation import explain
from services.processing.domain.timeline import Recorded
from shared.calendar import ZONE, LimitUnit, load_calendar
from shared.contracts.commands import Command
from shared.contracts.events import (
    CaseAccepted,
    CaseExtended,
    CaseResolved,
    CaseResumed,
    CaseStopped,
    PaymentReceived,
    PaymentRequested,
    SupplementReceived,
    SupplementRequested,
    WithdrawalRequested,
)
from shared.contracts.words import Outcome, Regime, StopKind
from tests.support.lives import Life, ask, catalogue

DAY = timedelta(days=1)
OFFICE = ((time(7), time(11, 30)), (time(13, 30), time(17)))
CASES_A_DAY = 1
TABLE = {
    date.fromisoformat(row["date"]): row["kind"] == "WORK"
    for row in csv.DictReader(resources.files("shared.calendar").joinpath("days.csv").read_text("utf-8").splitlines())
}


# --- the oracle --------------------------------------------------------------------------------------


def works(day: date) -> bool:
    return TABLE.get(day, day.weekday() < 5)


def next_working(day: date) -> date:
    while not works(day):
        day += DAY
    return day


def step(day: date, count: int, unit: str) -> date:
    """The last day of so many days after this one."""
    if unit == "calendar_days":
        return next_working(day + count * DAY)
    while count:
        day += DAY
        count -= works(day)
    return day


def worked(start: datetime, end: datetime) -> timedelta:
    """Working time, by cutting every day's opening hours with the interval."""
    total, day = timedelta(), start.astimezone(ZONE).date()
    while day <= end.astimezone(ZONE).date():
        for opens, closes in OFFICE if works(day) else ():
            since = max(start, datetime.combine(day, opens, ZONE))
            until = min(end, datetime.combine(day, closes, ZONE))
            total += max(until - since, timedelta())
        day += DAY
    return total


def due_after(start: datetime, count: int, unit: str) -> datetime:
    if unit == "hours":
        return start + timedelta(hours=count)
    return datetime.combine(step(start.astimezone(ZONE).date(), count, unit), time(17), ZONE)


def moved(due: datetime, unit: str, since: datetime, until: datetime) -> datetime:
    """By as many days of its own kind as the standstill took, if it was not late before."""
    if unit == "hours":
        return due + (until - since) if since <= due else due
    day, first, last = (each.astimezone(ZONE).date() for each in (due, since, until))
    if day < first or first == last:
        return due
    stood = [first + number * DAY for number in range(1, (last - first).days + 1)]
    count = len(stood) if unit == "calendar_days" else sum(map(works, stood))
    reached = step(day, count, unit) if count else day
    reached = max(reached, next_working(last)) if day == first else reached
    return datetime.combine(reached, due.astimezone(ZONE).time(), ZONE)


def oracle(history: Sequence[Recorded], count: int, unit: str) -> tuple[datetime, list[tuple[datetime, bool]]]:
    """The due date, and when the clock began to run or to stand still."""
    due, since, marks = datetime.max.replace(tzinfo=ZONE), None, list[tuple[datetime, bool]]()
    for _, event, at in history:
        match event:
            case CaseAccepted():
                due = due_after(at, count, unit)
                marks.append((at, True))
            case SupplementRequested() | PaymentRequested() | WithdrawalRequested() | CaseStopped():
                since = since or at
                marks.append((at, False))
            case SupplementReceived(regime=Regime.RESTART):
                due, since = due_after(at, count, unit), None
                marks.append((at, True))
            case SupplementReceived() | PaymentReceived() | CaseResumed():
                stays = isinstance(event, SupplementReceived) and event.regime is Regime.SUBTRACT
                due, since = due if stays or since is None else moved(due, unit, since, at), None
                marks.append((at, True))
            case CaseExtended(new_due_at=new):
                due = new
            case CaseResolved():
                due = moved(due, unit, since, at) if since else due
                marks.append((at, True))
            case _:
                pass
    return due, marks


# --- random cases ------------------------------------------------------------------------------------


def some_life(day: date, rng: random.Random) -> tuple[Life, tuple[int, str]]:
    """A case accepted on this day, with up to two standstills and perhaps an extension, and mostly its end."""
    unit = rng.choice([LimitUnit.WORKING_DAYS] * 4 + [LimitUnit.CALENDAR_DAYS, LimitUnit.HOURS])
    count = rng.randint(1, 30) if unit is not LimitUnit.HOURS else rng.randint(1, 120)
    at = datetime.combine(day, time(rng.randint(6, 18), rng.randint(0, 59), rng.randint(0, 59)), ZONE)
    life = Life(catalogue(None, (count, unit), rng.choice(list(Regime))), at).do(ask.Accept(), at)
    for begin, end in rng.sample(STANDSTILLS, rng.randint(0, 2)):
        at += timedelta(seconds=rng.randint(0, 6 * 86_400))
        if life.attempt(begin, at) is None and rng.random() < 0.9:
            at += timedelta(seconds=rng.randint(0, 15 * 86_400))
            life.attempt(end, at)
    if rng.random() < 0.2 and life.case.due_at:
        life.attempt(ask.Extend(new_due_at=life.case.due_at + rng.randint(1, 20) * DAY, reason="complex", apology="issued"), at)
    if rng.random() < 0.8:
        life.attempt(ask.Resolve(outcome=Outcome.GRANTED), at + timedelta(seconds=rng.randint(0, 20 * 86_400)))
    return life, (count, unit.value)


STANDSTILLS: list[tuple[Command, Command]] = [
    (ask.RequestSupplement(documents=("a",), reason="missing_documents"), ask.ReceiveSupplement()),
    (ask.RequestPayment(amount_vnd=1), ask.ReceivePayment(amount_vnd=1)),
    (ask.Stop(stop_kind=StopKind.SUSPENDED, reason="force_majeure"), ask.Resume(reason="obstacle_removed")),
    (ask.RequestWithdrawal(), ask.Resume(reason="withdrawal_taken_back")),
]


@pytest.mark.parametrize("month", range(1, 13))
def test_the_oracle_agrees_on_every_due_date_and_every_segment_of_a_year(month: int) -> None:
    rng, day = random.Random(f"year {month}"), date(2021, month, 1)
    while day.month == month:
        for _ in range(CASES_A_DAY):
            life, limit = some_life(day, rng)
            _compare(life, *limit, now=life.history[-1].occurred_at + timedelta(seconds=rng.randint(0, 30 * 86_400)))
        day += DAY


def _compare(life: Life, count: int, unit: str, now: datetime) -> None:
    due, marks = oracle(life.history, count, unit)
    said = explain(life.history, life.version(), load_calendar(), now)
    assert said.position.due_at == due, life.told
    end = life.case.resolved_at or now
    expected = [
        (start, following, running)
        for (start, running), following in zip(marks, [*(at for at, _ in marks[1:]), end], strict=True)
        if start < following
    ]
    assert [(each.from_at, each.to_at, each.running) for each in said.segments] == expected, life.told
    for segment in said.segments:
        assert timedelta(microseconds=segment.working_microseconds) == worked(segment.from_at, segment.to_at)
    if life.case.resolved_at:
        resolved_on, due_on = (each.astimezone(ZONE).date() for each in (life.case.resolved_at, due))
        assert said.position.timeliness == ("on_time", "late", "early")[(resolved_on > due_on) - (resolved_on < due_on)]
