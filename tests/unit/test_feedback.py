"""Feedback under the limits of Decree 20/2008/NĐ-CP and Decision 766/QĐ-TTg, 5.2: every date was counted by hand.

Saturday 22 August 2026 was worked; 31 August to 2 September 2026 were days off.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from services.processing.domain.case import Case, changed
from services.processing.domain.citations import feedback_limit
from services.processing.domain.context import Decision, Rejected
from services.processing.domain.machine import decide, evolve
from services.processing.domain.timers import due_facts, next_timer
from services.processing.handlers.settling import Asked, Rules, attempt
from shared.calendar import load_calendar
from shared.catalogue import load_catalogue
from shared.contracts import commands as ask
from shared.contracts.commands import Command
from shared.contracts.envelope import Envelope
from shared.contracts.events import CaseAccepted, CaseRefused, CaseResolved, CaseSubmitted, ContactRecorded, SupplementReceived
from shared.contracts.words import Channel, ContactVia, Kind, Origin, Outcome, Rejection, Status
from tests.support.life import AGENCY, context, local
from tests.support.timing import RULES, said

CATALOGUE = load_catalogue()
FILED = local("2026-08-19 09:00")
TAKEN = local("2026-08-20 10:00")
CLASSES = ("feedback.conduct", "feedback.regulation", "feedback.other")
ANSWER = ask.Resolve(outcome=Outcome.ANSWERED)
CALL = ask.RecordContact(via=ContactVia.CALL, source="stringee")


def filed(procedure: str = "feedback.other", kind: Kind = Kind.FEEDBACK, at: datetime = FILED) -> Case:
    event = CaseSubmitted(
        agency=AGENCY, kind=kind, procedure=procedure, channel=Channel.HOTLINE, filed_at=at, matter="environment"
    )
    return changed(evolve(Case(), event, at), {"origin": Origin.LIVE})


def decided(case: Case, command: Command, at: datetime) -> Decision:
    return decide(case, command, replace(context(at), catalogue=CATALOGUE))


def done(case: Case, *steps: tuple[Command, str]) -> Case:
    for command, at in steps:
        facts = decide(case, command, replace(context(local(at)), catalogue=CATALOGUE))
        assert isinstance(facts, list), facts
        for event in facts:
            case = evolve(case, event, local(at))
    return case


def taken(procedure: str = "feedback.other", unit: str | None = "labour") -> Case:
    return done(filed(procedure), (ask.Accept(unit=unit), "2026-08-20 10:00"))


def until(case: Case, at: str) -> list[tuple[str, str]]:
    return said(due_facts(case, local(at), RULES))


@pytest.mark.parametrize("procedure", CLASSES)
def test_feedback_is_answered_within_fifteen_working_days(procedure: str) -> None:
    (event,) = decided(filed(procedure), ask.Accept(), TAKEN)  # type: ignore[misc]
    assert isinstance(event, CaseAccepted)
    assert event.due_at == local("2026-09-14 17:00")
    assert (event.committed, event.statutory and event.statutory.count) == (None, 15)
    assert until(taken(procedure), "2026-09-15 00:00")[:2] == [
        ("due_soon", "2026-09-14 00:00:00"),
        ("overdue", "2026-09-15 00:00:00"),
    ]


@pytest.mark.parametrize(("at", "late"), [("2026-08-21 23:59", False), ("2026-08-22 00:00", True)])
@pytest.mark.parametrize("procedure", CLASSES)
def test_feedback_is_refused_within_two_working_days_and_later_is_a_breach(procedure: str, at: str, late: bool) -> None:
    (event,) = decided(filed(procedure), ask.Refuse(reason="not_accepted_feedback"), local(at))  # type: ignore[misc]
    assert isinstance(event, CaseRefused)
    assert event.late is late


def test_nobody_decides_about_feedback_in_two_working_days_and_the_head_hears_of_it() -> None:
    assert until(filed(), "2026-08-21 23:59") == []
    assert until(filed(), "2026-12-01 00:00") == [("undecided.1 one-stop-head", "2026-08-22 00:00:00")]
    decided_in_time = (taken(), done(filed(), (ask.Refuse(reason="not_accepted_feedback"), "2026-08-20 10:00")))
    assert [name for case in decided_in_time for name, _ in until(case, "2026-08-25 00:00")] == []


def test_a_dossier_and_feedback_before_the_decision_have_no_limit_for_refusing() -> None:
    assert next_timer(filed("1.001806", Kind.DOSSIER), RULES) is None
    assert next_timer(filed(at=local("2022-06-22 09:00")), RULES) is None
    (event,) = decided(filed("1.001806", Kind.DOSSIER), ask.Refuse(reason="incomplete"), local("2026-12-01 09:00"))  # type: ignore[misc]
    assert isinstance(event, CaseRefused)
    assert not event.late


@pytest.mark.parametrize("procedure", CLASSES)
def test_feedback_is_completed_at_the_latest_five_working_days_after_its_acceptance(procedure: str) -> None:
    more = ask.RequestSupplement(documents=("photo",), reason="content_unclear")
    assert isinstance(decided(taken(procedure), more, local("2026-08-26 23:59")), list)
    assert decided(taken(procedure), more, local("2026-08-27 00:00")) == Rejected(Rejection.SUPPLEMENT_TOO_LATE)


def test_a_completion_counts_the_fifteen_days_again() -> None:
    asked = done(taken(), (ask.RequestSupplement(documents=("photo",), reason="content_unclear"), "2026-08-25 09:00"))
    (event,) = decided(asked, ask.ReceiveSupplement(), local("2026-08-28 09:00"))  # type: ignore[misc]
    assert isinstance(event, SupplementReceived)
    assert event.due_at == local("2026-09-23 17:00")


@pytest.mark.parametrize("procedure", CLASSES)
def test_feedback_is_with_a_unit_or_an_authority_within_five_working_days(procedure: str) -> None:
    (event,) = decided(filed(procedure), ask.Accept(), TAKEN)  # type: ignore[misc]
    assert isinstance(event, CaseAccepted)
    assert event.hand_over_by == local("2026-08-26 17:00")
    left = taken(procedure, unit=None)
    assert until(left, "2026-09-01 00:00") == [
        ("unassigned.1 one-stop-head", "2026-08-27 00:00:00"),
        ("unassigned.2 director", "2026-08-28 00:00:00"),
    ]
    sent = done(left, (ask.Forward(to_agency="police"), "2026-08-26 16:00"))
    assert until(sent, "2026-09-01 00:00") == []


@pytest.mark.parametrize("procedure", CLASSES)
def test_an_answer_is_published_within_two_working_days(procedure: str) -> None:
    (event,) = decided(taken(procedure), ANSWER, local("2026-08-28 16:00"))  # type: ignore[misc]
    assert isinstance(event, CaseResolved)
    assert (event.duty, event.duty_by) == ("publish", local("2026-09-04 17:00"))
    answered = done(taken(procedure), (ANSWER, "2026-08-28 16:00"), (ask.Return(channel=Channel.HOTLINE), "2026-08-28 16:30"))
    assert until(answered, "2026-10-01 00:00") == [
        ("duty_late.1 unit-head", "2026-09-05 00:00:00"),
        ("duty_late.2 director", "2026-09-09 00:00:00"),
    ]
    published = done(answered, (ask.CompleteStep(step="publish"), "2026-09-04 16:00"))
    assert (published.status, published.duty, until(published, "2026-10-01 00:00")) == (Status.RETURNED, None, [])


def test_a_refusal_after_appraisal_has_nothing_to_publish() -> None:
    refused = ask.Resolve(outcome=Outcome.REFUSED, reason="not_ours")
    (event,) = decided(taken(), refused, local("2026-08-28 16:00"))  # type: ignore[misc]
    assert isinstance(event, CaseResolved)
    assert event.duty is None


def test_the_citizen_opens_it_again_and_rates_the_next_answer() -> None:
    case = done(taken(), (ANSWER, "2026-08-28 16:00"), (ask.Rate(score=1), "2026-08-28 17:00"))
    assert (case.score, case.reopenings) == (1, None)
    again = done(case, (ask.Reopen(reason="reopened_by_citizen"), "2026-09-03 09:00"))
    assert (again.status, again.score, again.reopenings, again.duty) == (Status.IN_PROCESS, None, 1, None)
    assert again.due_at == local("2026-09-14 17:00")
    better = done(
        again, (ANSWER, "2026-09-10 09:00"), (ask.Rate(score=4), "2026-09-10 10:00"), (ask.Rate(score=5), "2026-09-10 11:00")
    )
    assert (better.score, better.duty_by) == (5, local("2026-09-14 17:00"))


def test_only_an_end_is_rated_and_a_task_by_nobody() -> None:
    assert decided(taken(), ask.Rate(score=3), local("2026-08-21 09:00")) == Rejected(Rejection.ILLEGAL_TRANSITION, "from 2")
    task = changed(done(taken(), (ANSWER, "2026-08-28 16:00")), {"kind": Kind.TASK})
    assert decided(task, ask.Rate(score=3), local("2026-08-29 09:00")) == Rejected(
        Rejection.NOT_SUPPORTED, "a task has no applicant"
    )


def test_a_case_counts_who_asked_after_it_and_knows_the_last_one() -> None:
    early, late = datetime(2026, 8, 21, 1, tzinfo=UTC), datetime(2026, 8, 21, 2, tzinfo=UTC)
    case = done(
        taken(),
        (CALL.model_copy(update={"at": late}), "2026-08-21 10:00"),
        (CALL.model_copy(update={"at": early}), "2026-08-21 10:01"),
    )
    assert (case.contacts, case.contacted_at) == (2, late)
    ticket = ask.RecordContact(via=ContactVia.TICKET, source="ticket-1022", other_case_id=UUID(int=7))
    (event,) = decided(case, ticket, local("2026-08-21 11:00"))  # type: ignore[misc]
    assert event == ContactRecorded(
        agency=AGENCY, kind=Kind.FEEDBACK, via=ContactVia.TICKET, source="ticket-1022", at=local("2026-08-21 11:00"),
        other_case_id=UUID(int=7),
    )  # fmt: skip


def test_nobody_has_asked_tomorrow_even_by_a_clock_that_is_ahead() -> None:
    now = local("2026-08-21 09:00")
    for said_at, told_at in ((now + timedelta(days=1), now), (now - timedelta(days=1), now - timedelta(days=1)), (None, now)):
        (event,) = decided(taken(), CALL.model_copy(update={"at": said_at}), now)  # type: ignore[misc]
        assert isinstance(event, ContactRecorded)
        assert event.at == told_at


def test_a_strangers_call_forbids_no_officer_what_was_done_a_moment_before_it() -> None:
    case = done(taken(), (CALL, "2026-08-21 09:00:02"))
    assert isinstance(decided(case, ask.CompleteStep(step="read"), local("2026-08-21 09:00:01")), list)
    worked = done(taken(), (ask.CompleteStep(step="read"), "2026-08-21 09:00:02"))
    assert isinstance(decided(worked, CALL, local("2026-08-21 09:00:01")), list)


def test_a_tie_is_kept_and_forbids_nothing_whatever_came_first() -> None:
    tie = ask.Link(other_case_id=UUID(int=7), reason="same_matter")
    case = done(taken(), (tie, "2026-08-21 09:00:02"))
    assert isinstance(decided(case, ask.CompleteStep(step="read"), local("2026-08-21 09:00:01")), list)
    worked = done(taken(), (ask.CompleteStep(step="read"), "2026-08-21 09:00:02"))
    assert isinstance(decided(worked, tie, local("2026-08-21 09:00:01")), list)


@pytest.mark.parametrize(("source", "reopened"), [("/intake", True), ("/somebody", False)])
def test_the_citizens_word_is_not_lost_when_an_officer_acts_while_it_is_on_its_way(source: str, reopened: bool) -> None:
    """The ticket says so at 9:00:01; before that comes, the answer is handed over at 9:00:02."""
    case = done(taken(), (ANSWER, "2026-08-28 16:00"), (ask.Return(channel=Channel.HOTLINE), "2026-08-31 09:00:02"))
    case_id, at = UUID(int=1), local("2026-08-31 09:00:01")
    work: Any = SimpleNamespace(cases={case_id: SimpleNamespace(state=case)}, now=local("2026-08-31 09:00:03"))
    envelope = Envelope("c", "reopen", source, str(case_id), AGENCY, at, at, Origin.LIVE)
    facts = attempt(work, Asked(case_id, envelope, ask.Reopen(reason="reopened_by_citizen")), Rules(catalogue=CATALOGUE))
    if not reopened:
        assert facts == Rejected(Rejection.OUT_OF_ORDER)
        return
    assert isinstance(facts, list)
    assert [(fact.event.type, fact.occurred_at) for fact in facts] == [("case.reopened", local("2026-08-31 09:00:02"))]
    after = work.cases[case_id].state
    assert (after.status, after.last_fact_at) == (Status.IN_PROCESS, local("2026-08-31 09:00:02"))


def test_the_limit_cites_the_decision_that_set_it() -> None:
    assert feedback_limit(local("2022-06-22 23:59")).vi == "Nghị định 20/2008/NĐ-CP"
    assert feedback_limit(local("2022-06-23 00:00")).vi == "Quyết định 766/QĐ-TTg, mục 5.2"


def test_every_class_of_feedback_keeps_the_four_limits() -> None:
    on = load_calendar().due_at(TAKEN, CATALOGUE.version("feedback.other", 2).statutory)  # type: ignore[union-attr, arg-type]
    assert on == local("2026-09-14 17:00")
    for procedure in CLASSES:
        version = CATALOGUE.version(procedure, 2)
        assert version is not None
        assert version.after_result is not None
        limits = (version.statutory, version.refuse_within, version.supplement.within, version.after_result.limit)
        assert [limit and limit.count for limit in (*limits, version.forward_within)] == [15, 2, 5, 2, 5]
