"""Where the clock of a case and of an agency stands."""

from __future__ import annotations

from datetime import datetime

import pytest

from services.processing.domain.clock import AgencyClock, ClockState
from services.processing.domain.explanation import Explanation, explain
from shared.calendar import LimitUnit, load_calendar
from shared.contracts.words import ClockMode, Outcome, Timeliness
from tests.support.lives import Life, ask, catalogue, moment

HOUR = 3_600_000_000
KNOWN = catalogue((2, LimitUnit.WORKING_DAYS), (3, LimitUnit.WORKING_DAYS))


def at(day: int, time: str = "08:00") -> datetime:
    """A moment of December 2020 in Viet Nam."""
    return moment(f"2020-12-{day:02} {time}")


def running() -> Life:
    """Accepted on Thursday the 17th; due on Monday the 21st, by law on Tuesday."""
    return Life(KNOWN, at(17, "07:30")).do(ask.Accept(), at(17))


def read(life: Life, now: datetime) -> Explanation:
    return explain(life.history, life.version(), load_calendar(), now)


def test_before_acceptance_the_clock_has_not_started() -> None:
    said = read(Life(KNOWN, at(17)), at(30))
    assert (said.position.state, said.position.stands_at) == (ClockState.NOT_STARTED, None)
    assert (said.working_microseconds_used, said.segments, said.due_dates) == (0, (), ())


@pytest.mark.parametrize(
    ("now", "hours", "due_soon", "overdue", "statutory"),
    [
        (at(17, "12:00"), 3.5, False, False, False),
        (at(18), 8.0, False, False, False),
        (at(20, "23:00"), 15.0, False, False, False),
        (at(21, "00:00"), 15.0, True, False, False),
        (at(21, "23:59"), 23.0, True, False, False),
        (at(22, "00:00"), 23.0, False, True, False),
        (at(23, "00:00"), 31.0, False, True, True),
    ],
)
def test_a_running_clock_counts_working_time_and_is_overdue_from_midnight(
    now: datetime, hours: float, due_soon: bool, overdue: bool, statutory: bool
) -> None:
    said = read(running(), now)
    assert said.position.state is ClockState.RUNNING
    assert said.working_microseconds_used == hours * HOUR
    assert (said.position.due_soon, said.position.overdue, said.position.statutory_overdue) == (due_soon, overdue, statutory)


def test_an_ended_clock_stands_at_the_resolution_whatever_the_time_is() -> None:
    said = read(running().do(ask.Resolve(outcome=Outcome.GRANTED), at(21, "16:00")), at(31))
    assert (said.position.state, said.position.stands_at) == (ClockState.ENDED, at(21, "16:00"))
    assert (said.position.overdue, said.position.due_soon, said.position.timeliness) == (False, False, Timeliness.ON_TIME)


def test_a_stopped_clock_stands_where_it_stopped_and_does_not_become_overdue() -> None:
    life = running().do(ask.RequestPayment(amount_vnd=1), at(18, "10:00"))
    for now in (at(18, "11:00"), at(31), moment("2021-06-01 09:00")):
        said = read(life, now)
        assert (said.position.state, said.position.stands_at) == (ClockState.STOPPED, at(18, "10:00"))
        assert (said.position.overdue, said.position.due_soon, said.position.working_left) == (False, False, None)
        assert said.left.vi == "đồng hồ đang dừng; khi dừng còn 1 ngày 5 giờ làm việc"
        assert said.working_microseconds_used == 10 * HOUR


def test_a_historical_clock_behind_the_acceptance_reads_nothing_used() -> None:
    assert read(running(), at(1)).working_microseconds_used == 0


def test_an_agencys_clock_is_real_time_unless_it_stands() -> None:
    assert AgencyClock().time(at(31)) == at(31)
    assert AgencyClock(ClockMode.HISTORICAL, at(17)).time(at(31)) == at(17)
