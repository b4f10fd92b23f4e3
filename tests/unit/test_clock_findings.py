"""What a hostile reading of the clock found, case by case, and what holds since."""

from __future__ import annotations

from uuid import uuid4

from services.processing.domain.case import Case
from services.processing.domain.explanation import explain
from services.processing.domain.machine import evolve
from services.processing.domain.timeline import Recorded
from services.processing.domain.timers import pass_time
from shared.calendar import load_calendar
from shared.catalogue import Catalogue
from shared.catalogue.conduct import Supplement
from shared.contracts import commands as ask
from shared.contracts import events as fact
from shared.contracts.words import Channel, Origin, Outcome, Regime, Status
from tests.support.life import KNOWN, after, days, facts, local, procedure, refusal, submission, submitted
from tests.support.timing import Rules, said

SILENT = procedure("t.silent", days(7), silent_approval=True, supplement=Supplement(regime=Regime.SUBTRACT))
RULES = Rules(catalogue=Catalogue({"t.silent": SILENT}, {"t.silent": "other"}, {}))
FILED = local("2021-03-01 08:00")
EXTEND = ask.Extend(new_due_at=local("2021-03-18 17:00"), reason="overload", apology="sorry")


def silent(at: str = "2021-03-01 09:00") -> Case:
    case = after(
        submitted("t.silent", FILED)._replace(origin="live"), local(at), ask.Accept(unit="labour"), catalogue=RULES.catalogue
    )
    assert case.due_at == local("2021-03-10 17:00")
    return case


def test_silence_does_not_overrule_an_officer_who_works_on_a_wrong_result_again_after_the_due_date() -> None:
    case, passed = pass_time(silent(), local("2021-03-11 00:00"), RULES)
    assert said(passed)[-1] == ("resolved", "2021-03-10 23:59:59")
    case = after(case, local("2021-03-12 09:00"), ask.Return(channel=Channel.POST), ask.Reopen(reason="wrong_result"))
    case, passed = pass_time(case, local("2021-03-12 10:00"), RULES)
    assert case.status == Status.IN_PROCESS
    assert said(passed)[0] == ("overdue", "2021-03-12 09:00:00")


def test_silence_is_no_answer_where_the_clock_stood_still_when_the_limit_ended() -> None:
    """The due date stays under SUBTRACT; nobody could object while the dossier was away."""
    case = after(
        silent(), local("2021-03-04 09:00"), ask.RequestSupplement(documents=("request",), reason="x"), catalogue=RULES.catalogue
    )
    assert pass_time(case, local("2021-03-15 08:00"), RULES)[1] == []
    case = after(case, local("2021-03-15 09:00"), ask.ReceiveSupplement(), catalogue=RULES.catalogue)
    assert case.due_at == local("2021-03-10 17:00")
    case, passed = pass_time(case, local("2021-03-15 10:00"), RULES)
    assert (case.status, said(passed)[0][0]) == (Status.IN_PROCESS, "overdue")


def test_silence_still_answers_when_the_last_fact_is_of_the_last_day() -> None:
    case = after(silent(), local("2021-03-10 23:00"), ask.CompleteStep(step="examine"))
    case, passed = pass_time(case, local("2021-03-11 00:00"), RULES)
    assert (case.outcome, said(passed)[-1]) == (Outcome.NO_OBJECTION, ("resolved", "2021-03-10 23:59:59"))


def test_a_new_appointment_is_never_in_the_past() -> None:
    """Later than the old due date, and over already when it is given: an appointment that nobody can keep."""
    case = after(submitted("t.restart", FILED), local("2021-03-01 09:00"), ask.Accept())
    assert case.due_at == local("2021-03-15 17:00")
    assert refusal(case, EXTEND, local("2021-03-19 08:00")) == "not_later"
    assert facts(case, EXTEND, local("2021-03-18 09:00"))[0].type == "case.extended"


def test_a_second_question_to_another_unit_is_late_from_its_first_level_although_the_first_ended_with_a_result() -> None:
    late = ask.Forward(to_unit="labour", share_half_days=2)
    case = after(submitted("t.unknown", FILED)._replace(origin="live"), local("2021-03-01 09:00"), ask.Accept(unit="a"), late)
    case, passed = pass_time(case, local("2021-03-02 12:00"), RULES)
    assert said(passed) == [("answer_late.1 one-stop-head", "2021-03-02 09:00:00")]
    case = after(case, local("2021-03-02 13:00"), ask.Resolve(outcome=Outcome.GRANTED), ask.Reopen(reason="wrong_result"), late)
    assert said(pass_time(case, local("2021-03-03 14:30"), RULES)[1]) == [("answer_late.1 one-stop-head", "2021-03-03 11:30:00")]


def test_a_second_fee_is_overdue_again_although_the_first_ended_with_a_result() -> None:
    fee = ask.RequestPayment(amount_vnd=1, until=local("2021-03-02 17:00"))
    case = after(submitted("t.unknown", FILED)._replace(origin="live"), local("2021-03-01 09:00"), ask.Accept(unit="a"), fee)
    case, passed = pass_time(case, local("2021-03-03 08:00"), RULES)
    assert said(passed) == [("payment_timeout.1 one-stop-head", "2021-03-03 00:00:00")]
    again = ask.RequestPayment(amount_vnd=1, until=local("2021-03-04 17:00"))
    case = after(case, local("2021-03-03 09:00"), ask.Resolve(outcome=Outcome.GRANTED), ask.Reopen(reason="wrong_result"), again)
    assert said(pass_time(case, local("2021-03-05 08:00"), RULES)[1]) == [
        ("payment_timeout.1 one-stop-head", "2021-03-05 00:00:00")
    ]


def test_a_new_appointment_on_a_day_off_is_the_next_working_day_at_the_same_hour() -> None:
    """Civil Code 2015, art. 148.5: nobody is invited to a closed counter, on a weekend or in Tết."""
    case = after(submitted("t.restart", local("2021-02-01 08:00")), local("2021-02-01 09:00"), ask.Accept())
    assert case.due_at == local("2021-02-22 17:00")
    for asked, given in (("2021-02-27 10:30", "2021-03-01 10:30"), ("2021-05-01 17:00", "2021-05-04 17:00")):
        extend = EXTEND.model_copy(update={"new_due_at": local(asked)})
        (event,) = facts(case, extend, local("2021-02-19 09:00"))
        assert isinstance(event, fact.CaseExtended)
        assert event.new_due_at == local(given)
        (event,) = facts(case, extend, local("2021-02-19 09:00"), origin=Origin.IMPORT)
        assert isinstance(event, fact.CaseExtended)
        assert event.new_due_at == local(asked)


def test_the_clock_shows_the_hand_over_of_the_true_acceptance_once_that_was_corrected() -> None:
    """As timers know it: escalating by one time and showing another would accuse a unit that was not late."""
    case, history = submitted("t.restart", FILED), [Recorded(uuid4(), submission("t.restart", FILED), FILED)]
    at = local("2021-03-01 16:00")
    (event,) = facts(case, ask.Accept(), at)
    case, history = evolve(case, event, at), [*history, Recorded(uuid4(), event, at)]
    version, days_off = KNOWN.version("t.restart", 1), load_calendar()
    assert explain(history, version, days_off, at).position.hand_over_by == local("2021-03-02 07:00")
    correct = ask.Correct(event_id=history[1].id, reason="typing_error", occurred_at=local("2021-03-01 14:00"))
    (event,) = facts(case, correct, local("2021-03-02 09:00"), history=history)
    history = [*history, Recorded(uuid4(), event, local("2021-03-02 09:00"))]
    assert explain(history, version, days_off, local("2021-03-02 10:00")).position.hand_over_by == local("2021-03-01 17:00")
