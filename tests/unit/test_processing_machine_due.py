"""Due dates: the worked vectors, and what a supplement, a payment, a suspension and an extension make of them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from services.processing.domain.case import Case
from services.processing.domain.machine import evolve
from shared.calendar import LimitUnit
from shared.catalogue import Catalogue
from shared.contracts import commands as ask
from shared.contracts import events as fact
from shared.contracts.commands import Command
from shared.contracts.words import Kind, Origin, Outcome, Regime, Rejection, StopKind, Timeliness
from tests.support.life import after, days, facts, local, procedure, refusal, submitted

PAPERS = ask.RequestSupplement(documents=("request",), reason="missing_document")
FEE = ask.RequestPayment(amount_vnd=600_000)
PAID = ask.ReceivePayment(amount_vnd=600_000)
COMPLETE = ask.ReceiveSupplement()

VECTORS = [  # domain rules 2.2: accepted, count, unit, due
    (date(2020, 12, 17), 10, LimitUnit.WORKING_DAYS, date(2020, 12, 31)),
    (date(2020, 12, 17), 15, LimitUnit.WORKING_DAYS, date(2021, 1, 8)),
    (date(2020, 12, 17), 7, LimitUnit.WORKING_DAYS, date(2020, 12, 28)),
    (date(2021, 2, 3), 7, LimitUnit.WORKING_DAYS, date(2021, 2, 19)),
    (date(2021, 4, 28), 3, LimitUnit.WORKING_DAYS, date(2021, 5, 5)),
    (date(2023, 4, 27), 5, LimitUnit.WORKING_DAYS, date(2023, 5, 9)),
    (date(2022, 8, 30), 2, LimitUnit.WORKING_DAYS, date(2022, 9, 5)),
    (date(2024, 4, 26), 5, LimitUnit.WORKING_DAYS, date(2024, 5, 7)),
    (date(2025, 4, 25), 5, LimitUnit.WORKING_DAYS, date(2025, 5, 6)),
    (date(2025, 12, 31), 3, LimitUnit.WORKING_DAYS, date(2026, 1, 7)),
    (date(2026, 1, 8), 3, LimitUnit.WORKING_DAYS, date(2026, 1, 12)),
    (date(2026, 2, 12), 5, LimitUnit.WORKING_DAYS, date(2026, 2, 26)),
    (date(2026, 8, 20), 3, LimitUnit.WORKING_DAYS, date(2026, 8, 24)),
    (date(2026, 8, 28), 7, LimitUnit.WORKING_DAYS, date(2026, 9, 11)),
    (date(2026, 4, 20), 12, LimitUnit.CALENDAR_DAYS, date(2026, 5, 4)),
    (date(2024, 2, 1), 7, LimitUnit.CALENDAR_DAYS, date(2024, 2, 15)),
]


@pytest.mark.parametrize(("accepted_on", "count", "unit", "due_on"), VECTORS)
def test_due_dates_are_those_of_the_worked_vectors(accepted_on: date, count: int, unit: LimitUnit, due_on: date) -> None:
    known = Catalogue({"t.1": procedure("t.1", days(count, unit))}, {"t.1": "other"}, {})
    at = local(f"{accepted_on} 09:30")
    (event,) = facts(submitted("t.restart", at)._replace(procedure="t.1"), ask.Accept(), at, catalogue=known)
    assert isinstance(event, fact.CaseAccepted)
    assert event.due_at == event.statutory_due_at == local(f"{due_on} 17:00")


def accepted(code: str, at: str = "2021-03-01 09:30") -> Case:
    moment = local(at)
    return after(submitted(code, moment), moment, ask.Accept())


def dates(case: Case) -> tuple[str | None, ...]:
    """Both due dates, local, to the minute."""
    zone = local("2021-01-01 00:00").tzinfo
    return tuple(f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else None for at in (case.due_at, case.statutory_due_at))


def test_a_completed_dossier_is_counted_again_from_the_start() -> None:
    case = after(accepted("t.restart"), local("2021-03-04 16:00"), PAPERS)
    assert case.stopped_at == local("2021-03-04 16:00")
    (event,) = facts(case, COMPLETE, local("2021-03-12 08:00"))
    assert isinstance(event, fact.SupplementReceived)
    assert (event.regime, event.old_due_at) == (Regime.RESTART, local("2021-03-15 17:00"))
    case = evolve(case, event, local("2021-03-12 08:00"))
    assert dates(case) == ("2021-03-26 17:00", "2021-04-02 17:00")
    assert (case.clock_from, case.stopped_at, case.accepted_at) == (local("2021-03-12 08:00"), None, local("2021-03-01 09:30"))


REGIMES = [
    ("t.restart", ("2021-03-26 17:00", "2021-04-02 17:00")),
    ("t.extend", ("2021-03-23 17:00", "2021-03-30 17:00")),
    ("t.subtract", ("2021-03-15 17:00", "2021-03-22 17:00")),
    ("t.calendar", ("2021-03-23 17:00", "2021-03-23 17:00")),
    ("t.hours", ("2021-03-01 21:30", "2021-03-01 21:30")),
    ("t.unknown", (None, None)),
]


@pytest.mark.parametrize(("code", "due"), REGIMES)
def test_each_regime_makes_its_own_due_dates_of_a_supplement(code: str, due: tuple[str | None, ...]) -> None:
    case = after(accepted(code), local("2021-03-04 16:00"), PAPERS)
    assert dates(after(case, local("2021-03-12 08:00"), COMPLETE)) == due


def test_a_standstill_of_hours_is_elapsed_time() -> None:
    case = after(accepted("t.hours"), local("2021-03-01 12:00"), FEE)
    assert dates(after(case, local("2021-03-05 13:30"), PAID)) == ("2021-03-05 23:00", "2021-03-05 23:00")


@pytest.mark.parametrize(
    ("stopped", "resumed", "due"),
    [
        ("2021-03-04 09:00", "2021-03-04 16:00", "2021-03-15 17:00"),  # the same day: nothing
        ("2021-03-05 16:00", "2021-03-08 09:00", "2021-03-16 17:00"),  # over a week-end: one working day
        ("2021-03-06 09:00", "2021-03-07 09:00", "2021-03-15 17:00"),  # within a week-end: none
        ("2021-03-04 09:00", "2021-05-04 09:00", "2021-05-13 17:00"),  # 40 working days: 21/4, 30/4, 1/5, 3/5 are off
    ],
)
@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (FEE, PAID),
        (ask.Stop(stop_kind=StopKind.SUSPENDED, reason="court_case"), ask.Resume(reason="case_decided")),
        (ask.Stop(stop_kind=StopKind.TERMINATED, reason="mistake"), ask.Resume(reason="stopped_by_mistake")),
        (ask.RequestWithdrawal(), ask.Resume(reason="taken_back")),
    ],
)
def test_every_standstill_but_a_supplement_moves_the_due_date_by_its_working_days(
    begin: Command, end: Command, stopped: str, resumed: str, due: str
) -> None:
    case = after(accepted("t.restart"), local(stopped), begin)
    assert case.stopped_at == local(stopped)
    case = after(case, local(resumed), end)
    assert dates(case)[0] == due
    assert (case.status, case.stopped_at, case.stop_kind, case.payment_vnd, case.until) == (4, None, None, None, None)


def test_a_standstill_of_calendar_days_moves_by_them_and_then_to_a_working_day() -> None:
    case = after(accepted("t.calendar", "2021-03-01 09:30"), local("2021-03-02 09:00"), FEE)
    assert dates(case) == ("2021-03-15 17:00", "2021-03-15 17:00")  # 12 days end on Saturday 13/3
    assert dates(after(case, local("2021-03-06 09:00"), PAID))[0] == "2021-03-19 17:00"
    assert dates(after(case, local("2021-03-07 09:00"), PAID))[0] == "2021-03-22 17:00"


def test_what_was_late_when_it_stopped_stays_late_and_what_was_not_is_not_late_when_it_goes_on() -> None:
    late = after(accepted("t.restart"), local("2021-03-16 09:00"), FEE)
    assert dates(after(late, local("2021-03-26 09:00"), PAID)) == ("2021-03-15 17:00", "2021-04-01 17:00")
    last_day = after(accepted("t.restart"), local("2021-03-15 09:00"), FEE)
    assert dates(after(last_day, local("2021-03-18 09:00"), PAID))[0] == "2021-03-18 17:00"
    assert dates(after(last_day, local("2021-03-20 09:00"), PAID))[0] == "2021-03-22 17:00"  # a Saturday


def test_what_is_paid_is_what_was_asked_for() -> None:
    case = after(accepted("t.restart"), local("2021-03-02 09:00"), FEE)
    assert refusal(case, ask.ReceivePayment(amount_vnd=599_999), local("2021-03-02 09:00")) == Rejection.WRONG_AMOUNT


def test_one_standstill_after_another_counts_from_the_first() -> None:
    case = after(accepted("t.extend"), local("2021-03-03 09:00"), PAPERS)
    case = after(case, local("2021-03-05 09:00"), ask.RequestWithdrawal())
    case = after(case, local("2021-03-08 09:00"), ask.Stop(stop_kind=StopKind.WITHDRAWN, reason="asked"))
    assert case.stopped_at == local("2021-03-03 09:00")
    assert dates(after(case, local("2021-03-10 09:00"), ask.Resume(reason="taken_back")))[0] == "2021-03-22 17:00"


def test_an_extension_sets_a_new_appointment_and_leaves_the_laws_own_date() -> None:
    case = accepted("t.restart")
    (event,) = facts(case, _extend("2021-03-18 10:00"), local("2021-03-12 09:00"))
    assert isinstance(event, fact.CaseExtended)
    assert (event.old_due_at, event.new_due_at, event.breach) == (local("2021-03-15 17:00"), local("2021-03-18 10:00"), False)
    case = evolve(case, event, local("2021-03-12 09:00"))
    assert dates(case) == ("2021-03-18 10:00", "2021-03-22 17:00")
    paid = after(after(case, local("2021-03-16 09:00"), FEE), local("2021-03-17 09:00"), PAID)
    assert dates(paid) == ("2021-03-19 10:00", "2021-03-23 17:00")


def test_a_resolution_while_a_fee_is_unpaid_takes_the_standstill_off_first() -> None:
    case = after(accepted("t.restart"), local("2021-03-04 09:00"), FEE)
    first, second = facts(case, ask.Resolve(outcome=Outcome.GRANTED), local("2021-03-18 09:00"))
    assert isinstance(first, fact.DueDateRecalculated)
    assert isinstance(second, fact.CaseResolved)
    assert (first.reason, first.old_due_at, first.new_due_at) == (
        "clock_stopped",
        local("2021-03-15 17:00"),
        local("2021-03-29 17:00"),
    )
    assert (second.timeliness, second.statutory_timeliness) == (Timeliness.EARLY, Timeliness.EARLY)
    case = evolve(evolve(case, first, local("2021-03-18 09:00")), second, local("2021-03-18 09:00"))
    assert (case.status, case.stopped_at, dates(case)) == (9, None, ("2021-03-29 17:00", "2021-04-05 17:00"))


@pytest.mark.parametrize(
    ("accepted_at", "hand_over_by"),
    [
        ("2021-03-01 14:59", "2021-03-01 17:00"),
        ("2021-03-01 15:00", "2021-03-02 07:00"),
        ("2021-03-05 15:00", "2021-03-08 07:00"),
        ("2021-03-06 09:00", "2021-03-08 07:00"),
        ("2021-02-09 16:00", "2021-02-17 07:00"),
        ("2024-05-04 09:00", "2024-05-04 17:00"),
    ],
)
def test_what_comes_after_15_00_is_handed_over_on_the_next_working_day(accepted_at: str, hand_over_by: str) -> None:
    at = local(accepted_at)
    (event,) = facts(submitted("t.restart", at), ask.Accept(), at)
    assert isinstance(event, fact.CaseAccepted)
    assert event.hand_over_by == local(hand_over_by)
    assert event.due_at == accepted("t.restart", f"{accepted_at[:10]} 08:00").due_at  # 15:00 governs the hand-over only


def test_a_task_brings_its_own_deadline_and_nothing_else_does() -> None:
    at, deadline = local("2021-03-01 09:00"), local("2021-04-01 17:00")
    task = submitted("t.unknown", at, kind=Kind.TASK)
    case = after(task, at, ask.Accept(due_at=deadline))
    assert (case.due_at, case.statutory_due_at) == (deadline, None)
    assert refusal(task, ask.Accept(due_at=at), at) == Rejection.NOT_LATER
    assert refusal(submitted("t.restart", at), ask.Accept(due_at=deadline), at) == Rejection.NOT_SUPPORTED
    moved = after(after(case, local("2021-03-02 09:00"), PAPERS), local("2021-03-04 09:00"), COMPLETE)
    assert dates(moved)[0] == "2021-04-05 17:00"  # by two working days: there is no limit to count again
    assert after(case, at, ask.ReachMilestone(milestone="half", percent=50)).status == 2
    assert (
        refusal(accepted("t.restart", "2021-03-01 09:00"), ask.ReachMilestone(milestone="half", percent=50), at)
        == Rejection.NOT_SUPPORTED
    )


def test_a_share_of_the_limit_is_counted_in_half_working_days_and_ends_within_it() -> None:
    case, at = accepted("t.restart"), local("2021-03-02 10:00")
    (event,) = facts(case, ask.Forward(to_unit="police", share_half_days=3), at)
    assert isinstance(event, fact.CaseForwarded)
    assert event.answer_by == local("2021-03-03 16:00")  # 12 working hours
    case = evolve(case, event, at)
    assert after(case, local("2021-03-03 10:00"), ask.CompleteStep(step="answer")).answer_by is None
    assert after(case, local("2021-03-03 10:00"), ask.Forward(to_unit="labour")).answer_by is None
    assert refusal(case, ask.Forward(to_unit="police", share_half_days=20), at) == Rejection.SHARE_TOO_LONG
    assert after(accepted("t.unknown"), at, ask.Forward(to_unit="police", share_half_days=1000)).answer_by is not None


def test_a_deadline_of_the_citizen_is_given_or_follows_from_the_procedure() -> None:
    at = local("2021-03-02 10:00")
    assert after(accepted("t.sector"), at, PAPERS).until == local("2021-04-01 17:00")
    given = ask.RequestSupplement(documents=("request",), reason="missing_document", until=local("2021-03-20 17:00"))
    assert after(accepted("t.sector"), at, given).until == given.until
    past = given.model_copy(update={"until": at})
    assert refusal(accepted("t.sector"), past, at) == Rejection.NOT_LATER
    assert refusal(accepted("t.sector"), FEE.model_copy(update={"until": at}), at) == Rejection.NOT_LATER


def test_what_an_import_did_late_or_twice_is_flagged() -> None:
    late = local("2021-03-05 09:00")
    case = accepted("t.restart")
    assert refusal(case, PAPERS, late) == Rejection.SUPPLEMENT_TOO_LATE
    (event,) = facts(case, PAPERS, late, origin=Origin.IMPORT)
    assert isinstance(event, fact.SupplementRequested)
    assert (event.late, event.repeated) == (True, False)
    case = after(evolve(case, event, late), late, COMPLETE, origin=Origin.IMPORT)
    (again,) = facts(case, PAPERS, late + timedelta(days=1), origin=Origin.IMPORT)
    assert isinstance(again, fact.SupplementRequested)
    assert (again.late, again.repeated) == (True, True)


def _extend(to: str) -> ask.Extend:
    return ask.Extend(new_due_at=local(to), reason="verification", apology="sorry")
