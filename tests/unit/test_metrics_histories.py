"""Figures of random histories, shuffled and repeated, against a recomputation by hand that reads each in its order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from services.metrics.domain.case import Case
from services.metrics.domain.figures import Standing, is_due_soon, is_overdue, standing
from services.metrics.domain.projection import project
from services.metrics.domain.standstill import Standstill
from shared.contracts import events as ev
from shared.contracts.words import Channel, Kind, Outcome, StopKind, Timeliness
from tests.support.histories import History, Walk, figures_by_hand, random_history

START = datetime(2020, 3, 2, 1, 0, tzinfo=UTC)
CLOCK = START + timedelta(days=70)


def arrived(history: History, random: Random) -> Case:
    """The case after its facts came in any order, some of them again; the heart drops what it has seen."""
    facts = [*history, *random.choices(history, k=5)]
    random.shuffle(facts)
    case, seen = Case(), set()
    for envelope, event in facts:
        if (envelope.source, envelope.sequence) not in seen:
            seen.add((envelope.source, envelope.sequence))
            case = project(case, envelope, event)
    return case


def figures_of(cases: Iterable[Case], clock: datetime) -> dict[str, Any]:
    """Stock and turnaround of projections."""
    received = [case for case in cases if standing(case) is not Standing.NOT_RECEIVED]
    stands = Counter(map(standing, received))
    resolved = [case for case in received if standing(case) is Standing.RESOLVED]
    still = [case for case in received if standing(case) is Standing.OPEN]
    spans = [case.turnaround_seconds for case in resolved if case.turnaround_seconds is not None]
    return {
        "received": len(received),
        "resolved": stands[Standing.RESOLVED],
        "returned": sum(case.returned_at is not None for case in resolved),
        "open": stands[Standing.OPEN],
        "left": stands[Standing.LEFT],
        "overdue": sum(is_overdue(case.due_at, clock, case.stopped_at) for case in still),
        "overdue_statutory": sum(is_overdue(case.statutory_due_at, clock, case.stopped_at) for case in still),
        "due_soon": sum(is_due_soon(case.due_at, clock, case.stopped_at) for case in still),
        "without_due_date": sum(case.due_at is None for case in still),
        "timeliness": {word.value: sum(case.timeliness == word for case in resolved) for word in Timeliness},
        "measured": len(spans),
        "turnaround": sum(spans),
        "statuses": dict(Counter(case.status for case in still)),
        "versions": dict(Counter(case.procedure_version for case in received)),
        "resolved_by_version": dict(Counter(case.procedure_version for case in resolved)),
    }


@pytest.mark.parametrize("seed", range(20))
def test_requirement_10_the_identities_hold_for_any_order_with_duplicates_and_late_facts(seed: int) -> None:
    random = Random(seed)
    histories = [random_history(random, START) for _ in range(100)]
    seen = figures_of([arrived(history, random) for history in histories], CLOCK)
    assert seen == figures_by_hand(histories, CLOCK)
    assert seen["received"] == seen["resolved"] + seen["open"] + seen["left"]
    assert sum(seen["statuses"].values()) == seen["open"]
    assert sum(seen["versions"].values()) == seen["received"]
    assert sum(seen["timeliness"].values()) <= seen["resolved"]


@pytest.mark.parametrize("seed", range(5))
def test_the_closing_stock_of_a_period_is_the_carry_over_of_the_next(seed: int) -> None:
    """Rules for reports: carried over + received = ended + open, period after period, by what was known at each end."""
    random = Random(100 + seed)
    histories = [random_history(random, START) for _ in range(120)]
    carried = 0
    before = figures_by_hand([], START)
    for day in range(0, 200, 10):
        end = START + timedelta(days=day)
        known = [[fact for fact in history if fact[0].occurred_at <= end] for history in histories]
        now = figures_of([arrived(history, random) for history in known if history], end)
        assert now == figures_by_hand(known, end)
        received, ended = (now["received"] - before["received"]), _ended(now) - _ended(before)
        assert carried + received == ended + now["open"]
        carried, before = now["open"], now


def _ended(figures: dict[str, Any]) -> int:
    return int(figures["resolved"] + figures["left"])


@pytest.mark.parametrize("seed", range(10))
def test_every_column_is_the_same_whatever_the_order(seed: int) -> None:
    random = Random(200 + seed)
    for _ in range(60):
        history = random_history(random, START)
        assert arrived(history, random) == arrived(history, random) == _in_order(history)


def _in_order(history: Sequence[Any]) -> Case:
    case = Case()
    for envelope, event in history:
        case = project(case, envelope, event)
    return case


# --- a clock that stands still -----------------------------------------------------------------------


def walk() -> Walk:
    """An accepted dossier, due after ten days."""
    made = Walk(Random(1), "ldtbxh", Kind.DOSSIER, UUID(int=7), START, widest=2)
    made.state(ev.CaseSubmitted, procedure="1.001806", channel=Channel.ONLINE, filed_at=START)
    about: dict[str, Any] = {"code": "X", "procedure": "1.001806", "field": "social-protection", "channel": Channel.ONLINE}
    made.state(ev.CaseAccepted, **about, due_at=START + timedelta(days=10))
    return made


def state_at(made: Walk, days: float, event: type[ev.CaseEvent], **body: Any) -> None:
    """A fact after so many days, to the minute."""
    made.at = START + timedelta(days=days)
    made.state(event, **body)


@pytest.mark.parametrize(("asked_after", "late"), [(2, False), (9, False), (15, True)])
def test_a_stopped_clock_is_overdue_only_if_it_was_when_it_stopped(asked_after: int, late: bool) -> None:
    made = walk()
    state_at(made, asked_after, ev.SupplementRequested, documents=("d",), reason="incomplete")
    case = _in_order(made.history)
    assert standing(case) is Standing.OPEN
    assert is_overdue(case.due_at, START + timedelta(days=40), case.stopped_at) is late
    assert is_due_soon(case.due_at, START + timedelta(days=10), None)
    assert is_due_soon(case.due_at, START + timedelta(days=10), case.stopped_at) is late  # it stopped after that day


def test_a_standstill_of_several_facts_began_with_the_first_of_them() -> None:
    made = walk()
    state_at(made, 2, ev.SupplementRequested, documents=("d",), reason="incomplete")
    stopped_at = made.at
    state_at(made, 20, ev.CaseStopped, stop_kind=StopKind.SUSPENDED, reason="awaiting_court_decision")
    for facts in (made.history, made.history[::-1]):
        case = _in_order(facts)
        assert case.stopped_at == stopped_at
        assert not is_overdue(case.due_at, START + timedelta(days=40), case.stopped_at)


def test_a_fact_between_two_standstills_that_comes_late_tells_them_apart() -> None:
    made = walk()
    state_at(made, 2, ev.SupplementRequested, documents=("d",), reason="incomplete")
    state_at(made, 4, ev.SupplementReceived)
    state_at(made, 20, ev.PaymentRequested, amount_vnd=5)
    *first, completed, paying = made.history
    case = _in_order([*first, paying, completed])
    assert case.stopped_at == paying[0].occurred_at
    assert case == _in_order(made.history)


def test_a_standstill_is_read_as_it_was_written() -> None:
    made = Standstill(3).stopped(7, CLOCK).stopped(5, START)
    text = made.text()
    assert text is not None
    assert Standstill.read(text) == made == Standstill(3, ((5, START), (7, CLOCK)))
    assert (made.since, made.runs(6).since, made.runs(7).text()) == (START, CLOCK, None)


# --- corrections, duties, what moves a due date ------------------------------------------------------


def test_a_correction_changes_when_it_was_received_and_what_follows() -> None:
    made = walk()
    state_at(made, 5, ev.CaseResolved, outcome=Outcome.GRANTED, timeliness=Timeliness.LATE)
    resolved_at, due_at = made.at, START + timedelta(days=12)
    made.correct(ev.CaseAccepted, occurred_at=START + timedelta(hours=30), due_at=due_at, timeliness=Timeliness.EARLY)
    for facts in (made.history, made.history[::-1]):
        case = _in_order(facts)
        assert (case.received_at, case.resolved_at, case.due_at) == (START + timedelta(hours=30), resolved_at, due_at)
        assert (case.timeliness, case.outcome) == ("early", "granted")
        assert case.turnaround_seconds == (resolved_at - START - timedelta(hours=30)).total_seconds()


def test_a_duty_after_the_result_leaves_the_case_resolved() -> None:
    made = walk()
    state_at(made, 5, ev.CaseResolved, outcome=Outcome.GRANTED, timeliness=Timeliness.EARLY)
    state_at(made, 6, ev.StepCompleted, step="publish", after_result=True)
    case = _in_order(made.history)
    assert (case.status, case.steps, standing(case)) == (9, 1, Standing.RESOLVED)


@pytest.mark.parametrize(
    ("stop", "go_on"),
    [
        (ev.PaymentRequested(agency="a", kind=Kind.DOSSIER, amount_vnd=5), ev.PaymentReceived),
        (ev.CaseStopped(agency="a", kind=Kind.DOSSIER, stop_kind=StopKind.SUSPENDED, reason="r"), ev.CaseResumed),
    ],
)
def test_a_payment_or_a_resumption_moves_the_due_date(stop: ev.CaseEvent, go_on: type[ev.CaseEvent]) -> None:
    made = walk()
    state_at(made, 2, type(stop), **stop.model_dump(exclude={"agency", "kind"}))
    more: dict[str, Any] = {"amount_vnd": 5} if go_on is ev.PaymentReceived else {"reason": "obstacle_removed"}
    state_at(made, 5, go_on, **more, due_at=START + timedelta(days=13), statutory_due_at=START + timedelta(days=18))
    case = _in_order(made.history[::-1])
    assert (case.due_at, case.statutory_due_at) == (START + timedelta(days=13), START + timedelta(days=18))
    assert (case.stopped_at, case.status) == (None, 4)
