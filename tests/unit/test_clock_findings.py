"""What a hostile reading of the clock found, case by case, and what holds since."""

from __future__ import annotations

from services.processing.domain.case import Case
from services.processing.domain.timers import pass_time
from shared.catalogue import Catalogue
from shared.catalogue.conduct import Supplement
from shared.contracts import commands as ask
from shared.contracts.words import Channel, Outcome, Regime, Status
from tests.support.life import after, days, facts, local, procedure, refusal, submitted
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
