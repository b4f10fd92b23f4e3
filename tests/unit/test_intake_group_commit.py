"""Group commit: who shares a commit, and who pays for whose fault."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import pytest

from services.intake.group_commit import GroupCommit, GroupLimits, UnavailableError


class AwayError(Exception):
    """The database is away."""


class PoisonError(Exception):
    """An item that can never be committed."""


@dataclass
class Books:
    """Something to commit to: closed until `gate` opens, with a list of bad items and of failures to come."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    bad: set[int] = field(default_factory=set)
    away: int = 0
    groups: list[list[int]] = field(default_factory=list)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    written: list[int] = field(default_factory=list)

    async def commit(self, items: Sequence[int]) -> list[int]:
        self.groups.append(list(items))
        self.began.set()
        await self.gate.wait()
        if self.away:
            self.away -= 1
            raise AwayError
        if self.bad & set(items):
            raise PoisonError
        self.written += items
        return [item * 10 for item in items]


def make(books: Books, **limits: float) -> GroupCommit[int, int]:
    return GroupCommit(
        books.commit,
        lambda error: isinstance(error, AwayError),
        GroupLimits(**limits),  # type: ignore[arg-type]
    )


async def test_what_arrives_during_a_commit_shares_the_next_one() -> None:
    books = Books()
    group_commit = make(books)
    first = group_commit.submit(1)
    await books.began.wait()
    rest = [group_commit.submit(item) for item in range(2, 50)]
    books.gate.set()
    assert await asyncio.gather(first, *rest) == [item * 10 for item in range(1, 50)]
    assert books.groups == [[1], list(range(2, 50))]


async def test_a_group_is_never_larger_than_the_limit() -> None:
    books = Books()
    books.gate.set()
    group_commit = make(books, most=7)
    await asyncio.gather(*(group_commit.submit(item) for item in range(20)))
    assert [len(group) for group in books.groups] == [7, 7, 6]
    assert books.written == list(range(20))


async def test_items_share_a_commit_up_to_their_weight_and_a_heavier_one_goes_alone() -> None:
    books = Books()
    books.gate.set()
    group_commit = GroupCommit(books.commit, lambda _: False, GroupLimits(most=4, heaviest=10), lambda item: item)
    await asyncio.gather(*(group_commit.submit(item) for item in (4, 6, 1, 50, 9, 2, 1, 1, 1, 1)))
    assert books.groups == [[4, 6], [1], [50], [9], [2, 1, 1, 1], [1]]


async def test_one_bad_item_gets_its_own_error_and_harms_no_neighbour() -> None:
    books = Books(bad={3, 11})
    books.gate.set()
    group_commit = make(books)
    answers = await asyncio.gather(*(group_commit.submit(item) for item in range(16)), return_exceptions=True)
    assert [item for item, answer in enumerate(answers) if isinstance(answer, PoisonError)] == [3, 11]
    assert sorted(books.written) == [item for item in range(16) if item not in {3, 11}]


async def test_a_transient_failure_makes_everyone_in_the_group_unavailable_and_the_next_group_works() -> None:
    books = Books(away=1)
    books.gate.set()
    group_commit = make(books)
    answers = await asyncio.gather(*(group_commit.submit(item) for item in range(5)), return_exceptions=True)
    assert all(isinstance(answer, UnavailableError) for answer in answers)
    assert len({id(answer) for answer in answers}) == 5, "each waiter raises an error of its own"
    assert books.written == []
    assert await group_commit.submit(6) == 60


async def test_patience_outlasts_a_short_outage() -> None:
    books = Books(away=3)
    books.gate.set()
    group_commit = make(books, patience_seconds=5.0, first_pause_seconds=0.001)
    assert await asyncio.gather(*(group_commit.submit(item) for item in range(3))) == [0, 10, 20]
    assert len(books.groups) == 4


async def test_a_full_queue_refuses_and_a_patient_client_waits_for_room() -> None:
    books = Books()
    group_commit = make(books, most=2, capacity=2)
    first = group_commit.submit(0)
    await books.began.wait()
    queued = [group_commit.submit(1), group_commit.submit(2)]
    with pytest.raises(UnavailableError):
        group_commit.submit(3)
    patient = asyncio.create_task(group_commit.submit_together([4]))
    await asyncio.sleep(0)
    assert not patient.done()
    books.gate.set()
    assert await asyncio.gather(first, *queued) == [0, 10, 20]
    assert await (await patient) == [40]


async def test_who_waits_for_room_waits_while_the_queue_is_still_overfull() -> None:
    books = Books()
    group_commit = make(books, most=4, capacity=4)
    waited, wait = 0, group_commit._room.wait

    async def counted() -> Literal[True]:
        nonlocal waited
        waited += 1
        assert waited < 100, "woken again and again without room"
        return await wait()

    group_commit._room.wait = counted  # type: ignore[method-assign]
    sent = [asyncio.create_task(group_commit.submit_together(range(20))) for _ in range(4)]
    await books.began.wait()
    books.gate.set()
    for each in sent:
        assert await (await each) == [item * 10 for item in range(20)]


async def test_shutdown_answers_everything_queued_and_takes_nothing_new() -> None:
    books = Books()
    group_commit = make(books, most=3)
    answers = [group_commit.submit(item) for item in range(10)]
    draining = asyncio.create_task(group_commit.drain())
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError):
        group_commit.submit(11)
    books.gate.set()
    await draining
    assert [answer.result() for answer in answers] == [item * 10 for item in range(10)]


async def test_shutdown_releases_who_waits_for_room() -> None:
    books = Books()
    group_commit = make(books, most=1, capacity=1)
    group_commit.submit(0)
    await books.began.wait()
    group_commit.submit(1)
    patient = asyncio.create_task(group_commit.submit_together([2]))
    await asyncio.sleep(0)
    books.gate.set()
    await group_commit.drain()
    (told,) = (await patient).result()
    assert isinstance(told, UnavailableError)


async def test_a_client_that_went_away_does_not_disturb_the_group() -> None:
    books = Books()
    group_commit = make(books)
    gone, stays = group_commit.submit(1), group_commit.submit(2)
    gone.cancel()
    books.gate.set()
    assert await stays == 20
    assert books.written == [1, 2]


async def test_a_transient_failure_in_one_half_leaves_the_other_half_committed() -> None:
    books = Books(bad={0})
    books.gate.set()

    async def commit(items: Sequence[int]) -> list[int]:
        if list(items) == [2, 3]:
            raise AwayError
        return await books.commit(items)

    group_commit = GroupCommit(commit, lambda error: isinstance(error, AwayError))
    kinds = await asyncio.gather(*(group_commit.submit(item) for item in range(4)), return_exceptions=True)
    assert isinstance(kinds[0], PoisonError)
    assert kinds[1] == 10
    assert isinstance(kinds[2], UnavailableError)
    assert isinstance(kinds[3], UnavailableError)


async def test_items_that_came_together_are_answered_together_and_each_for_itself() -> None:
    books = Books(bad={3})
    books.gate.set()
    group_commit = make(books, most=4)
    told = await (await group_commit.submit_together(range(6)))
    assert [each if isinstance(each, int) else type(each) for each in told] == [0, 10, 20, PoisonError, 40, 50]
    assert (await group_commit.submit_together([])).result() == []


async def test_items_whose_sender_went_away_are_committed_all_the_same() -> None:
    books = Books()
    group_commit = make(books)
    gone = await group_commit.submit_together([1, 2])
    stays = group_commit.submit(3)
    gone.cancel()
    books.gate.set()
    assert await stays == 30
    assert books.written == [1, 2, 3]


async def test_a_second_transaction_runs_beside_the_first_only_when_a_whole_group_waits() -> None:
    books = Books()
    group_commit = make(books, most=3, at_once=2)
    first = group_commit.submit(0)
    await books.began.wait()
    rest = [group_commit.submit(item) for item in (1, 2)]
    await asyncio.sleep(0)
    assert books.groups == [[0]]
    rest += [group_commit.submit(item) for item in (3, 4, 5, 6, 7, 8)]
    await asyncio.sleep(0)
    assert books.groups == [[0], [1, 2, 3]]
    books.gate.set()
    assert await asyncio.gather(first, *rest) == [item * 10 for item in range(9)]
    await group_commit.drain()


async def test_an_item_that_comes_just_as_the_last_commit_ends_is_not_forgotten() -> None:
    books = Books()
    books.gate.set()
    group_commit = make(books)
    again: list[asyncio.Future[int]] = []
    group_commit.submit(1).add_done_callback(lambda _: again.append(group_commit.submit(2)))
    async with asyncio.timeout(5):
        while not again or not again[0].done():
            await asyncio.sleep(0)
    assert again[0].result() == 20
