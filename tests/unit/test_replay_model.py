"""The simulated year: exact totals and plausible times."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from statistics import mean, median
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.replay.driver import past_of
from deploy.replay.model import Dossier, Year, YearError, make_year, moments
from deploy.replay.pace import choose_pace, handling_seconds
from deploy.replay.scenario import load_scenario
from deploy.replay.working_time import make_working_time
from shared.calendar import ZONE, load_calendar
from shared.contracts.commands import Accept
from shared.contracts.words import Channel, Outcome

CALENDAR = load_calendar()
SCENARIO = load_scenario()
SEED_PROCEDURES = {"1.001806": (15, 10), "2.000189": (10, 7)}
"""Committed limits in working days until 30 June and from 1 July."""


@pytest.fixture(scope="module")
def year() -> Year:
    return make_year(SCENARIO)


def open_at_close(year: Year) -> int:
    return sum(dossier.resolved_at is None for dossier in year.dossiers)


def days_taken(dossier: Dossier) -> int:
    """Working days from acceptance to resolution; of a resolved dossier."""
    assert dossier.resolved_at is not None
    return CALENDAR.working_days_between(dossier.accepted_at.date(), dossier.resolved_at.date())


def in_counter_hours(at: datetime) -> bool:
    """Whether the counter was open in the second that ends here."""
    return CALENDAR.working_seconds(at - timedelta(seconds=1), at) == 1


# --- totals ------------------------------------------------------------------------------------------


def test_the_default_year_comes_to_the_totals_of_the_inspection(year: Year) -> None:
    assert len(year.dossiers) == 5707
    assert open_at_close(year) == 63
    assert year.closing_at == datetime(2020, 12, 17, 17, tzinfo=ZONE)


def test_the_default_year_needs_a_pace_near_one(year: Year) -> None:
    assert 0.9 < year.pace < 1.1


def test_other_seeds_need_a_pace_around_one() -> None:
    assert 0.8 < median(make_year(SCENARIO, 1000, 989, seed).pace for seed in range(15)) < 1.4


@pytest.mark.parametrize(
    ("received", "resolved"),
    [(1, 0), (1, 1), (2, 1), (63, 0), (500, 500), (500, 0), (500, 1), (500, 499), (5707, 5707)],
)
def test_totals_at_the_edges_are_exact(received: int, resolved: int) -> None:
    year = make_year(SCENARIO, received, resolved, seed=7)
    assert (len(year.dossiers), open_at_close(year)) == (received, received - resolved)


def test_a_city_s_year_of_twenty_thousand_dossiers_is_exact() -> None:
    year = make_year(SCENARIO, 20_000, 19_768)
    assert (len(year.dossiers), open_at_close(year)) == (20_000, 232)


@settings(max_examples=40, deadline=None)
@given(received=st.integers(1, 300), share=st.floats(0, 1), seed=st.integers())
def test_any_totals_are_exact_for_any_seed(received: int, share: float, seed: int) -> None:
    resolved = int(received * share)
    year = make_year(SCENARIO, received, resolved, seed)
    assert (len(year.dossiers), open_at_close(year)) == (received, received - resolved)


@pytest.mark.parametrize(
    ("received", "resolved", "said"),
    [(0, 0, "at least 1"), (-3, 0, "at least 1"), (5, 6, "5"), (5, -1, "-1")],
)
def test_impossible_totals_are_refused_in_one_line(received: int, resolved: int, said: str) -> None:
    with pytest.raises(YearError, match=said) as refusal:
        make_year(SCENARIO, received, resolved)
    assert "\n" not in str(refusal.value)


def test_the_same_seed_gives_the_same_year_and_another_seed_another() -> None:
    first = make_year(SCENARIO, 50, 45, 1, "a")
    assert first == make_year(SCENARIO, 50, 45, 1, "a")
    assert first.dossiers != make_year(SCENARIO, 50, 45, 2, "a").dossiers
    elsewhere = make_year(SCENARIO, 50, 45, 1, "b")
    assert [one.accepted_at for one in elsewhere.dossiers] == [one.accepted_at for one in first.dossiers]
    assert (first.dossiers[0].external_id, elsewhere.dossiers[0].external_id) == ("a:1:00001", "b:1:00001")


def test_the_default_year_is_made_in_little_time() -> None:
    started = perf_counter()
    make_year(SCENARIO)
    assert perf_counter() - started < 4  # about half a second on an idle machine


# --- tasks -------------------------------------------------------------------------------------------


def test_the_tasks_of_the_default_year_come_to_their_totals(year: Year) -> None:
    assigned = {code: (count, done) for code, count, done in year.tasks_by_procedure()}
    assert assigned["task.key"] == (3, 0)
    assert assigned["task.programme"] == (22, 0)
    routine, ad_hoc = assigned["task.routine"], assigned["task.ad-hoc"]
    assert (routine[0] + ad_hoc[0], routine[1] + ad_hoc[1]) == (262, 226)


def test_every_task_lies_in_the_year_in_counter_hours_and_in_order(year: Year) -> None:
    for task in year.tasks:
        ends = [task.resolved_at] if task.resolved_at else []
        times = [task.accepted_at, *(each.occurred_at for each in task.milestones), *ends]
        assert times == sorted(times)
        assert year.opened_at <= times[0]
        assert times[-1] <= year.closing_at
        assert all(map(in_counter_hours, times))
    assert len({task.external_id for task in year.tasks}) == 287


def test_key_tasks_and_programmes_show_milestones_and_nobody_says_they_are_finished(year: Year) -> None:
    undertakings = [task for task in year.tasks if task.procedure in ("task.key", "task.programme")]
    assert {len(task.milestones) for task in undertakings} == {4}
    assert {task.resolved_at for task in undertakings} == {None}
    assert not any(task.milestones for task in year.tasks if task not in undertakings)


def test_a_year_of_other_totals_has_no_tasks_and_the_dossiers_are_the_same_with_and_without(year: Year) -> None:
    assert make_year(SCENARIO, 50, 45).tasks == ()
    assert make_year(SCENARIO.model_copy(update={"tasks": None})).dossiers == year.dossiers


def test_a_task_is_sent_without_an_applicant_and_without_a_deadline(year: Year) -> None:
    cases = [case for case in past_of(year).cases if case.filing["kind"] == "task"]
    assert len(cases) == 287
    assert not any("applicant" in case.filing for case in cases)
    bodies = [move.body for case in cases for move in case.commands]
    assert Counter(body.type for body in bodies) == {"accept": 287, "resolve": 226, "reach_milestone": 100}
    assert all(body.due_at is None for body in bodies if isinstance(body, Accept))


# --- the pace ----------------------------------------------------------------------------------------


def test_the_pace_stays_one_where_one_already_fits() -> None:
    assert choose_pace([0.5, 2.0], 1) == 1.0


def test_the_pace_lies_in_the_geometric_middle_of_its_interval() -> None:
    assert choose_pace([16.0, 4.0, 100.0], 1) == 8.0


def test_the_pace_lies_just_inside_at_both_ends() -> None:
    assert 0.49 < choose_pace([0.5, 0.7], 0) < 0.5
    assert 2.0 < choose_pace([2.0, 1.5], 2) < 2.01


def test_handling_is_whole_seconds_and_never_none() -> None:
    assert (handling_seconds(1, 0.001), handling_seconds(2, 10.2)) == (1, 21)


def test_every_case_is_open_exactly_when_its_own_time_runs_beyond_the_close(year: Year) -> None:
    """No case is closed or held by force: open ones were accepted in the last weeks."""
    still_open = [dossier for dossier in year.dossiers if dossier.resolved_at is None]
    slowest = max(days_taken(dossier) for dossier in year.dossiers if dossier.resolved_at)
    for dossier in still_open:
        waited = CALENDAR.working_days_between(dossier.accepted_at.date(), date(2020, 12, 17))
        assert waited <= slowest + 1


def test_a_slower_agency_leaves_the_same_and_more_dossiers_open(year: Year) -> None:
    slower = make_year(SCENARIO, 5707, 5600)
    assert slower.pace > year.pace
    open_now = {one.index for one in year.dossiers if one.resolved_at is None}
    assert open_now < {one.index for one in slower.dossiers if one.resolved_at is None}
    assert [one.accepted_at for one in slower.dossiers] == [one.accepted_at for one in year.dossiers]


def test_little_s_law_holds_between_arrivals_handling_time_and_open_cases(year: Year) -> None:
    """Open cases are about arrivals a day times mean handling days; here within what chance allows."""
    time = make_working_time(CALENDAR, date(2020, 12, 17))
    spent = [
        CALENDAR.working_seconds(dossier.accepted_at, dossier.resolved_at) / time.per_day
        for dossier in year.dossiers
        if dossier.resolved_at
    ]
    assert 40 < len(year.dossiers) / len(time.days) * mean(spent) < 90


# --- times -------------------------------------------------------------------------------------------


def test_dossiers_are_numbered_in_the_order_of_acceptance(year: Year) -> None:
    accepted = [dossier.accepted_at for dossier in year.dossiers]
    assert accepted == sorted(accepted)
    assert [dossier.index for dossier in year.dossiers] == list(range(1, 5708))
    assert year.dossiers[41].external_id == "so-ldtbxh:2020:00042"
    assert len({dossier.external_id for dossier in year.dossiers}) == 5707


def test_every_life_is_in_order_and_inside_the_year(year: Year) -> None:
    for dossier in year.dossiers:
        times = [at for at, _ in moments(dossier)]
        assert times == sorted(times)
        assert year.opened_at <= times[0]
        assert times[-1] <= year.closing_at
        assert all(at.microsecond == 0 for at in times)


def test_everything_but_online_filing_happens_in_counter_hours(year: Year) -> None:
    for dossier in year.dossiers:
        for at, what in moments(dossier):
            if not (what == "submitted" and dossier.channel is Channel.ONLINE):
                assert in_counter_hours(at), (dossier.external_id, what, at)


def test_filings_of_nights_and_days_off_wait_for_an_officer_of_the_next_working_day(year: Year) -> None:
    closed = [dossier for dossier in year.dossiers if not in_counter_hours(dossier.submitted_at)]
    online = [dossier for dossier in year.dossiers if dossier.channel is Channel.ONLINE]
    assert 0.3 < len(closed) / len(online) < 0.5
    assert {dossier.channel for dossier in closed} == {Channel.ONLINE}
    for dossier in closed:
        assert CALENDAR.working_seconds(dossier.submitted_at, dossier.accepted_at) <= 8 * 3600


def test_counter_and_post_are_accepted_on_the_day_of_filing(year: Year) -> None:
    for dossier in year.dossiers:
        if dossier.channel is not Channel.ONLINE:
            assert dossier.submitted_at.date() == dossier.accepted_at.date()


def test_a_resolved_dossier_has_all_its_steps_and_ends_with_the_last(year: Year) -> None:
    lengths = Counter(len(dossier.steps) for dossier in year.dossiers if dossier.resolved_at)
    assert lengths.keys() == {3, 5}
    for dossier in year.dossiers:
        if dossier.resolved_at:
            assert dossier.steps[-1].occurred_at == dossier.resolved_at
            assert dossier.steps[-1].step == "stamp"


def test_an_open_dossier_has_no_end_and_no_outcome(year: Year) -> None:
    for dossier in year.dossiers:
        if dossier.resolved_at is None:
            assert (dossier.returned_at, dossier.outcome) == (None, None)
            assert "stamp" not in [step.step for step in dossier.steps]


def test_some_results_of_the_last_days_are_not_picked_up_yet(year: Year) -> None:
    waiting = [one for one in year.dossiers if one.resolved_at and one.returned_at is None]
    assert 10 < len(waiting) < 120
    assert min(one.resolved_at for one in waiting if one.resolved_at) > datetime(2020, 12, 1, tzinfo=ZONE)


# --- shape -------------------------------------------------------------------------------------------


def test_about_twenty_four_a_day_arrive_and_every_working_day_has_some(year: Year) -> None:
    by_day = Counter(dossier.accepted_at.date() for dossier in year.dossiers)
    assert len(by_day) == 242
    assert 23 < mean(by_day.values()) < 24


def test_most_end_on_the_same_or_next_day_and_a_few_take_weeks(year: Year) -> None:
    taken = [days_taken(dossier) for dossier in year.dossiers if dossier.resolved_at]
    assert sum(days <= 1 for days in taken) / len(taken) > 0.55
    assert 0.02 < sum(days > 10 for days in taken) / len(taken) < 0.1


def test_all_ten_fields_and_three_channels_both_ways_are_used(year: Year) -> None:
    assert len({dossier.field for dossier in year.dossiers}) == 10
    assert {one.channel for one in year.dossiers} == {Channel.COUNTER, Channel.ONLINE, Channel.POST}
    assert {one.return_channel for one in year.dossiers} == {Channel.COUNTER, Channel.ONLINE, Channel.POST}
    assert {one.outcome for one in year.dossiers} == {Outcome.GRANTED, Outcome.REFUSED, None}


@pytest.mark.parametrize("code", SEED_PROCEDURES)
@pytest.mark.parametrize("half", [0, 1])
def test_the_seed_procedures_take_less_than_their_limit_on_average(year: Year, code: str, half: int) -> None:
    taken = [
        days_taken(dossier)
        for dossier in year.dossiers
        if dossier.procedure == code and dossier.resolved_at and (dossier.accepted_at.month > 6) == bool(half)
    ]
    assert 20 < len(taken) < 300
    assert 0.5 < mean(taken) / SEED_PROCEDURES[code][half] < 0.9
