"""Counts of a source: whatever is missing of them is named, in whatever order the numbers come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from time import monotonic
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.feed import LARGEST_JUMP, LARGEST_NUMBER, Count, Gap, Number, first_missing, follow, scope_of
from shared.contracts.events.intake import MissingNumber

START: Final = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def numbers_of(*numbers: int, since: float = 0, fresh: bool = True) -> list[Number]:
    """Numbers of events that happened one second after the other."""
    return [Number(number, at(since + second), fresh) for second, number in enumerate(numbers)]


def told_in_turn(count: Count, *numbers: int, since: float = 0, fresh: bool = True) -> Count:
    """The count after events that came each by itself."""
    for number in numbers_of(*numbers, since=since, fresh=fresh):
        count = follow(count, [number])
    return count


def missing_of(count: Count) -> set[int]:
    return {number for gap in count.gaps for number in range(gap.first, gap.last + 1)}


@given(st.sets(st.integers(1, 200)), st.randoms(use_true_random=False), st.integers(1, 9))
def test_after_any_order_of_arrival_what_is_missing_is_what_was_not_heard(heard: set[int], random: Random, parts: int) -> None:
    again = [Number(number, at(number), fresh=False) for number in random.sample([*heard], len(heard) // 2)]
    numbers = [*(Number(number, at(number)) for number in heard), *again]
    random.shuffle(numbers)

    count = follow(Count(), [Number(0, at(0))])  # where the count begins
    for part in range(parts):
        count = follow(count, numbers[part::parts])

    highest = max(heard, default=0)
    assert missing_of(count) == {*range(highest)} - heard - {0}
    assert (count.highest, count.missing, count.at) == (highest, len(missing_of(count)), at(highest))


HEARD = st.builds(
    Number, st.integers(-5, 30) | st.integers(-5, 30_000) | st.integers(0, 2**70), st.integers(0, 40).map(at), st.booleans()
)


@given(st.lists(st.lists(HEARD, max_size=6), max_size=12))
def test_gaps_lie_in_order_below_the_highest_number_and_within_what_the_database_keeps(groups: list[list[Number]]) -> None:
    count = Count()
    for numbers in groups:
        count = follow(count, numbers)

    assert all(0 < gap.first <= gap.last <= LARGEST_NUMBER for gap in count.gaps)
    assert all(gap.last - gap.first < LARGEST_JUMP for gap in count.gaps)
    assert all(one.last < other.first for one, other in pairwise(count.gaps))
    assert all(gap.last < (count.highest or 0) for gap in count.gaps)


def test_a_number_that_was_passed_over_is_missing_and_one_that_comes_late_splits_the_gap_and_closes_it() -> None:
    count = follow(Count(), numbers_of(5, 10))
    assert count == Count(10, (Gap(6, 9),), at(1))

    count = follow(count, numbers_of(8))
    assert count == Count(10, (Gap(6, 7), Gap(9, 9)), at(1))

    assert follow(count, numbers_of(9, 6, 7, since=9)) == Count(10, (), at(1))


def test_a_late_number_closes_its_gap_however_far_the_count_has_gone() -> None:
    count = told_in_turn(Count(60_000, (Gap(100, 150),), at(0)), *range(100, 150), since=9)
    assert count == Count(60_000, (Gap(150, 150),), at(0))

    assert told_in_turn(count, 150, 99, fresh=False, since=99) == Count(60_000, (), at(0))


def test_what_came_before_the_first_number_is_not_missing() -> None:
    count = follow(Count(), [Number(5000, at(5))])

    assert count == Count(5000, (), at(5))
    assert follow(count, [Number(4990, at(4))]) == count


@pytest.mark.parametrize("number", [7 + LARGEST_JUMP + 1, 10**15])
def test_a_jump_too_far_is_no_loss_but_a_new_count(number: int) -> None:
    assert follow(Count(7, (Gap(3, 4),), at(0)), [Number(number, at(1))]) == Count(number, (Gap(3, 4),), at(1))
    assert follow(Count(7), [Number(7 + LARGEST_JUMP, at(1))]).missing == LARGEST_JUMP - 1


@pytest.mark.parametrize("highest", [50_000, 9_000, 5])
def test_a_source_that_was_set_up_anew_begins_at_one_again_and_its_losses_are_seen(highest: int) -> None:
    anew = numbers_of(1, 2, 4, since=60)

    assert follow(Count(highest, (), at(0)), anew) == Count(4, (Gap(3, 3),), at(62))
    assert told_in_turn(Count(highest, (), at(0)), 1, 2, 4, since=60) == Count(4, (Gap(3, 3),), at(62))


def test_what_one_group_tells_of_an_old_count_and_of_a_new_one_is_not_mixed() -> None:
    count = follow(Count(8_998, (), at(0)), [*numbers_of(1, 2, 5, since=60), *numbers_of(8_999, 9_000, since=50)])

    assert count == Count(5, (Gap(3, 4),), at(62))


def test_a_new_count_gives_up_what_the_old_one_missed_above_it_and_never_meets_it_again() -> None:
    count = told_in_turn(Count(60_000, (Gap(2, 3), Gap(8, 10), Gap(20_000, 20_005)), at(0)), 5, 6, 20, since=9)

    assert count == Count(20, (Gap(2, 3), Gap(7, 19)), at(11))


@pytest.mark.parametrize("highest", [60_000, 200])
def test_a_repetition_and_a_refused_event_begin_no_count(highest: int) -> None:
    count = Count(highest, (Gap(100, 150),), at(0))

    assert told_in_turn(count, 99, 7, highest, fresh=False, since=60) == count


def test_an_event_that_is_taken_after_it_was_refused_begins_no_count_for_it_happened_before() -> None:
    count = told_in_turn(told_in_turn(Count(), 6), 7, 8, 9, fresh=False, since=1)

    assert told_in_turn(count, 7, 9, since=1) == count == Count(9, (), at(3))


def test_a_wrong_number_blinds_the_count_for_one_event_only() -> None:
    assert told_in_turn(Count(100, (), at(0)), 10**12, 101, 103, since=1) == Count(103, (Gap(102, 102),), at(3))


def test_numbers_that_nobody_counts_with_are_passed_over() -> None:
    assert follow(Count(5), numbers_of(-1, LARGEST_NUMBER + 1)) == Count(5)


def test_many_gaps_and_many_numbers_take_no_time_that_a_source_could_block_us_with() -> None:
    count = Count(100_000, tuple(Gap(10 * number, 10 * number + 8) for number in range(5_000)), at(0))
    began = monotonic()

    after = follow(count, numbers_of(*range(3, 50_000, 10)))

    assert len(after.gaps) == 10_000
    assert monotonic() - began < 1


def test_only_the_first_numbers_of_a_gap_are_named() -> None:
    assert [*first_missing(Gap(3, 9_000), 4)] == [3, 4, 5, 6]
    assert [*first_missing(Gap(3, 4), 4)] == [3, 4]
    assert not first_missing(Gap(3, 4), 0)


@given(st.text(max_size=300))
def test_every_scope_can_be_stated_and_kept(text: str) -> None:
    scope = scope_of(text)

    assert MissingNumber(number=1, scope=scope or None).scope == (scope or None)
    assert scope_of(scope) == scope


def test_a_scope_that_is_no_code_is_shown_as_a_digest_and_never_as_it_is() -> None:
    assert scope_of("2026-11-20/pbx-2") == "2026-11-20/pbx-2"
    assert scope_of("") == ""
    assert "Kín" not in scope_of("Nguyễn Văn Kín")
    assert scope_of("Nguyễn Văn Kín") != scope_of("Nguyễn Văn Mở")
