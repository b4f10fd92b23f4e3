"""The requirements of the domain that are processing's, one by one, through `decide` and `evolve`."""

from __future__ import annotations

from services.processing.domain.machine import evolve
from shared.contracts import commands as ask
from shared.contracts import events as fact
from shared.contracts.words import Channel, Origin, Outcome, Regime, Rejection, Status, StopKind
from tests.support.life import AGENCY, after, facts, local, refusal, submitted

FILED = local("2021-03-01 08:00")
ACCEPTED = local("2021-03-01 09:30")
PAPERS = ask.RequestSupplement(documents=("request",), reason="incomplete")


def test_requirement_01_nothing_is_done_before_acceptance_and_only_a_complete_dossier_is_accepted() -> None:
    """Code and form 01 come with the acceptance in one transaction: its one fact carries code, limits and due date."""
    case = submitted("t.papers", FILED, documents=("request",))
    assert case.status == Status.REGISTERED
    for early in (
        ask.CompleteStep(step="examine"),
        ask.Forward(to_unit="labour"),
        ask.RequestPayment(amount_vnd=1),
        ask.Stop(stop_kind=StopKind.SUSPENDED, reason="court_case"),
        ask.Resolve(outcome=Outcome.GRANTED),
        ask.Return(channel=Channel.POST),
    ):
        assert refusal(case, early, ACCEPTED) == Rejection.ILLEGAL_TRANSITION
    assert refusal(case, ask.Accept(), ACCEPTED) == Rejection.DOCUMENTS_MISSING
    assert refusal(case, ask.Accept(documents=("photo",)), ACCEPTED) == Rejection.DOCUMENTS_MISSING
    (event,) = facts(case, ask.Accept(documents=("licence",)), ACCEPTED)
    assert isinstance(event, fact.CaseAccepted)
    assert (event.due_at, event.statutory) != (None, None)
    assert evolve(case, event, ACCEPTED).status == Status.ACCEPTED
    assert after(submitted("t.papers", FILED, documents=("licence", "request")), ACCEPTED, ask.Accept()).status == 2
    for done_elsewhere in (Origin.IMPORT, Origin.REPLAY):
        assert after(case, ACCEPTED, ask.Accept(), origin=done_elsewhere).status == Status.ACCEPTED


def test_requirement_01_a_dossier_that_was_completed_before_acceptance_starts_its_clock_with_the_acceptance() -> None:
    case = after(submitted("t.restart", FILED), ACCEPTED, PAPERS)
    assert (case.status, case.accepted_at, case.stopped_at) == (Status.SUPPLEMENT_REQUESTED, None, None)
    assert refusal(case, ask.ReceiveSupplement(), ACCEPTED) == Rejection.ILLEGAL_TRANSITION
    at = local("2021-03-12 09:00")
    received, accepted = facts(case, ask.Accept(), at)
    assert isinstance(received, fact.SupplementReceived)
    assert (received.due_at, received.regime) == (None, None)
    case = evolve(evolve(case, received, at), accepted, at)
    assert (case.status, case.clock_from, case.due_at) == (Status.ACCEPTED, at, local("2021-03-26 17:00"))
    assert case.until is None


def test_requirement_02_completion_is_asked_for_once_and_an_imports_second_time_is_flagged() -> None:
    case = after(submitted("t.restart", FILED), ACCEPTED, ask.Accept(), PAPERS, ask.ReceiveSupplement())
    assert refusal(case, PAPERS, ACCEPTED) == Rejection.SUPPLEMENT_USED
    before = after(submitted("t.restart", FILED), ACCEPTED, PAPERS, ask.Accept())
    assert refusal(before, PAPERS, ACCEPTED) == Rejection.SUPPLEMENT_USED
    (event,) = facts(case, PAPERS, ACCEPTED, origin=Origin.IMPORT)
    assert isinstance(event, fact.SupplementRequested)
    assert event.repeated


def test_requirement_03_completion_is_asked_for_by_the_third_working_day_unless_the_procedure_says_otherwise() -> None:
    third, fourth = local("2021-03-04 23:59"), local("2021-03-05 00:00")
    case = after(submitted("t.restart", FILED), ACCEPTED, ask.Accept())
    assert after(case, third, PAPERS).status == Status.SUPPLEMENT_REQUESTED
    assert refusal(case, PAPERS, fourth) == Rejection.SUPPLEMENT_TOO_LATE
    unknown = after(submitted("9.999999", FILED), ACCEPTED, ask.Accept())
    assert refusal(unknown, PAPERS, fourth) == Rejection.SUPPLEMENT_TOO_LATE
    sector = after(submitted("t.sector", FILED), ACCEPTED, ask.Accept())
    assert after(sector, local("2021-03-15 23:59"), PAPERS).status == Status.SUPPLEMENT_REQUESTED
    assert refusal(sector, PAPERS, local("2021-03-16 00:00")) == Rejection.SUPPLEMENT_TOO_LATE


def test_requirement_04_a_completed_dossier_has_a_new_clock_from_zero_and_history_keeps_the_old_due_date() -> None:
    case = after(submitted("t.restart", FILED), ACCEPTED, ask.Accept())
    assert case.due_at == local("2021-03-15 17:00")
    case, at = after(case, local("2021-03-04 09:00"), PAPERS), local("2021-03-12 09:00")
    (event,) = facts(case, ask.ReceiveSupplement(), at)
    assert isinstance(event, fact.SupplementReceived)
    assert (event.regime, event.old_due_at, event.due_at) == (
        Regime.RESTART,
        local("2021-03-15 17:00"),
        local("2021-03-26 17:00"),
    )
    case = evolve(case, event, at)
    assert (case.clock_from, case.due_at, case.accepted_at) == (at, local("2021-03-26 17:00"), ACCEPTED)


def test_requirement_05_a_new_appointment_is_made_once_on_a_later_day_and_too_late_it_is_a_breach() -> None:
    case = after(submitted("t.restart", FILED), ACCEPTED, ask.Accept())
    later = ask.Extend(new_due_at=local("2021-03-18 17:00"), reason="overload", apology="sorry")
    for at, breach in (("2021-03-14 23:59", False), ("2021-03-15 00:00", True), ("2021-03-17 09:00", True)):
        (event,) = facts(case, later, local(at))
        assert isinstance(event, fact.CaseExtended)
        assert event.breach is breach, at
    extended = after(case, local("2021-03-12 09:00"), later)
    assert refusal(extended, later, local("2021-03-13 09:00")) == Rejection.EXTENSION_USED
    same_day = later.model_copy(update={"new_due_at": local("2021-03-15 23:59")})
    assert refusal(case, same_day, local("2021-03-12 09:00")) == Rejection.NOT_LATER
    unknown = after(submitted("t.unknown", FILED), ACCEPTED, ask.Accept())
    assert refusal(unknown, later, local("2021-03-12 09:00")) == Rejection.NO_DUE_DATE
    assert set(ask.Extend.model_fields) == {"new_due_at", "reason", "apology"}
    assert all(field.is_required() for field in ask.Extend.model_fields.values())


def test_requirement_07_the_citizen_may_withdraw_until_a_decision_exists() -> None:
    withdraw, confirm = ask.RequestWithdrawal(), ask.Stop(stop_kind=StopKind.WITHDRAWN, reason="asked")
    registered = submitted("t.restart", FILED)
    accepted = after(registered, ACCEPTED, ask.Accept())
    fee = after(accepted, ACCEPTED, ask.RequestPayment(amount_vnd=1))
    for case in (registered, accepted, after(accepted, ACCEPTED, ask.CompleteStep(step="examine")), fee):
        asked = after(case, ACCEPTED, withdraw)
        assert asked.status == Status.WITHDRAWAL_REQUESTED
        assert after(asked, ACCEPTED, confirm).status == Status.STOPPED
    assert after(after(accepted, ACCEPTED, withdraw), ACCEPTED, ask.Resume(reason="taken_back")).status == Status.IN_PROCESS
    resolved = after(accepted, ACCEPTED, ask.Resolve(outcome=Outcome.GRANTED))
    for case in (resolved, after(resolved, ACCEPTED, ask.Return(channel=Channel.POST))):
        assert refusal(case, withdraw, ACCEPTED) == Rejection.DECISION_EXISTS


def test_requirement_11_a_postal_dossier_is_filed_when_it_is_handed_over_not_when_it_is_posted() -> None:
    """The record of the hand-over is what `filed_at` tells; nothing happens to the case before it."""
    handed_over = local("2021-03-01 10:00")
    case = submitted("t.restart", handed_over, channel=Channel.POST)
    assert (case.submitted_at, case.last_fact_at) == (handed_over, handed_over)
    assert refusal(case, ask.Accept(), local("2021-03-01 09:59")) == Rejection.OUT_OF_ORDER
    assert after(case, handed_over, ask.Accept()).accepted_at == handed_over


def test_requirement_12_a_case_that_went_to_another_agency_keeps_its_code_and_comes_back_for_its_return() -> None:
    (event,) = facts(submitted("t.restart", FILED), ask.Accept(unit="one-stop"), ACCEPTED)
    coded = event.model_copy(update={"code": "000.00.07.H24-210301-0001"})
    case = after(evolve(submitted("t.restart", FILED), coded, ACCEPTED), ACCEPTED, ask.Forward(to_agency="tax"))
    assert (case.code, case.agency, case.holder) == ("000.00.07.H24-210301-0001", AGENCY, "tax")
    case = after(case, ACCEPTED, ask.CompleteStep(step="assess"), agency="tax")
    for decision in (ask.Resolve(outcome=Outcome.GRANTED), ask.Return(channel=Channel.COUNTER)):
        assert refusal(case, decision, ACCEPTED, agency="tax") == Rejection.WRONG_AGENCY
    done = after(case, ACCEPTED, ask.Resolve(outcome=Outcome.GRANTED), ask.Return(channel=Channel.COUNTER))
    assert (done.status, done.code) == (Status.RETURNED, "000.00.07.H24-210301-0001")
