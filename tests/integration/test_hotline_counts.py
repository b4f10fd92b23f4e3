"""A source counts its events, in intake's database: what is missing is named until it comes, and no count stops the feed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.intake.hotline.watching import forget_feeds
from shared.contracts.events import FeedObserved
from shared.contracts.hotline import EventOutcome
from tests.support.feeds import SOURCE, START, Book, heard, open_book
from tests.support.servers import Servers

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def book(servers: Servers, tmp_path: Path) -> AsyncIterator[Book]:
    async with open_book(servers, tmp_path) as opened:
        yield opened


async def test_a_missing_number_is_named_until_it_comes(book: Book) -> None:
    await book.hear(*(heard(sequence=number, scope="pbx-1") for number in (41, 42, 46)), heard(sequence=1, scope="pbx-2"))
    await book.watch()
    await book.hear(heard(sequence=44, scope="pbx-1"), heard(sequence=2**70), heard(sequence=3, scope="pbx-2"))
    await book.watch()
    await book.hear(*(heard(sequence=number, scope="pbx-1") for number in (45, 43, 45)), heard(sequence=2, scope="pbx-2"))
    await book.watch()

    seen = [(each.missing, [(one.scope, one.number) for one in each.missing_numbers]) for each in await book.bodies(FeedObserved)]
    assert seen == [
        (3, [("pbx-1", 43), ("pbx-1", 44), ("pbx-1", 45)]),
        (3, [("pbx-1", 43), ("pbx-1", 45), ("pbx-2", 2)]),
        (0, []),
    ]
    assert await book.query("select 1 from feed_gaps") == []


async def test_many_missing_numbers_are_counted_and_the_first_are_named(book: Book) -> None:
    await book.hear(heard(sequence=10), heard(sequence=9_000))
    await book.watch()

    (observed,) = await book.bodies(FeedObserved)
    assert observed.missing == 8_989
    assert [each.number for each in observed.missing_numbers] == [*range(11, 31)]


async def test_a_number_counts_as_heard_whatever_became_of_its_event(book: Book) -> None:
    for number, outcome in enumerate((*EventOutcome, EventOutcome.ACCEPTED), 1):
        await book.hear(heard(at=START + number * MINUTE, outcome=outcome, sequence=number))

    assert await book.query("select highest, highest_at from feed_sequences") == [(5, START + 5 * MINUTE)]
    assert await book.query("select 1 from feed_gaps") == []


async def test_a_count_that_begins_again_is_followed_and_never_stops_the_feed(book: Book) -> None:
    numbers = [1, 6, 10_001, 19_000, 1, 9, 3, 150, 60_000, 99, 103]  # begins again at 1; 99 and 103 are late
    for minute, number in enumerate(numbers):
        await book.hear(heard(at=START + minute * MINUTE, sequence=number))
    for number in (99, 103, 2):
        await book.hear(heard(at=START, sequence=number, outcome=EventOutcome.DUPLICATE))

    assert await book.query("select highest from feed_sequences") == [(60_000,)]
    assert await book.query("select first, last from feed_gaps order by 1") == [(4, 8), (10, 98), (100, 102), (104, 149)]


async def test_a_gap_that_is_known_already_is_no_failure(book: Book) -> None:
    await book.hear(heard(sequence=1))
    await book.query("insert into feed_gaps values ($1, '', 2, 3, now())", SOURCE)  # what no count leaves behind, and yet
    await book.hear(heard(sequence=7))

    assert await book.query("select first, last from feed_gaps") == [(2, 6)]


async def test_of_very_many_gaps_the_lowest_are_given_up(book: Book) -> None:
    await book.hear(*(heard(sequence=2 * number) for number in range(1_006)), heard(sequence=4, scope="other"), heard(sequence=1))
    await book.hear(heard(sequence=6, scope="other"))

    found = await book.query("select scope, count(*), min(first), max(last) from feed_gaps group by 1 order by 1")
    assert found == [("", 1_000, 11, 2_009), ("other", 1, 5, 5)]


async def test_what_is_two_weeks_old_is_forgotten_and_a_number_given_up_is_stated(book: Book) -> None:
    now = datetime.now(UTC)
    await book.hear(*(heard(at=now, sequence=number) for number in (1, 3)))
    await book.watch()
    await forget_feeds(book.store.database)
    assert len(await book.query("select 1 from feed_gaps")) == 1

    await book.query("update feed_gaps set noted_at = noted_at - $1::interval", 14 * DAY)
    await book.query("update feed_hours set hour_at = hour_at - $1::interval", 14 * DAY + HOUR)
    await book.query("update feed_sequences set changed_at = changed_at - $1::interval", 14 * DAY)
    await forget_feeds(book.store.database)
    await book.watch()

    assert [each.missing for each in await book.bodies(FeedObserved)] == [1, 0]
    assert [await book.query(f"select 1 from {table}") for table in ("feed_gaps", "feed_hours", "feed_sequences")] == [[], [], []]


async def test_gaps_are_given_up_feed_by_feed_and_only_a_feed_that_gives_up_one_is_locked(book: Book) -> None:
    await book.hear(*(heard(source=source, sequence=number) for source in ("a", "b") for number in (1, 3)))
    await book.query("update feed_gaps set noted_at = noted_at - $1::interval where source = 'b'", 14 * DAY + MINUTE)

    async with book.store.database.transaction() as busy:
        await busy.driver.execute("select from feeds where source = 'a' for update")
        await asyncio.wait_for(forget_feeds(book.store.database), 5)

    assert await book.query("select source from feed_gaps") == [("a",)]
