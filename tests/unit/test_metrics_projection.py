"""The projection of a case: any order of arrival, any repetition by the heart's rules, the same figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from services.metrics.domain.case import Case
from services.metrics.domain.figures import Standing, standing
from services.metrics.domain.projection import STATUS_AFTER, project
from services.metrics.domain.tallies import Tallies, used_share
from shared.calendar import load_calendar
from shared.contracts import events as ev
from shared.contracts.envelope import Envelope
from shared.contracts.words import (
    Channel,
    ContactVia,
    Kind,
    Origin,
    Outcome,
    Rejection,
    Status,
    StopKind,
    Timeliness,
)

ABOUT: dict[str, Any] = {"agency": "ldtbxh", "kind": Kind.DOSSIER}
START = datetime(2020, 3, 2, 1, 0, tzinfo=UTC)  # Monday 08:00 in Viet Nam
DUE = datetime(2020, 3, 16, 10, 0, tzinfo=UTC)  # Monday 17:00, ten working days later
Fact = tuple[Envelope, ev.CaseEvent]


def fact(event: ev.CaseEvent, sequence: int, at: datetime, origin: Origin = Origin.REPLAY) -> Fact:
    """One fact as a consumer hands it over."""
    source = f"/{event.stated_by}"
    return Envelope(f"{source}{sequence}", event.type, source, "case", event.agency, at, at, origin, sequence), event


def submitted(at: datetime = START - timedelta(hours=10)) -> Fact:
    """Filed on Sunday evening."""
    event = ev.CaseSubmitted(**ABOUT, procedure="1.001806", channel=Channel.ONLINE, filed_at=at)
    return fact(event, 1, at)


def accepted(sequence: int = 1, at: datetime = START, due_at: datetime | None = DUE) -> Fact:
    """Accepted on Monday morning."""
    event = ev.CaseAccepted(
        **ABOUT, code="X-1", procedure="1.001806", field="social-protection", channel=Channel.ONLINE,
        due_at=due_at, statutory_due_at=due_at + timedelta(days=7) if due_at else None,
    )  # fmt: skip
    return fact(event, sequence, at)


def resolved(sequence: int, at: datetime, timeliness: Timeliness = Timeliness.EARLY) -> Fact:
    """The result is ready."""
    return fact(ev.CaseResolved(**ABOUT, outcome=Outcome.GRANTED, timeliness=timeliness), sequence, at)


def fold(facts: list[Fact]) -> Case:
    """All facts into one case."""
    case = Case()
    for envelope, event in facts:
        case = project(case, envelope, event)
    return case


def whole_life() -> list[Fact]:
    """Submitted, accepted, a step, resolved after nine hours of work, returned."""
    return [
        submitted(),
        accepted(),
        fact(ev.StepCompleted(**ABOUT, step="examine"), 2, START + timedelta(hours=2)),
        resolved(3, START + timedelta(days=1, hours=1)),
        fact(ev.CaseReturned(**ABOUT, channel=Channel.POST), 4, START + timedelta(days=2)),
    ]


def test_a_whole_life_gives_turnaround_from_acceptance_to_resolution() -> None:
    case = fold(whole_life())
    assert (case.received_at, case.resolved_at) == (START, START + timedelta(days=1, hours=1))
    assert case.turnaround_seconds == 25 * 3600
    assert case.working_seconds == 9 * 3600
    assert (case.status, case.steps, case.channel, case.return_channel) == (10, 1, "online", "post")
    assert (case.origin, case.field, case.outcome, case.timeliness) == ("replay", "social-protection", "granted", "early")
    assert case.last_at is not None
    assert case.first_at is not None
    assert case.last_at - case.first_at == timedelta(days=2, hours=10)


def test_every_order_of_arrival_ends_in_the_same_case() -> None:
    life = whole_life()
    assert {repr(fold(list(order))) for order in permutations(life)} == {repr(fold(life))}


def test_the_given_case_is_left_as_it_is() -> None:
    case = Case()
    project(case, *submitted())
    assert case == Case()


def test_a_registered_or_refused_case_is_not_received() -> None:
    registered = fold([submitted()])
    refused = fold([submitted(), fact(ev.CaseRefused(**ABOUT, reason="incomplete"), 1, START)])
    assert (registered.status, refused.status) == (Status.REGISTERED, Status.REFUSED)
    assert standing(registered) is standing(refused) is Standing.NOT_RECEIVED


def test_a_suspended_case_stays_open_and_a_withdrawn_or_terminated_one_leaves() -> None:
    def stop(kind: StopKind) -> Fact:
        return fact(ev.CaseStopped(**ABOUT, stop_kind=kind, reason="asked"), 2, START + timedelta(days=1))

    assert standing(fold([accepted(), stop(StopKind.SUSPENDED)])) is Standing.OPEN
    assert standing(fold([accepted(), stop(StopKind.WITHDRAWN)])) is Standing.LEFT
    assert standing(fold([accepted(), stop(StopKind.TERMINATED)])) is Standing.LEFT
    resumed = fact(ev.CaseResumed(**ABOUT, reason="mistake"), 3, START + timedelta(days=2))
    assert standing(fold([resumed, accepted(), stop(StopKind.WITHDRAWN)])) is Standing.OPEN


def test_a_reopened_case_is_open_again_until_its_next_resolution() -> None:
    reopened = fact(ev.CaseReopened(**ABOUT, reason="wrong_result"), 3, START + timedelta(days=3))
    first, second = resolved(2, START + timedelta(days=1)), resolved(4, START + timedelta(days=5))
    once = fold([accepted(), reopened, first])
    assert (standing(once), once.turnaround_seconds, once.timeliness) == (Standing.OPEN, None, None)
    assert fold([second, reopened, accepted(), first]).turnaround_seconds == 5 * 86400


def test_an_extension_moves_the_due_date_whenever_it_arrives() -> None:
    later = DUE + timedelta(days=3)
    event = ev.CaseExtended(**ABOUT, old_due_at=DUE, new_due_at=later, reason="survey", apology="sent")
    extended = fact(event, 2, START + timedelta(days=4))
    assert fold([accepted(), extended]).due_at == fold([extended, accepted()]).due_at == later
    assert fold([extended, accepted()]).statutory_due_at == DUE + timedelta(days=7)


def test_a_case_that_another_agency_works_on_stays_in_its_owners_backlog() -> None:
    forwarded = fact(ev.CaseForwarded(**ABOUT, to_agency="health"), 2, START + timedelta(hours=1))
    case = fold([forwarded, accepted(), submitted()])
    assert (case.agency, case.status) == ("ldtbxh", 4)


def test_a_case_keeps_the_version_and_the_limits_of_its_acceptance() -> None:
    event = ev.CaseAccepted(
        **ABOUT, code="X-1", procedure="1.001806", field="social-protection", channel=Channel.ONLINE, procedure_version=2,
        committed=ev.Limit(count=10, unit="working_days"), statutory=ev.Limit(count=15, unit="working_days"),
    )  # fmt: skip
    case = fold([fact(event, 1, START)])
    assert (case.procedure_version, case.committed, case.statutory) == (2, "10 working_days", "15 working_days")


def test_a_tasks_milestones_are_counted() -> None:
    reached = [fact(ev.MilestoneReached(**ABOUT, milestone=f"m-{n}", percent=n), n, START) for n in (2, 3)]
    assert fold([*reached, accepted()]).milestones == 2


def test_rejected_commands_and_messages_do_not_lengthen_the_log() -> None:
    late = START + timedelta(days=90)
    rejected = ev.CommandRejected(**ABOUT, command_id="c", command="accept", reason=Rejection.ILLEGAL_TRANSITION)
    sent = ev.NotificationSent(
        **ABOUT, message_id=UUID(int=7), fact="case.accepted", fact_id="f", recipient="applicant", channel="file"
    )
    called = ev.ContactRecorded(**ABOUT, via=ContactVia.CALL, source="stringee", at=late)
    said = fact(called, 3, late), fact(ev.CaseRated(**ABOUT, score=5), 4, late)
    assert fold([accepted(), fact(rejected, 2, late), *said, fact(sent, 1, late)]).last_at == START


def test_every_rating_is_counted_by_its_score() -> None:
    tallies, case = Tallies.empty(), fold([accepted()])
    for score in (1, 5, 5):
        tallies.add(case, case, ev.CaseRated(**ABOUT, score=score))
    assert {key.label: count for key, count in tallies.counts.items() if key.series == "rated"} == {"1": 1, "5": 2}


def test_a_resolution_before_its_acceptance_has_no_turnaround() -> None:
    case = fold([accepted(), resolved(2, START - timedelta(hours=1))])
    assert (standing(case), case.turnaround_seconds, case.working_seconds) == (Standing.RESOLVED, None, None)
    assert used_share(case, DUE, load_calendar()) is None


@pytest.mark.parametrize(("share", "at"), [(1.0, DUE), (1.0, DUE + timedelta(hours=5)), (1.125, DUE + timedelta(hours=15))])
def test_the_whole_evening_of_the_due_date_uses_the_limit_exactly(share: float, at: datetime) -> None:
    case = fold([accepted(at=datetime(2020, 3, 13, 10, tzinfo=UTC)), resolved(2, at)])
    assert used_share(case, DUE, load_calendar()) == pytest.approx(share)


def test_every_status_event_is_one_that_processing_states() -> None:
    assert {ev.EVENTS[name].stated_by for name in STATUS_AFTER} == {ev.PROCESSING}
    assert set(STATUS_AFTER.values()) == set(Status) - {Status.REGISTERED}
