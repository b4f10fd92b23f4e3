"""Identities of the figures for any facts in any order, tallies that count each fact once, and business time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.case import Case
from services.metrics.domain.figures import AgencyClock, Standing, is_overdue, standing
from services.metrics.domain.projection import project
from services.metrics.domain.tallies import Tallies
from services.metrics.tables import CaseRow, MissingEvent, Outbox, Parked
from shared.contracts import events as ev
from shared.contracts.envelope import Envelope
from shared.contracts.words import Channel, ClockMode, Kind, Origin, Outcome, StopKind, Timeliness
from shared.persistence.work import Store

ABOUT: dict[str, Any] = {"agency": "ldtbxh", "kind": Kind.FEEDBACK}
START = datetime(2020, 3, 2, 1, 0, tzinfo=UTC)
Fact = tuple[Envelope, ev.CaseEvent]

LATER = st.sampled_from(
    (
        ev.StepCompleted(**ABOUT, step="examine"),
        ev.CaseForwarded(**ABOUT, to_unit="merit"),
        ev.SupplementRequested(**ABOUT, documents=("D1",), reason="missing"),
        ev.SupplementReceived(**ABOUT, due_at=START + timedelta(days=40)),
        ev.CaseExtended(**ABOUT, old_due_at=START, new_due_at=START + timedelta(days=50), reason="r", apology="a"),
        ev.DueDateRecalculated(**ABOUT, old_due_at=None, new_due_at=START + timedelta(days=9), reason="calendar"),
        ev.CaseStopped(**ABOUT, stop_kind=StopKind.SUSPENDED, reason="wait"),
        ev.CaseStopped(**ABOUT, stop_kind=StopKind.WITHDRAWN, reason="asked"),
        ev.WithdrawalRequested(**ABOUT),
        ev.CaseResumed(**ABOUT, reason="again"),
        ev.CaseResolved(**ABOUT, outcome=Outcome.ANSWERED, timeliness=Timeliness.LATE),
        ev.CaseReturned(**ABOUT, channel=Channel.COUNTER),
        ev.CaseReopened(**ABOUT, reason="wrong_result"),
        ev.CauseRecorded(**ABOUT, cause="survey"),
    )
)
FIRST = (
    ev.CaseSubmitted(**ABOUT, procedure="1.1", channel=Channel.HOTLINE, filed_at=START),
    ev.CaseAccepted(
        **ABOUT, code="X", procedure="1.1", field="employment", channel=Channel.HOTLINE, due_at=START + timedelta(days=7)
    ),
)


@st.composite
def lives(draw: st.DrawFn) -> list[Fact]:
    """The facts of one case in the order in which they were stated; it may lack any of them."""
    later = draw(st.lists(LATER, max_size=8))
    hours = draw(st.lists(st.integers(0, 500), min_size=len(later), max_size=len(later)))
    times = [START, START + timedelta(hours=1), *(START + timedelta(hours=2 + each) for each in sorted(hours))]
    facts, sequences = [], Counter[str]()
    for event, at in zip((*FIRST, *later), times, strict=True):
        sequences[event.stated_by] += 1
        source = f"/{event.stated_by}"
        number = sequences[event.stated_by]
        facts.append((Envelope("id", event.type, source, "case", event.agency, at, at, Origin.LIVE, number), event))
    kept = draw(st.lists(st.booleans(), min_size=len(facts), max_size=len(facts)))
    return [each for each, keep in zip(facts, kept, strict=True) if keep]


def fold(facts: list[Fact]) -> Case:
    """All facts into one case."""
    case = Case()
    for envelope, event in facts:
        case = project(case, envelope, event)
    return case


@given(life=lives(), data=st.data())
def test_any_order_of_any_facts_ends_in_the_same_case(life: list[Fact], data: st.DataObject) -> None:
    assert fold(data.draw(st.permutations(life))) == fold(life)


@given(st.lists(lives(), max_size=6), st.none() | st.integers(0, 600))
def test_received_is_resolved_plus_open_plus_left_at_every_moment(cases: list[list[Fact]], hour: int | None) -> None:
    at = None if hour is None else START + timedelta(hours=hour)
    folded = [fold(life) for life in cases]
    stands = Counter(standing(case, at) for case in folded)
    received = sum(1 for case in folded if case.received_at is not None and (at is None or case.received_at <= at))
    assert received == stands[Standing.RESOLVED] + stands[Standing.OPEN] + stands[Standing.LEFT]


@given(lives())
def test_turnaround_is_known_for_resolved_cases_only_and_never_negative(life: list[Fact]) -> None:
    case = fold(life)
    if standing(case) is Standing.RESOLVED and case.turnaround_seconds is not None:
        assert case.turnaround_seconds >= 0
        assert case.working_seconds is not None
        assert 0 <= case.working_seconds <= case.turnaround_seconds + 0.5
    else:
        assert case.turnaround_seconds is None


def tallies_of(facts: list[Fact]) -> Tallies:
    """What one case's facts count."""
    case, tallies = Case(), Tallies.empty()
    for envelope, event in facts:
        before, case = case, project(case, envelope, event)
        tallies.add(before, case, event)
    return tallies


@given(lives())
def test_tallies_count_every_fact_once_and_received_cases_once(life: list[Fact]) -> None:
    by_series = Counter[str]()
    for key, count in tallies_of(life).counts.items():
        by_series[key.series] += count
    types = Counter(event.type for _, event in life)
    assert by_series["received"] == types["case.accepted"]
    assert by_series["resolved"] == types["case.resolved"]
    assert by_series["returned"] == types["case.returned"]
    assert by_series["reopened"] == types["case.reopened"]


def test_a_resolution_falls_into_the_bucket_of_the_share_it_used() -> None:
    envelope = Envelope("i", "t", "/processing", "c", "ldtbxh", START, START, Origin.LIVE, 1)
    accepted = ev.CaseAccepted(
        **ABOUT, code="X", procedure="1.1", field="employment", channel=Channel.POST,
        due_at=datetime(2020, 3, 3, 10, tzinfo=UTC),
    )  # fmt: skip
    late = Envelope("i", "t", "/processing", "c", "ldtbxh", datetime(2020, 3, 4, 10, tzinfo=UTC), START, Origin.LIVE, 2)
    done = ev.CaseResolved(**ABOUT, outcome=Outcome.ANSWERED, timeliness=Timeliness.LATE)
    tallies = tallies_of([(envelope, accepted), (late, done)])
    [(key, total)] = tallies.sums.items()
    assert (key.label, key.bucket) == ("committed", "2.0")  # 23 hours of work out of 15
    assert total == round(1_000_000 * 23 / 15)


@pytest.mark.parametrize(
    ("due_at", "clock", "late"),
    [
        ("2020-03-16T10:00+00:00", "2020-03-16T16:59+00:00", False),  # 23:59 of the due date in Viet Nam
        ("2020-03-16T10:00+00:00", "2020-03-16T17:00+00:00", True),  # midnight after it
        ("2020-03-16T18:00+00:00", "2020-03-17T16:00+00:00", False),  # due on the 17th in Viet Nam
    ],
)
def test_overdue_begins_at_local_midnight_after_the_due_date(due_at: str, clock: str, late: bool) -> None:
    assert is_overdue(datetime.fromisoformat(due_at), datetime.fromisoformat(clock)) is late


def test_a_case_without_a_due_date_is_never_overdue() -> None:
    assert not is_overdue(None, START)


def test_the_business_clock_is_real_time_or_the_agencys_date_and_never_after_the_question() -> None:
    now, stood = START + timedelta(days=900), START + timedelta(days=100)
    assert AgencyClock().business(now) == now
    assert AgencyClock(ClockMode.HISTORICAL, stood).business(now) == stood
    assert AgencyClock(ClockMode.HISTORICAL, stood).business(now, START) == START
    assert AgencyClock(ClockMode.LIVE, stood).business(now) == now


def test_the_table_has_exactly_the_columns_of_the_projection() -> None:
    Store(None, "metrics", CaseRow, Case, Outbox, Parked, missing=MissingEvent)  # type: ignore[arg-type]
