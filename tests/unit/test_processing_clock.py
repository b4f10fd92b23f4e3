"""Where the clock of a case and of an agency stands."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from services.processing.domain.case import Case
from services.processing.domain.clock import AgencyClock, ClockState, read_clock
from shared.calendar import load_calendar
from shared.contracts.words import ClockMode

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
HOUR = 3600.0


def at(day: int, hour: int = 8, minute: int = 0) -> datetime:
    """A moment of December 2020 in Viet Nam."""
    return datetime(2020, 12, day, hour, minute, tzinfo=ZONE)


RUNNING = Case(status=2, accepted_at=at(17), due_at=at(21, 17), statutory_due_at=at(22, 17))


def test_before_acceptance_the_clock_has_not_started() -> None:
    reading = read_clock(Case(status=1, submitted_at=at(17)), at(30), load_calendar())
    assert (reading.state, reading.stands_at, reading.working_seconds_used) == (ClockState.NOT_STARTED, None, 0.0)


@pytest.mark.parametrize(
    ("now", "hours", "due_soon", "overdue", "statutory"),
    [
        (at(17, 12), 3.5, False, False, False),
        (at(18, 8), 8.0, False, False, False),
        (at(20, 23), 15.0, False, False, False),
        (at(21, 0), 15.0, True, False, False),
        (at(21, 23, 59), 23.0, True, False, False),
        (at(22, 0), 23.0, False, True, False),
        (at(23, 0), 31.0, False, True, True),
    ],
)
def test_a_running_clock_counts_working_time_and_is_overdue_from_midnight(
    now: datetime, hours: float, due_soon: bool, overdue: bool, statutory: bool
) -> None:
    reading = read_clock(RUNNING, now, load_calendar())
    assert reading.state is ClockState.RUNNING
    assert reading.working_seconds_used == hours * HOUR
    assert (reading.due_soon, reading.overdue, reading.statutory_overdue) == (due_soon, overdue, statutory)


def test_an_ended_clock_stands_at_the_resolution_whatever_the_time_is() -> None:
    case = RUNNING._replace(status=9, resolved_at=at(21, 16))
    reading = read_clock(case, at(31), load_calendar())
    assert (reading.state, reading.stands_at) == (ClockState.ENDED, at(21, 16))
    assert (reading.overdue, reading.due_soon) == (False, False)


def test_a_historical_clock_behind_the_acceptance_reads_nothing_used() -> None:
    assert read_clock(RUNNING, at(1), load_calendar()).working_seconds_used == 0


def test_an_agencys_clock_is_real_time_unless_it_stands() -> None:
    assert AgencyClock().time(at(31)) == at(31)
    assert AgencyClock(ClockMode.HISTORICAL, at(17)).time(at(31)) == at(17)
