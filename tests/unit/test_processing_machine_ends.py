"""Resolutions, duties after them, work on a wrong result, other agencies, and corrections of the past."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.processing.domain.case import Case
from services.processing.domain.machine import evolve
from services.processing.domain.timeline import Recorded
from shared.contracts import commands as ask
from shared.contracts import events as fact
from shared.contracts.commands import Command
from shared.contracts.events import CaseEvent
from shared.contracts.words import Channel, Outcome, Rejection, Status, Timeliness
from tests.support.life import AGENCY, after, facts, local, refusal, submission, submitted

ACCEPTED_AT = local("2021-03-01 09:30")
GRANT = ask.Resolve(outcome=Outcome.GRANTED)
TAX = "tax"


def accepted(code: str = "t.restart") -> Case:
    return after(submitted(code, ACCEPTED_AT), ACCEPTED_AT, ask.Accept(unit="one-stop"))


@pytest.mark.parametrize(
    ("at", "committed", "statutory"),
    [
        ("2021-03-12 23:59", Timeliness.EARLY, Timeliness.EARLY),
        ("2021-03-15 23:59", Timeliness.ON_TIME, Timeliness.EARLY),
        ("2021-03-16 00:00", Timeliness.LATE, Timeliness.EARLY),
        ("2021-03-22 23:59", Timeliness.LATE, Timeliness.ON_TIME),
        ("2021-03-23 00:00", Timeliness.LATE, Timeliness.LATE),
    ],
)
def test_the_committed_limit_and_the_laws_own_are_told_apart(at: str, committed: Timeliness, statutory: Timeliness) -> None:
    (event,) = facts(accepted(), GRANT, local(at))
    assert isinstance(event, fact.CaseResolved)
    assert (event.timeliness, event.statutory_timeliness) == (committed, statutory)


def test_a_refusal_after_appraisal_is_a_result_with_a_reason() -> None:
    at = local("2021-03-05 09:00")
    assert refusal(accepted(), ask.Resolve(outcome=Outcome.REFUSED), at) == Rejection.REASON_MISSING
    (event,) = facts(accepted(), ask.Resolve(outcome=Outcome.REFUSED, reason="not_eligible"), at)
    assert isinstance(event, fact.CaseResolved)
    assert (event.outcome, event.reason) == (Outcome.REFUSED, "not_eligible")


def test_a_duty_follows_what_was_granted_and_is_done_after_the_result() -> None:
    at, publish = local("2021-03-12 16:00"), ask.CompleteStep(step="publish", unit="office")
    case = after(accepted("t.duty"), at, GRANT)
    assert (case.duty, case.duty_by) == ("publish", local("2021-03-16 17:00"))
    assert refusal(case, ask.CompleteStep(step="examine"), at) == Rejection.ILLEGAL_TRANSITION
    returned = after(case, at, ask.Return(channel=Channel.POST))
    for before in (case, returned):
        (event,) = facts(before, publish, at)
        assert isinstance(event, fact.StepCompleted)
        assert event.after_result
        done = evolve(before, event, at)
        assert (done.status, done.duty, done.duty_by, done.unit) == (before.status, None, None, "one-stop")
        assert refusal(done, publish, at) == Rejection.ILLEGAL_TRANSITION
    refused = after(accepted("t.duty"), at, ask.Resolve(outcome=Outcome.REFUSED, reason="not_eligible"))
    assert (refused.duty, refused.duty_by) == (None, None)
    assert after(case, at, ask.Reopen(reason="wrong_result")).duty is None


def test_a_wrong_result_is_worked_on_again_under_the_same_due_dates() -> None:
    at = local("2021-03-12 16:00")
    case = after(accepted(), at, GRANT, ask.Return(channel=Channel.POST), ask.Reopen(reason="wrong_result"))
    assert (case.status, case.outcome, case.resolved_at, case.returned_at) == (Status.IN_PROCESS, None, None, None)
    assert (case.due_at, case.clock_from, case.code) == (accepted().due_at, ACCEPTED_AT, accepted().code)
    (event,) = facts(case, GRANT, local("2021-03-16 09:00"))
    assert isinstance(event, fact.CaseResolved)
    assert event.timeliness is Timeliness.LATE


# --- other agencies ------------------------------------------------------------------------------------


def test_the_agency_that_holds_a_case_works_on_it_and_decides_nothing() -> None:
    at = local("2021-03-02 09:00")
    case = after(accepted(), at, ask.Forward(to_agency=TAX, share_half_days=4))
    assert (case.holder, case.agency, case.unit, case.answer_by) == (TAX, AGENCY, None, local("2021-03-04 09:00"))
    allowed: tuple[Command, ...] = (
        ask.CompleteStep(step="assess"),
        ask.Forward(to_unit="desk"),
        ask.RecordCause(cause="overload"),
    )
    for command in allowed:
        assert after(case, at, command, agency=TAX).agency == AGENCY
    forbidden: tuple[Command, ...] = (
        GRANT,
        ask.Return(channel=Channel.POST),
        ask.Extend(new_due_at=local("2021-04-01 17:00"), reason="overload", apology="sorry"),
        ask.RequestSupplement(documents=("request",), reason="incomplete"),
    )
    for other in forbidden:
        assert refusal(case, other, at, agency=TAX) == Rejection.WRONG_AGENCY
    assert refusal(case, ask.CompleteStep(step="assess"), at, agency="police") == Rejection.WRONG_AGENCY
    back = after(case, at, ask.Forward(to_agency=AGENCY), agency=TAX)
    assert (back.holder, back.answer_by) == (None, None)
    assert refusal(back, ask.CompleteStep(step="assess"), at, agency=TAX) == Rejection.WRONG_AGENCY


def test_the_owner_still_decides_over_a_case_that_another_agency_holds() -> None:
    at = local("2021-03-02 09:00")
    case = after(accepted(), at, ask.Forward(to_agency=TAX), ask.CompleteStep(step="remind"), GRANT)
    assert (case.status, case.holder) == (Status.RESOLVED, TAX)


# --- corrections ---------------------------------------------------------------------------------------


class Life:
    """A case with its history."""

    def __init__(self, code: str = "t.restart") -> None:
        event = submission(code, ACCEPTED_AT)
        self.case = evolve(Case(), event, ACCEPTED_AT)
        self.history = [Recorded(uuid4(), event, ACCEPTED_AT)]

    def take(self, at: str, *commands: Command, **changes: Any) -> Life:
        for command in commands:
            for event in facts(self.case, command, local(at), history=self.history, **changes):
                self.case = evolve(self.case, event, local(at))
                self.history.append(Recorded(uuid4(), event, local(at)))
        return self

    def id_of(self, kind: type[CaseEvent]) -> UUID:
        return next(each.id for each in reversed(self.history) if isinstance(each.event, kind))

    def correct(self, kind: type[CaseEvent], really: str | None) -> ask.Correct:
        return ask.Correct(
            event_id=self.id_of(kind), reason="wrong_date_entered", occurred_at=None if really is None else local(really)
        )

    def refused(self, command: Command, at: str, history: Sequence[Recorded] | None = None) -> str:
        return refusal(self.case, command, local(at), history=self.history if history is None else history)


def last(life: Life) -> Any:
    return life.history[-1].event


def test_another_moment_of_acceptance_makes_other_due_dates_and_keeps_the_code() -> None:
    life = Life().take("2021-03-02 09:30", ask.Accept())
    assert life.case.due_at == local("2021-03-16 17:00")
    life.take("2021-03-08 09:00", life.correct(fact.CaseAccepted, "2021-03-01 10:00"))
    event = last(life)
    assert (event.corrected, event.due_at, event.statutory_due_at) == (
        "case.accepted",
        local("2021-03-15 17:00"),
        local("2021-03-22 17:00"),
    )
    assert (event.timeliness, life.case.accepted_at, life.case.clock_from) == (
        None,
        local("2021-03-01 10:00"),
        local("2021-03-01 10:00"),
    )
    assert (life.case.due_at, life.case.status, life.case.last_fact_at) == (event.due_at, 2, local("2021-03-08 09:00"))
    assert life.history[1].occurred_at == local("2021-03-02 09:30")  # history keeps both


def test_another_moment_of_acceptance_is_counted_through_all_that_followed() -> None:
    life = Life("t.extend").take("2021-03-02 09:30", ask.Accept())
    life.take("2021-03-03 09:00", ask.RequestSupplement(documents=("request",), reason="incomplete"))
    life.take("2021-03-05 09:00", ask.ReceiveSupplement())
    assert life.case.due_at == local("2021-03-18 17:00")
    life.take("2021-03-19 09:00", GRANT)
    life.take("2021-03-22 09:00", life.correct(fact.CaseAccepted, "2021-03-01 10:00"))
    event = last(life)
    assert (event.due_at, event.timeliness, event.statutory_timeliness) == (
        local("2021-03-17 17:00"),
        Timeliness.LATE,
        Timeliness.EARLY,
    )


def test_a_restarted_clock_and_an_officers_appointment_do_not_depend_on_the_acceptance() -> None:
    life = Life().take("2021-03-02 09:30", ask.Accept())
    life.take("2021-03-03 09:00", ask.RequestSupplement(documents=("request",), reason="incomplete"))
    life.take("2021-03-05 09:00", ask.ReceiveSupplement())
    due = life.case.due_at, life.case.statutory_due_at
    life.take("2021-03-08 09:00", life.correct(fact.CaseAccepted, "2021-03-01 10:00"))
    assert (life.case.due_at, life.case.statutory_due_at) == due
    assert (life.case.accepted_at, life.case.clock_from) == (local("2021-03-01 10:00"), local("2021-03-05 09:00"))

    life = Life().take("2021-03-02 09:30", ask.Accept())
    life.take("2021-03-03 09:00", ask.Extend(new_due_at=local("2021-03-30 17:00"), reason="overload", apology="sorry"))
    life.take("2021-03-08 09:00", life.correct(fact.CaseAccepted, "2021-03-01 10:00"))
    assert (life.case.due_at, life.case.statutory_due_at) == (local("2021-03-30 17:00"), local("2021-03-22 17:00"))


def test_another_moment_of_resolution_makes_another_timeliness_and_duty() -> None:
    life = Life("t.duty").take("2021-03-01 09:30", ask.Accept()).take("2021-03-16 09:00", GRANT)
    assert last(life).timeliness is Timeliness.LATE
    life.take("2021-03-17 09:00", ask.Return(channel=Channel.COUNTER))
    life.take("2021-03-18 09:00", life.correct(fact.CaseResolved, "2021-03-15 16:00"))
    event = last(life)
    assert (event.timeliness, event.statutory_timeliness) == (Timeliness.ON_TIME, Timeliness.ON_TIME)
    assert (life.case.resolved_at, life.case.duty_by) == (local("2021-03-15 16:00"), local("2021-03-17 17:00"))
    life.take("2021-03-19 09:00", life.correct(fact.CaseReturned, "2021-03-16 16:00"))
    assert (life.case.returned_at, last(life).due_at, life.case.due_at) == (
        local("2021-03-16 16:00"),
        None,
        local("2021-03-15 17:00"),
    )


def test_a_second_correction_of_a_fact_stands_on_the_first() -> None:
    life = Life().take("2021-03-02 09:30", ask.Accept()).take("2021-03-10 09:00", GRANT)
    life.take("2021-03-11 09:00", life.correct(fact.CaseResolved, "2021-03-05 09:00"))
    assert life.refused(life.correct(fact.CaseAccepted, "2021-03-05 10:00"), "2021-03-12 09:00") == Rejection.NOT_CORRECTABLE
    life.take("2021-03-12 09:00", life.correct(fact.CaseResolved, "2021-03-09 09:00"))
    life.take("2021-03-12 10:00", life.correct(fact.CaseAccepted, "2021-03-05 10:00"))
    assert (life.case.accepted_at, life.case.resolved_at) == (local("2021-03-05 10:00"), local("2021-03-09 09:00"))


@pytest.mark.parametrize(
    ("kind", "really"),
    [
        (fact.CaseAccepted, "2021-03-01 09:00"),  # before it was filed
        (fact.CaseAccepted, "2021-03-11 09:00"),  # after it was resolved
        (fact.CaseResolved, "2021-03-02 09:00"),  # before it was accepted
        (fact.CaseResolved, "2021-03-12 09:00"),  # after it was returned
        (fact.CaseReturned, "2021-03-09 09:00"),  # before it was resolved
        (fact.CaseReturned, "2021-03-21 09:00"),  # in the future
        (fact.StepCompleted, "2021-03-03 09:00"),  # no end point of the clock
        (fact.CaseSubmitted, "2021-03-01 09:00"),
    ],
)
def test_a_corrected_fact_keeps_its_place_in_the_order(kind: type[CaseEvent], really: str) -> None:
    life = Life().take("2021-03-02 09:30", ask.Accept()).take("2021-03-03 09:30", ask.CompleteStep(step="examine"))
    life.take("2021-03-10 09:00", GRANT).take("2021-03-11 16:00", ask.Return(channel=Channel.POST))
    assert life.refused(life.correct(kind, really), "2021-03-20 09:00") == Rejection.NOT_CORRECTABLE


def test_a_result_that_no_longer_holds_or_came_under_a_standing_clock_is_not_moved() -> None:
    life = Life().take("2021-03-02 09:30", ask.Accept()).take("2021-03-10 09:00", GRANT)
    life.take("2021-03-11 09:00", ask.Reopen(reason="wrong_result"))
    assert life.refused(life.correct(fact.CaseResolved, "2021-03-09 09:00"), "2021-03-12 09:00") == Rejection.NOT_CORRECTABLE
    first = life.correct(fact.CaseResolved, "2021-03-09 09:00")
    life.take("2021-03-12 09:00", ask.RequestPayment(amount_vnd=1)).take("2021-03-15 09:00", GRANT)
    assert life.refused(first, "2021-03-16 09:00") == Rejection.NOT_CORRECTABLE
    assert life.refused(life.correct(fact.CaseResolved, "2021-03-13 09:00"), "2021-03-16 09:00") == Rejection.NOT_CORRECTABLE


def test_any_fact_may_be_noted_as_wrong_and_an_unknown_one_may_not() -> None:
    life = Life().take("2021-03-02 09:30", ask.Accept()).take("2021-03-03 09:30", ask.CompleteStep(step="examine"))
    before = life.case
    life.take("2021-03-04 09:00", life.correct(fact.StepCompleted, None))
    assert (last(life).corrected, last(life).occurred_at) == ("case.step_completed", None)
    assert life.case == before._replace(last_fact_at=local("2021-03-04 09:00"))
    strange = ask.Correct(event_id=uuid4(), reason="wrong_date_entered", occurred_at=local("2021-03-03 09:00"))
    assert life.refused(strange, "2021-03-05 09:00") == Rejection.UNKNOWN_EVENT
    assert life.refused(life.correct(fact.CaseAccepted, None), "2021-03-05 09:00", history=()) == Rejection.UNKNOWN_EVENT


def test_a_correction_names_the_past_without_being_of_the_past_itself() -> None:
    life, now = Life().take("2021-03-02 09:30", ask.Accept()), local("2021-03-08 09:00")
    correction = life.correct(fact.CaseAccepted, "2021-03-01 10:00")
    assert facts(life.case, correction, now, history=life.history)
    late = refusal(life.case, correction, local("2021-03-08 08:54"), recorded_at=now, now=now, history=life.history)
    assert late == Rejection.PAST_NOT_ALLOWED
