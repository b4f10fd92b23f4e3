"""A call is one call, whatever the order and the repetition in which its events come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.call import MOST_SECONDS, Call, Ended, call_of, end_of, join
from shared.contracts.hotline import CallChanged, CallState
from shared.contracts.words import CallOutcome

START = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
Event = tuple[CallChanged, datetime]


def said(
    state: CallState, second: float, waiting: int | None = None, talking: int | None = None, code: str | None = None
) -> Event:
    change = CallChanged(call_id="c1", state=state, waiting_seconds=waiting, talking_seconds=talking, dossier_code=code)
    return change, START + timedelta(seconds=second)


def fold(events: list[Event]) -> Call:
    return reduce(join, (call_of(*event) for event in events), Call())


def ended(*events: Event) -> Ended:
    return end_of(fold(list(events)))


events = st.builds(
    said,
    st.sampled_from(CallState),
    st.integers(-100, 10_000),
    st.none() | st.integers(0, 10**12),
    st.none() | st.integers(0, 10**12),
    st.none() | st.sampled_from(["H1", "H2", "000.00.16.H24-201120-0001"]),
)


@given(st.lists(events, max_size=12), st.randoms(use_true_random=False), st.data())
def test_any_order_and_any_repetition_make_the_same_call(heard: list[Event], random: Random, data: st.DataObject) -> None:
    repeated = data.draw(st.lists(st.sampled_from(heard), max_size=8)) if heard else []
    shuffled = [*heard, *repeated]
    random.shuffle(shuffled)

    assert fold(shuffled) == fold(heard)


@given(st.lists(events, max_size=6), st.lists(events, max_size=6), st.lists(events, max_size=6))
def test_parts_may_be_joined_in_any_way(one: list[Event], two: list[Event], three: list[Event]) -> None:
    a, b, c = fold(one), fold(two), fold(three)

    assert join(join(a, b), c) == join(a, join(b, c)) == fold(one + two + three)
    assert join(a, b) == join(b, a)
    assert join(a, a) == a


@given(st.lists(events, max_size=12))
def test_every_call_that_ended_has_an_outcome_and_whole_seconds(heard: list[Event]) -> None:
    call = fold([*heard, said(CallState.ENDED, 50)])

    outcome, waiting, talking = end_of(call)

    assert 0 <= waiting <= MOST_SECONDS
    assert 0 <= talking <= MOST_SECONDS
    assert (outcome is CallOutcome.ANSWERED) == (call.answered_at is not None or bool(call.own_talking))


def test_waiting_is_from_the_first_sign_of_the_call_to_the_answer_and_talking_from_there_to_the_end() -> None:
    assert ended(
        said(CallState.CREATED, 0), said(CallState.QUEUED, 2), said(CallState.RINGING, 9), said(CallState.ANSWERED, 17.9),
        said(CallState.ENDED, 405.95),
    ) == (CallOutcome.ANSWERED, 17, 388)  # fmt: skip


def test_of_a_state_that_is_told_twice_the_earliest_time_counts() -> None:
    assert ended(
        said(CallState.ENDED, 60), said(CallState.ANSWERED, 20), said(CallState.ANSWERED, 10), said(CallState.ENDED, 50),
        said(CallState.QUEUED, 5), said(CallState.CREATED, 0),
    ) == (CallOutcome.ANSWERED, 10, 40)  # fmt: skip


def test_a_call_that_nobody_answered_is_abandoned_and_has_waited_to_its_end() -> None:
    assert ended(said(CallState.CREATED, 0), said(CallState.ABANDONED, 94)) == (CallOutcome.ABANDONED, 94, 0)
    assert ended(said(CallState.CREATED, 0), said(CallState.ENDED, 94)) == (CallOutcome.ABANDONED, 94, 0)


def test_an_answer_that_was_heard_wins_over_abandoned() -> None:
    assert ended(
        said(CallState.ABANDONED, 90), said(CallState.ANSWERED, 30), said(CallState.CREATED, 0)
    ).outcome is CallOutcome.ANSWERED  # fmt: skip


@pytest.mark.parametrize(
    ("waiting", "talking", "expected"),
    [(3, 30, (3, 30)), (3, None, (3, 45)), (None, 30, (15, 30)), (0, 0, (0, 0))],
)
def test_the_seconds_of_the_source_itself_win(waiting: int | None, talking: int | None, expected: tuple[int, int]) -> None:
    call = ended(
        said(CallState.CREATED, 0), said(CallState.ANSWERED, 15), said(CallState.ENDED, 60, waiting, talking)
    )  # fmt: skip

    assert call == (CallOutcome.ANSWERED, *expected)


def test_a_source_that_counts_talking_says_that_the_call_was_answered() -> None:
    assert ended(said(CallState.CREATED, 0), said(CallState.ENDED, 100, None, 80)) == (CallOutcome.ANSWERED, 20, 80)
    assert ended(said(CallState.CREATED, 0), said(CallState.ENDED, 100, None, 0)) == (CallOutcome.ABANDONED, 100, 0)


def test_what_was_not_heard_is_no_time_at_all() -> None:
    assert ended(said(CallState.ENDED, 60)) == (CallOutcome.ABANDONED, 0, 0)
    assert ended(said(CallState.ANSWERED, 20), said(CallState.ENDED, 60)) == (CallOutcome.ANSWERED, 0, 40)


def test_a_clock_that_went_back_measures_nothing() -> None:
    assert ended(said(CallState.CREATED, 50), said(CallState.ANSWERED, 20), said(CallState.ENDED, 10)) == ("answered", 0, 0)


def test_seconds_that_no_call_lasts_are_cut_off() -> None:
    assert ended(said(CallState.ENDED, 60, 10**15, 10**15)) == (CallOutcome.ANSWERED, MOST_SECONDS, MOST_SECONDS)


def test_every_dossier_that_a_call_named_is_kept() -> None:
    call = fold(
        [said(CallState.CREATED, 0, code="H2"), said(CallState.ENDED, 9, code="H1"), said(CallState.QUEUED, 1, code="H2")]
    )

    assert call.dossier_codes == ("H1", "H2")


def test_a_call_that_goes_on_has_no_outcome() -> None:
    with pytest.raises(ValueError, match="not ended"):
        end_of(fold([said(CallState.ANSWERED, 3)]))
