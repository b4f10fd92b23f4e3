"""What time makes of a case: due soon, overdue, and every level of escalation, once for each deadline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.processing.domain.case import OPEN, Case
from services.processing.domain.escalation import Escalation, Late, Level, make_chains
from services.processing.domain.machine import evolve
from services.processing.domain.timers import due_facts, next_timer, pass_time
from shared.contracts import events as fact
from shared.contracts.words import Outcome, Regime, Status, Timeliness
from tests.support.timing import ABOUT, ACCEPTED, DUE, LATER, RULES, Rules, accepted, local, name_of, said


def test_a_case_is_due_soon_on_its_due_date_and_overdue_from_the_midnight_after_it_level_by_level() -> None:
    # Thursday 31 December; 1 January is a holiday, so two working days later is Tuesday 5 January
    assert said(due_facts(accepted(), LATER, RULES)) == [
        ("due_soon", "2020-12-31 00:00:00"),
        ("overdue", "2021-01-01 00:00:00"),
        ("overdue.1 unit-head", "2021-01-01 00:00:00"),
        ("overdue.2 director", "2021-01-06 00:00:00"),
        ("overdue.3 city", "2021-01-09 00:00:00"),
    ]


def test_every_fact_names_the_deadline_that_it_is_about() -> None:
    assert {event.due_at for event, _ in due_facts(accepted(), LATER, RULES)} == {DUE}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("until", "count"),
    [("2020-12-30T23:59:59", 0), ("2020-12-31T00:00:00", 1), ("2020-12-31T23:59:59.999999", 1), ("2021-01-01T00:00:00", 3)],
)
def test_nothing_is_said_before_its_time(until: str, count: int) -> None:
    assert len(due_facts(accepted(), local(until), RULES)) == count


def test_what_was_said_is_not_said_again() -> None:
    case, facts = pass_time(accepted(), LATER, RULES)
    assert len(facts) == 5
    assert due_facts(case, LATER + timedelta(days=3650), RULES) == []
    assert next_timer(case, RULES) is None


def test_facts_said_one_by_one_are_those_said_at_once() -> None:
    case, facts = accepted(), []
    while (at := next_timer(case, RULES)) is not None:
        case, passed = pass_time(case, at, RULES)
        facts += passed
    assert said(facts) == said(due_facts(accepted(), LATER, RULES))


def test_a_new_due_date_has_facts_of_its_own() -> None:
    case, _ = pass_time(accepted(), local("2021-01-01T08:00"), RULES)
    extended = fact.CaseExtended(**ABOUT, old_due_at=DUE, new_due_at=local("2021-01-08T17:00"), reason="late", apology="sorry")
    case = evolve(case, extended, local("2021-01-01T09:00"))
    assert said(due_facts(case, local("2021-01-09T00:00"), RULES)) == [
        ("due_soon", "2021-01-08 00:00:00"),
        ("overdue", "2021-01-09 00:00:00"),
        ("overdue.1 unit-head", "2021-01-09 00:00:00"),
    ]


@pytest.mark.parametrize("status", sorted(set(Status) - OPEN - {Status.RESOLVED}))
def test_a_case_that_does_not_run_has_no_due_date_to_miss(status: Status) -> None:
    assert due_facts(accepted(status=status), LATER, RULES) == []


@pytest.mark.parametrize("status", [Status.SUPPLEMENT_REQUESTED, Status.PAYMENT_REQUESTED])
def test_a_stopped_clock_lets_only_the_applicants_own_deadline_pass(status: Status) -> None:
    assert due_facts(accepted(status=status), LATER, RULES) == []
    reason = "supplement_timeout" if status == Status.SUPPLEMENT_REQUESTED else "payment_timeout"
    waiting = accepted(status=status, until=local("2020-12-21T17:00"))
    assert said(due_facts(waiting, LATER, RULES)) == [(f"{reason}.1 one-stop-head", "2020-12-22 00:00:00")]


@pytest.mark.parametrize("days", [0, 3])
def test_a_deadline_at_the_end_of_all_dates_passes_never(days: int) -> None:
    chains = make_chains({Late.SUPPLEMENT_TIMEOUT: (Level(days, "chief"),)})
    case = accepted(status=Status.SUPPLEMENT_REQUESTED, until=datetime(9999, 12, 31, 16, tzinfo=UTC))
    at = next_timer(case, Rules(escalation=Escalation(chains)))
    assert at is not None
    assert at.year == 9999


def test_a_clock_that_runs_again_behind_its_due_date_is_overdue_at_once_and_not_due_soon() -> None:
    resumed = local("2021-01-04T09:30")
    case = accepted(status=Status.SUPPLEMENT_REQUESTED, stopped_at=ACCEPTED)
    received = fact.SupplementReceived(**ABOUT, due_at=DUE, regime=Regime.SUBTRACT)
    case = evolve(case, received, resumed)
    assert said(due_facts(case, resumed, RULES)) == [
        ("overdue", "2021-01-04 09:30:00"),
        ("overdue.1 unit-head", "2021-01-04 09:30:00"),
    ]


@pytest.mark.parametrize(
    ("at", "first", "second"),
    [
        ("2020-12-17T14:59", "2020-12-17 17:00:00", "2020-12-18 17:00:00"),
        ("2020-12-17T15:00", "2020-12-18 07:00:00", "2020-12-18 17:00:00"),
        ("2020-12-18T16:00", "2020-12-21 07:00:00", "2020-12-21 17:00:00"),
        ("2020-12-19T09:00", "2020-12-21 07:00:00", "2020-12-21 17:00:00"),
    ],
)
def test_a_case_without_a_unit_is_escalated_when_it_should_have_been_handed_over(at: str, first: str, second: str) -> None:
    case = accepted(unit=None, accepted_at=local(at), last_fact_at=local(at), due_at=None)
    expected = [("unassigned.1 one-stop-head", first), ("unassigned.2 director", second)]
    assert said(due_facts(case, LATER, RULES)) == expected


def test_an_assigned_case_and_one_with_another_agency_are_nobodys_leftovers() -> None:
    assert due_facts(accepted(due_at=None), LATER, RULES) == []
    assert due_facts(accepted(unit=None, holder="so-y-te", due_at=None), LATER, RULES) == []


def test_a_late_case_without_a_unit_goes_up_both_chains() -> None:
    names = [name.partition(" ")[0] for name, _ in said(due_facts(accepted(unit=None), LATER, RULES))]
    assert names == ["unassigned.1", "unassigned.2", "due_soon", "overdue", "overdue.1", "overdue.2", "overdue.3"]


def test_another_units_answer_is_late_to_the_minute() -> None:
    case = accepted(due_at=None, answer_by=local("2020-12-18T11:15"))
    assert said(due_facts(case, LATER, RULES)) == [
        ("answer_late.1 one-stop-head", "2020-12-18 11:15:00"),
        ("answer_late.2 director", "2020-12-22 11:15:00"),
    ]


def resolved(**changes: Any) -> Case:
    at = local("2020-12-28T15:00")
    return accepted(status=Status.RESOLVED, resolved_at=at, last_fact_at=at, outcome="granted", **changes)


def test_a_result_that_nobody_fetched_is_escalated_after_so_many_working_days() -> None:
    # five working days after Monday 28 December: 29, 30, 31, 4, 5
    assert said(due_facts(resolved(), LATER, RULES)) == [("undelivered.1 one-stop-head", "2021-01-06 00:00:00")]
    soon = Rules(escalation=Escalation(undelivered_after=1))
    assert said(due_facts(resolved(), LATER, soon)) == [("undelivered.1 one-stop-head", "2020-12-30 00:00:00")]


def test_a_task_and_a_silence_leave_nothing_to_fetch() -> None:
    assert due_facts(resolved(kind="task"), LATER, RULES) == []
    assert due_facts(resolved()._replace(outcome="no_objection"), LATER, RULES) == []


@pytest.mark.parametrize("status", [Status.RESOLVED, Status.RETURNED])
def test_a_duty_after_the_result_is_late_whether_the_result_was_fetched_or_not(status: Status) -> None:
    case = resolved(kind="task", duty="publish", duty_by=local("2020-12-30T17:00"))._replace(status=status)
    assert said(due_facts(case, LATER, RULES)) == [
        ("duty_late.1 unit-head", "2020-12-31 00:00:00"),
        ("duty_late.2 director", "2021-01-05 00:00:00"),
    ]


def test_an_imported_case_has_no_timers() -> None:
    assert next_timer(accepted(origin="import", unit=None), RULES) is None


def test_silence_is_an_answer_in_the_last_second_where_the_law_lets_it() -> None:
    at = local("2026-08-03T09:00")
    due_at = local("2026-08-12T17:00")
    case = accepted(
        procedure="2.001955", procedure_version=1, accepted_at=at, last_fact_at=at, due_at=due_at, statutory_due_at=due_at
    )
    facts = due_facts(case, due_at + timedelta(days=30), RULES)
    assert said(facts) == [("due_soon", "2026-08-12 00:00:00"), ("resolved", "2026-08-12 23:59:59")]
    ended = facts[-1][0]
    assert isinstance(ended, fact.CaseResolved)
    assert (ended.outcome, ended.timeliness, ended.statutory_timeliness) == (
        Outcome.NO_OBJECTION,
        Timeliness.ON_TIME,
        Timeliness.ON_TIME,
    )


def test_the_record_of_a_past_year_says_how_a_case_ended_and_nothing_of_duties() -> None:
    due_at = local("2020-12-31T17:00")
    replayed = accepted(procedure="2.001955", procedure_version=1, origin="replay", due_at=due_at)
    assert [name for name, _ in said(due_facts(replayed, local("2021-01-01T08:00"), RULES))] == [
        "due_soon",
        "overdue",
        "overdue.1 unit-head",
    ]
    assert due_facts(resolved(kind="task", origin="replay", duty="publish", duty_by=due_at), LATER, RULES) == []


def test_facts_of_time_leave_the_case_open_for_what_happened_before_them() -> None:
    case, facts = pass_time(accepted(), local("2021-01-01T00:00:05"), RULES)
    assert len(facts) == 3
    assert case.last_fact_at == ACCEPTED


TIMES = some.datetimes(datetime(2019, 1, 1), datetime(2027, 12, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


@given(
    at=TIMES,
    due_in=some.one_of(some.none(), some.timedeltas(timedelta(0), timedelta(days=90))),
    unit=some.sampled_from([None, "labour"]),
    answer_in=some.one_of(some.none(), some.timedeltas(timedelta(0), timedelta(days=20))),
    steps=some.lists(some.timedeltas(timedelta(minutes=1), timedelta(days=40)), max_size=8),
)
def test_each_fact_comes_once_in_order_never_early_and_however_time_passes(
    at: datetime, due_in: timedelta | None, unit: str | None, answer_in: timedelta | None, steps: list[timedelta]
) -> None:
    due_at, answer_by = (None if each is None else at + each for each in (due_in, answer_in))
    case = accepted(accepted_at=at, last_fact_at=at, unit=unit, due_at=due_at, answer_by=answer_by)
    end = at + timedelta(days=400)
    at_once = due_facts(case, end, RULES)
    facts, now = [], at
    for step in [*steps, timedelta(days=400)]:
        now = min(now + step, end)
        case, passed = pass_time(case, now, RULES)
        assert all(moment <= now for _, moment in passed)
        facts += passed
    assert facts == at_once
    names = [name_of(event) for event, _ in facts]
    assert len(names) == len(set(names))
    moments = [moment for _, moment in facts]
    assert moments == sorted(moments)
    for late in ("overdue", "unassigned", "answer_late"):
        levels = [name for name in names if name.startswith(f"{late}.")]
        assert [int(name.split(".")[1].split()[0]) for name in levels] == list(range(1, len(levels) + 1))
