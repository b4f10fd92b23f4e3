"""Calls and feeds in intake's database: one call is stated once, and the book of a feed says what is missing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest

from services.intake.domain.call import Call, Ended, call_of, end_of, join
from services.intake.hotline.calls import forget_calls
from services.intake.hotline.heard import Heard
from shared.contracts.commands import RecordContact
from shared.contracts.events import CallEnded, FeedObserved, FeedReported
from shared.contracts.hotline import CallChanged, CallState, EventOutcome, FeedCounted
from shared.contracts.words import CallOutcome, ContactVia
from tests.support.feeds import AGENCY, SOURCE, START, Book, call, heard, make_mapping, open_book
from tests.support.servers import Servers

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def book(servers: Servers, tmp_path: Path) -> AsyncIterator[Book]:
    async with open_book(servers, tmp_path) as opened:
        yield opened


async def test_a_call_is_stated_once_however_its_events_come(book: Book) -> None:
    events = [
        call(CallState.ENDED, 405.9), call(CallState.CREATED, 0), call(CallState.QUEUED, 2),
        call(CallState.CREATED, 0), call(CallState.RINGING, 8),
    ]  # fmt: skip
    await book.hear(*events[:2])
    await book.hear(*events[2:])
    assert await book.end_calls(settle=5 * MINUTE) == 0
    await book.hear(call(CallState.ANSWERED, 17))  # late, and within the time to settle

    assert [await book.end_calls(), await book.end_calls()] == [1, 0]

    ((envelope, ended),) = await book.sent(CallEnded)
    assert ended == CallEnded(agency=AGENCY, source=SOURCE, outcome=CallOutcome.ANSWERED, waiting_seconds=17, talking_seconds=388)
    assert (envelope.subject, envelope.sequence, envelope.occurred_at) == (SOURCE, 1, START + timedelta(seconds=405.9))


async def test_what_comes_after_a_call_was_stated_counts_as_late_and_changes_nothing(book: Book) -> None:
    await book.hear(call(CallState.CREATED, 0), call(CallState.ABANDONED, 30))
    await book.end_calls()
    before = await book.query("select * from calls")

    await book.hear(call(CallState.ANSWERED, 10), call(CallState.ENDED, 30), call(CallState.CREATED, 0, "c2"))
    await book.hear(replace_outcome(call(CallState.ENDED, 30), EventOutcome.DUPLICATE))

    assert await book.end_calls() == 0
    assert await book.query("select * from calls where call_id = 'c1'") == before
    await book.watch()
    (observed,) = await book.bodies(FeedObserved)
    assert (observed.late, observed.accepted, observed.duplicate) == (2, 5, 1)


def replace_outcome(event: Heard, outcome: EventOutcome) -> Heard:
    return event._replace(outcome=outcome)


async def test_what_was_not_newly_taken_makes_no_call(book: Book) -> None:
    ended = call(CallState.ENDED, 3)
    await book.hear(*(replace_outcome(ended, outcome) for outcome in EventOutcome if outcome is not EventOutcome.ACCEPTED))

    assert await book.query("select 1 from calls") == []


async def test_many_calls_in_any_order_by_several_doors_at_once_are_each_stated_once(book: Book) -> None:
    random = Random(7)
    stories: dict[tuple[str, str], list[Heard]] = {}
    for number in range(120):
        source, name = f"source-{number % 3}", f"call-{number // 3}"
        states = [*random.sample([*CallState][:4], random.randint(1, 4)), random.choice([*CallState][4:])]
        stories[source, name] = [call(state, random.randint(0, 900), name, source=source) for state in states]
    events = [event for story in stories.values() for event in (*story, *random.sample(story, 1))]
    random.shuffle(events)
    groups = [events[place : place + 7] for place in range(0, len(events), 7)]

    async def door(number: int) -> None:
        for group in groups[number::4]:
            await book.hear(*group)

    async def watcher() -> None:
        for _ in range(20):
            await book.end_calls(settle=HOUR)
            await book.watch()

    await asyncio.gather(*(door(number) for number in range(4)), watcher(), watcher())
    await asyncio.gather(book.end_calls(), book.end_calls(), book.watch())

    def end_by_hand(story: list[Heard]) -> Ended:
        parts = (call_of(e.said.body, e.said.occurred_at) for e in story if e.said and isinstance(e.said.body, CallChanged))
        return end_of(reduce(join, parts, Call()))

    for source in {source for source, _ in stories}:
        expected = Counter(end_by_hand(story) for (of, _), story in stories.items() if of == source)
        found = await book.bodies(CallEnded, source)
        assert Counter(Ended(each.outcome, each.waiting_seconds, each.talking_seconds) for each in found) == expected
        numbers = await book.numbers(source)
        assert numbers == [*range(1, len(numbers) + 1)]


async def test_a_call_that_never_ends_is_dropped_after_a_day_and_one_that_was_stated_is_known_for_two_weeks(book: Book) -> None:
    await book.hear(
        call(CallState.CREATED, 0, "unfinished"), call(CallState.ENDED, 9, "stated"), call(CallState.CREATED, 0, "new")
    )
    await book.end_calls()
    await book.hear(call(CallState.ENDED, 9, "not-stated-yet"))
    await book.query("update calls set heard_at = heard_at - $1::interval where call_id <> 'new'", DAY + MINUTE)
    await forget_calls(book.store.database)
    assert {row[0] for row in await book.query("select call_id from calls")} == {"stated", "new", "not-stated-yet"}

    await book.query("update calls set heard_at = heard_at - $1::interval where call_id <> 'new'", 13 * DAY)
    await forget_calls(book.store.database)
    assert {row[0] for row in await book.query("select call_id from calls")} == {"new", "not-stated-yet"}


async def test_a_dossier_that_a_call_named_is_told_when_the_call_is_over_and_a_code_that_nobody_has_is_not(book: Book) -> None:
    case_id = uuid4()
    await book.query("insert into cases (case_id, code) values ($1, 'H24-1')", case_id)
    await book.query(
        "insert into submissions (case_id, agency, kind, procedure, channel, documents, filed_at, recorded_at, origin, lane) "
        "values ($1, 'ldtbxh-haiphong', 'dossier', '1.001806', 'counter', '{}', now(), now(), 'live', 0)",
        case_id,
    )
    await book.hear(call(CallState.CREATED, 3, dossier_code="H24-1"), call(CallState.QUEUED, 4, dossier_code="H24-9"))
    assert await book.end_calls() == 0
    await book.hear(call(CallState.ENDED, 90, dossier_code="H24-1"))
    await book.end_calls()

    ((envelope, asked),) = await book.sent(RecordContact)
    assert asked == RecordContact(via=ContactVia.CALL, source=SOURCE, at=START + timedelta(seconds=3))
    assert (envelope.case_id, envelope.agency, envelope.source) == (case_id, "ldtbxh-haiphong", "/intake")


async def test_a_feed_is_stated_with_its_totals_and_only_when_something_changed(book: Book) -> None:
    await book.hear(*(heard(outcome=outcome) for outcome in EventOutcome), heard(), heard(received_at=START + MINUTE))
    assert [await book.watch(), await book.watch()] == [1, 0]
    await book.hear(heard(outcome=EventOutcome.REFUSED, received_at=START - MINUTE))
    assert await book.watch() == 1

    first, second = await book.bodies(FeedObserved)
    assert (first.accepted, first.duplicate, first.ignored, first.refused) == (3, 1, 1, 1)
    assert (first.agency, first.expected_silence_seconds, first.last_event_at) == (AGENCY, 600, START + MINUTE)
    assert (second.refused, second.last_event_at) == (2, START + MINUTE)
    assert await book.numbers() == [1, 2]


async def test_another_expected_silence_or_agency_is_stated_though_nothing_came(book: Book) -> None:
    await book.hear(heard())
    await book.watch()
    book.mappings[SOURCE] = make_mapping(minutes=30)
    assert [await book.watch(), await book.watch()] == [1, 0]

    assert [each.expected_silence_seconds for each in await book.bodies(FeedObserved)] == [600, 1800]


async def test_a_feed_without_a_mapping_here_is_left_to_others_and_given_up_after_a_day(book: Book) -> None:
    await book.hear(heard(at=datetime.now(UTC)))
    elsewhere = Book(book.store, mappings={})  # a replica whose folder does not hold it
    assert [await elsewhere.watch(), await book.watch()] == [0, 1]
    await book.hear(heard(at=datetime.now(UTC)))
    assert [await elsewhere.watch(), await book.watch(), await elsewhere.watch()] == [0, 1, 0]
    await book.query("update feeds set observed_at = observed_at - $1::interval", DAY)
    assert [await elsewhere.watch(), await elsewhere.watch()] == [1, 0]

    assert [each.expected_silence_seconds for each in await book.bodies(FeedObserved)] == [600, 600, None]


async def test_a_feed_is_stated_at_most_every_so_often_and_by_one_replica(book: Book) -> None:
    await book.hear(heard())
    assert sum(await asyncio.gather(*(book.watch(every=MINUTE) for _ in range(4)))) == 1
    await book.hear(heard())
    assert await book.watch(every=MINUTE) == 0
    await book.query("update feeds set observed_at = observed_at - $1::interval", MINUTE)
    assert await book.watch(every=MINUTE) == 1

    assert [each.accepted for each in await book.bodies(FeedObserved)] == [1, 2]


async def test_the_sources_own_count_of_an_hour_is_stated_beside_ours_and_again_when_late_events_come(book: Book) -> None:
    hour = START.replace(minute=0, second=0, microsecond=0)
    inside = [heard(at=hour + minute * MINUTE) for minute in (0, 30)] + [
        heard(at=hour + 59 * MINUTE, outcome=EventOutcome.IGNORED)
    ]
    outside = [heard(at=hour - MINUTE), heard(at=hour + HOUR)]
    uncounted = [replace_outcome(inside[0], EventOutcome.DUPLICATE), heard(at=hour, outcome=EventOutcome.REFUSED)]
    await book.hear(*inside, *outside, *uncounted)
    report = FeedCounted(hour_at=hour + 5 * MINUTE, events=4)
    await book.hear(heard(report, hour + HOUR + MINUTE))
    await book.watch()
    await book.hear(heard(at=hour + 40 * MINUTE, received_at=hour + 2 * HOUR))
    await book.watch()
    await book.hear(heard(at=hour + 3 * HOUR))
    await book.watch()

    reported = await book.bodies(FeedReported)
    assert [(each.hour_at, each.events, each.counted) for each in reported] == [(hour, 4, 3), (hour, 4, 4)]
    assert await book.numbers() == [1, 2, 3, 4, 5]


async def test_hours_far_off_and_counts_beyond_reason_are_not_kept(book: Book) -> None:
    far = [heard(at=START - 15 * DAY, received_at=START), heard(at=START + 2 * HOUR, received_at=START)]
    reports = [
        heard(FeedCounted(hour_at=START + DAY, events=1), received_at=START),
        heard(FeedCounted(hour_at=START, events=10**30)),
    ]
    first = datetime(1, 1, 1, tzinfo=UTC)
    await book.hear(*far, *reports, heard(FeedCounted(hour_at=first, events=1), received_at=START))

    assert await book.query("select 1 from feed_hours") == []
    assert await book.query("select accepted from feeds") == [(5,)]


async def test_a_call_of_no_feed_keeps_no_other_from_being_stated(book: Book) -> None:
    await book.hear(call(CallState.ENDED, 9, "c1"), call(CallState.ENDED, 9, "c2", source="gone"))
    await book.query("delete from feeds where source = 'gone'")

    assert await book.end_calls() == 1


async def test_what_no_mapping_names_is_no_feed(book: Book) -> None:
    await book.hear(heard(source="unknown", outcome=EventOutcome.REFUSED))

    assert await book.query("select 1 from feeds") == []
