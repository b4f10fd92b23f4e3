"""A changed calendar moves the due dates of open cases, and those only; what a person gave stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.processing.domain.almanac import Almanac
from services.processing.domain.machine import evolve
from services.processing.domain.recalculation import COUNTED, recalculate
from shared.calendar import CalendarDay, DayKind, DayStatus, LimitUnit, WorkingCalendar, load_calendar, local_date
from shared.contracts.commands import Command
from shared.contracts.events import DueDateRecalculated
from shared.contracts.words import Channel, Kind, Outcome, Regime, StopKind
from tests.support.lives import Life, ask, catalogue, moment

WORKING, DAYS, HOURS = LimitUnit.WORKING_DAYS, LimitUnit.CALENDAR_DAYS, LimitUnit.HOURS
PACKAGED = Almanac(load_calendar().days)
TEN, FIFTEEN = (10, WORKING), (15, WORKING)
SUPPLEMENT = ask.RequestSupplement(documents=("a",), reason="missing_documents")
SUSPEND, RESUME = ask.Stop(stop_kind=StopKind.SUSPENDED, reason="force_majeure"), ask.Resume(reason="goes_on")


def with_off(*days: str) -> WorkingCalendar:
    """The packaged calendar with some more days off."""
    almanac = PACKAGED
    for day in days:
        almanac = almanac.with_day(CalendarDay(date.fromisoformat(day), DayKind.OFF, "Nghỉ", "Off", DayStatus.VERIFIED))
    return almanac.calendar()


def accepted(at: str = "2020-12-17 09:00", regime: Regime = Regime.RESTART) -> Life:
    """A dossier of 10 committed and 15 statutory working days: due on 31 December and 8 January."""
    return Life(catalogue(TEN, FIFTEEN, regime), moment(at)).do(ask.Accept(), at)


def recalculated(life: Life, calendar: WorkingCalendar) -> DueDateRecalculated | None:
    return recalculate(life.case, life.history, life.version(), calendar)


def dates(event: DueDateRecalculated | None) -> tuple[str | None, ...]:
    assert event is not None
    times = (event.old_due_at, event.new_due_at, event.old_statutory_due_at, event.new_statutory_due_at)
    return tuple(str(local_date(at)) if at else None for at in times)


def test_a_new_day_off_moves_both_due_dates_and_keeps_the_old_promise() -> None:
    event = recalculated(accepted(), with_off("2020-12-24"))
    assert dates(event) == ("2020-12-31", "2021-01-04", "2021-01-08", "2021-01-11")
    assert event is not None
    assert event.reason == "calendar_changed"


def test_a_day_after_the_due_date_moves_only_the_statutory_one() -> None:
    assert dates(recalculated(accepted(), with_off("2021-01-05"))) == ("2020-12-31", "2020-12-31", "2021-01-08", "2021-01-11")


def test_a_make_up_saturday_brings_the_due_date_back() -> None:
    days = [
        CalendarDay(date(2020, 12, 19), DayKind.WORK, "a", "a", DayStatus.VERIFIED, date(2021, 2, 8)),
        CalendarDay(date(2021, 2, 8), DayKind.OFF, "a", "a", DayStatus.VERIFIED, date(2020, 12, 19)),
    ]
    calendar = WorkingCalendar((*PACKAGED.days, *days))
    assert dates(recalculated(accepted(), calendar))[1] == "2020-12-30"


def test_a_day_outside_the_count_is_no_fact() -> None:
    assert recalculated(accepted(), with_off("2021-06-01", "2020-12-16", "2020-12-26")) is None


def test_other_counter_hours_move_the_hour_of_the_appointment() -> None:
    short = PACKAGED.with_hours(None, replace(PACKAGED.hours, spans=PACKAGED.hours.spans[:1])).calendar()
    event = recalculated(accepted(), short)
    assert event is not None
    assert event.new_due_at == moment("2020-12-31 11:30")


def test_a_restarted_count_is_counted_from_the_completion() -> None:
    life = accepted().do(SUPPLEMENT, "2020-12-18 09:00").do(ask.ReceiveSupplement(), "2021-03-01 09:00")
    assert str(local_date(life.case.due_at or moment("2000-01-01"))) == "2021-03-15"
    assert recalculated(life, with_off("2020-12-24")) is None
    assert dates(recalculated(life, with_off("2021-03-03")))[1] == "2021-03-16"


@pytest.mark.parametrize(
    ("regime", "due"), [(Regime.EXTEND, ("2021-01-08", "2021-01-11")), (Regime.SUBTRACT, ("2020-12-31", "2021-01-04"))]
)
def test_a_standstill_is_counted_again_by_its_regime(regime: Regime, due: tuple[str, str]) -> None:
    life = accepted(regime=regime).do(SUPPLEMENT, "2020-12-21 09:00").do(ask.ReceiveSupplement(), "2020-12-28 09:00")
    assert dates(recalculated(life, with_off("2020-12-29")))[:2] == due


def test_a_day_off_inside_a_standstill_makes_both_the_limit_longer_and_the_standstill_shorter() -> None:
    life = accepted().do(SUSPEND, "2020-12-21 09:00").do(RESUME, "2020-12-28 09:00")
    assert str(local_date(life.case.due_at or moment("2000-01-01"))) == "2021-01-08"
    assert recalculated(life, with_off("2020-12-24")) is None


def test_a_stopped_clock_is_counted_again_so_that_what_is_added_to_it_is_right() -> None:
    life = accepted().do(SUSPEND, "2020-12-21 09:00")
    calendar = with_off("2020-12-24")
    event = recalculated(life, calendar)
    assert dates(event)[:2] == ("2020-12-31", "2021-01-04")
    assert event is not None
    life.state(event, "2020-12-25 09:00")
    life.calendar = calendar
    life.do(RESUME, "2020-12-28 09:00")
    assert str(local_date(life.case.due_at or moment("2000-01-01"))) == "2021-01-08"


def test_the_appointment_of_an_extension_stays_and_the_law_goes_on() -> None:
    life = accepted().do(
        ask.Extend(new_due_at=moment("2021-01-15 17:00"), reason="verification", apology="issued"), "2020-12-22 09:00"
    )
    assert dates(recalculated(life, with_off("2020-12-24"))) == ("2021-01-15", "2021-01-15", "2021-01-08", "2021-01-11")


def test_the_deadline_of_a_task_stays() -> None:
    life = Life(catalogue(TEN, FIFTEEN), moment("2020-12-17 09:00"), Kind.TASK)
    life.do(ask.Accept(due_at=moment("2020-12-31 17:00")), "2020-12-17 09:00")
    assert recalculated(life, with_off("2020-12-24")) is None


@pytest.mark.parametrize("limit", [(240, HOURS), (5, DAYS)])
def test_what_does_not_count_by_the_table_stays(limit: tuple[int, LimitUnit]) -> None:
    life = Life(catalogue(limit, None), moment("2020-12-17 09:00")).do(ask.Accept(), "2020-12-17 09:00")
    assert recalculated(life, with_off("2020-12-21")) is None


def test_calendar_days_that_end_on_the_new_day_off_are_rolled() -> None:
    life = Life(catalogue((7, DAYS), None), moment("2020-12-17 09:00")).do(ask.Accept(), "2020-12-17 09:00")
    assert dates(recalculated(life, with_off("2020-12-24")))[:2] == ("2020-12-24", "2020-12-25")


def test_a_case_that_is_not_open_or_has_no_known_limit_is_left_alone() -> None:
    calendar = with_off("2020-12-24")
    assert recalculated(Life(catalogue(TEN, None), moment("2020-12-17 09:00")), calendar) is None
    unknown = Life(catalogue(None, None), moment("2020-12-17 09:00")).do(ask.Accept(), "2020-12-17 09:00")
    assert recalculated(unknown, calendar) is None
    resolved = accepted().do(ask.Resolve(outcome=Outcome.GRANTED), "2020-12-21 09:00")
    assert recalculated(resolved, calendar) is None
    assert recalculated(resolved.do(ask.Return(channel=Channel.POST), "2020-12-21 10:00"), calendar) is None
    terminated = accepted().do(ask.Stop(stop_kind=StopKind.TERMINATED, reason="terminated"), "2020-12-21 09:00")
    assert recalculated(terminated, calendar) is None


def test_a_case_whose_version_the_catalogue_has_lost_keeps_its_due_dates() -> None:
    life = accepted()
    assert recalculate(life.case, life.history, None, with_off("2020-12-24")) is None


def test_a_corrected_acceptance_is_counted_from_its_true_time() -> None:
    life = accepted()
    life.do(
        ask.Correct(event_id=life.history[1].id, reason="typing_error", occurred_at=moment("2020-12-18 09:00")),
        "2020-12-21 09:00",
    )
    assert dates(recalculated(life, with_off("2020-12-24")))[:2] == ("2021-01-04", "2021-01-05")


def test_the_fact_moves_the_due_dates_and_not_the_time_of_the_last_fact() -> None:
    life = accepted()
    before, event = life.case, recalculated(life, with_off("2020-12-24"))
    assert event is not None
    after = evolve(before, event, moment("2020-12-21 09:00"))
    assert (after.due_at, after.statutory_due_at) == (event.new_due_at, event.new_statutory_due_at)
    assert after.last_fact_at == before.last_fact_at


# --- any history -----------------------------------------------------------------------------------

GAPS = st.integers(0, 120).map(lambda hours: timedelta(hours=hours))
COMMANDS: list[Command] = [
    SUPPLEMENT,
    ask.ReceiveSupplement(),
    ask.RequestPayment(amount_vnd=1000),
    ask.ReceivePayment(amount_vnd=1000),
    SUSPEND,
    RESUME,
    RESUME,
    ask.RequestWithdrawal(),
    ask.CompleteStep(step="examine"),
    ask.Resolve(outcome=Outcome.GRANTED),
    ask.Reopen(reason="wrong_result"),
]
LIMITS = st.tuples(st.integers(1, 30), st.sampled_from([WORKING, WORKING, DAYS]))
NEW_DAYS = st.lists(st.dates(date(2020, 1, 1), date(2021, 6, 1)).map(str), max_size=6)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """An accepted case, then one thing after another; what is illegal is not carried out."""
    committed = draw(LIMITS)
    at = moment("2020-01-02 08:00") + draw(st.integers(0, 360).map(lambda days: timedelta(days=days)))
    life = Life(catalogue(committed, (committed[0] + 5, committed[1]), draw(st.sampled_from(Regime))), at).do(ask.Accept(), at)
    for command in draw(st.lists(st.sampled_from(COMMANDS), max_size=10)):
        at += draw(GAPS)
        if command.type == "complete_step" and draw(st.booleans()) and life.case.due_at:
            life.attempt(ask.Extend(new_due_at=life.case.due_at + draw(GAPS), reason="verification", apology="issued"), at)
        elif command.type == "complete_step" and draw(st.booleans()):
            true = life.history[1].occurred_at - draw(GAPS)
            life.attempt(ask.Correct(event_id=life.history[1].id, reason="typing_error", occurred_at=true), at)
        else:
            life.attempt(command, at)
    return life


@settings(max_examples=400, deadline=None)
@given(life=lives())
def test_under_the_same_calendar_no_due_date_of_any_history_moves(life: Life) -> None:
    assert recalculated(life, life.calendar) is None


@settings(max_examples=300, deadline=None)
@given(life=lives(), days=NEW_DAYS)
def test_one_fact_is_enough_and_going_back_gives_the_old_due_dates_again(life: Life, days: list[str]) -> None:
    before, other = life.case, with_off(*days)
    event = recalculated(life, other)
    if event is None:
        return
    life.state(event, "2022-01-01 09:00")
    assert recalculated(life, other) is None
    back = recalculated(life, load_calendar())
    assert back is not None
    assert (back.new_due_at, back.new_statutory_due_at) == (before.due_at, before.statutory_due_at)


@settings(max_examples=200, deadline=None)
@given(life=lives(), days=NEW_DAYS)
def test_only_the_facts_that_are_fetched_are_needed(life: Life, days: list[str]) -> None:
    fetched = [each for each in life.history if each.event.type in COUNTED]
    assert recalculate(life.case, fetched, life.version(), with_off(*days)) == recalculated(life, with_off(*days))
