"""The metrics service's feeds: of what stands the newest fact holds, of hours the latest, and every call counts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector

from services.metrics.collectors.feeds import hotline_families
from services.metrics.domain.feeds import MORE, WAIT_BUCKETS, Calls, Feed, FeedFact, take_fact
from services.metrics.feed_answers import feeds_answer
from shared.contracts.events import CallEnded, FeedObserved, FeedReported
from shared.contracts.events.intake import MissingNumber
from shared.contracts.words import CallOutcome

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def observed(accepted: int, **more: Any) -> FeedObserved:
    about: dict[str, Any] = {"last_event_at": NOW, "duplicate": 0, "ignored": 0, "refused": 0} | more
    return FeedObserved(agency="a", source="s", accepted=accepted, **about)


def reported(hour: int, events: int, counted: int | None) -> FeedReported:
    return FeedReported(agency="a", source="s", hour_at=NOW + hour * HOUR, events=events, counted=counted)


def ended(waiting: int, outcome: CallOutcome = CallOutcome.ANSWERED) -> CallEnded:
    return CallEnded(agency="of-the-call", source="s", outcome=outcome, waiting_seconds=waiting, talking_seconds=0)


def take(*facts: tuple[FeedFact, int]) -> tuple[Feed, Calls]:
    feed, calls = Feed("s"), Calls()
    for fact, sequence in facts:
        take_fact(feed, calls, fact, sequence)
    return feed, calls


def test_a_late_observation_does_not_undo_a_newer_one() -> None:
    newer = observed(9, late=2, missing=1, missing_numbers=(MissingNumber(number=4),), expected_silence_seconds=60)
    feed, _ = take((newer, 7), (observed(3, missing=8), 5))

    assert (feed.accepted, feed.late, feed.missing, feed.expected_seconds, feed.observed) == (9, 2, 1, 60, 7)
    assert json.loads(feed.missing_numbers) == [{"number": 4, "scope": None}]


@given(st.randoms(use_true_random=False))
def test_reports_may_come_in_any_order_and_the_newest_of_the_latest_hour_is_shown(random: Random) -> None:
    facts: list[tuple[FeedFact, int]] = [
        (reported(1, 50, 48), 2),
        (reported(1, 50, 50), 4),
        (reported(0, 70, 1), 3),
        (reported(0, 7, 7), 5),
    ]
    random.shuffle(facts)
    feed, _ = take(*facts)

    assert (feed.reported_hour_at, feed.reported_events, feed.reported_counted, feed.reported) == (NOW + HOUR, 50, 50, 4)


@pytest.mark.parametrize(("waiting", "bucket"), [(0, "5"), (5, "5"), (6, "10"), (1800, "1800"), (1801, MORE), (2**31, MORE)])
def test_a_call_counts_in_the_first_bucket_that_holds_its_waiting(waiting: int, bucket: str) -> None:
    _, calls = take((ended(waiting), 1), (ended(waiting), 2))

    key = ("s", "answered", bucket)
    assert (calls.counts, calls.seconds) == ({key: 2}, {key: 2 * waiting})
    assert [*WAIT_BUCKETS] == sorted(WAIT_BUCKETS)


def test_a_feed_of_which_only_calls_are_known_belongs_to_the_agency_of_the_first() -> None:
    assert take((ended(1), 1))[0].agency == "of-the-call"
    assert take((ended(1), 1), (observed(1), 2), (ended(1), 3))[0].agency == "a"


def row(**more: Any) -> dict[str, Any]:
    feed: dict[str, Any] = dict.fromkeys(("accepted", "duplicate", "ignored", "refused", "late", "missing"), 0)
    feed |= dict.fromkeys(("last_event_at", "expected_seconds", "reported_hour_at", "reported_events", "reported_counted"))
    return feed | {"source": "s", "missing_numbers": "[]"} | more


@pytest.mark.parametrize(
    ("last", "expected", "silent"),
    [(None, 600, False), (NOW, None, False), (NOW - 600 * timedelta(seconds=1), 600, False), (NOW - HOUR, 600, True)],
)
def test_a_feed_is_silent_only_when_it_was_heard_longer_ago_than_its_mapping_allows(
    last: datetime | None, expected: int | None, silent: bool
) -> None:
    (feed,) = feeds_answer("a", NOW, [row(last_event_at=last, expected_seconds=expected)], []).feeds

    assert (feed.silent, feed.silent_since) == (silent, last if silent else None)


def test_a_report_without_our_count_has_no_difference() -> None:
    (feed,) = feeds_answer("a", NOW, [row(reported_hour_at=NOW, reported_events=5)], []).feeds

    assert feed.reported is not None
    assert (feed.reported.events, feed.reported.counted, feed.reported.difference) == (5, None, None)


def test_calls_are_added_up_by_outcome_and_have_no_mean_where_there_are_none() -> None:
    calls = [
        {"source": "s", "outcome": "answered", "calls": 3, "waited_seconds": 12},
        {"source": "s", "outcome": "answered", "calls": 1, "waited_seconds": 20},
        {"source": "s", "outcome": "abandoned", "calls": 4, "waited_seconds": 8},
    ]
    first, second = feeds_answer("a", NOW, [row(), row(source="t")], calls).feeds

    assert (first.calls.answered, first.calls.abandoned, first.calls.mean_waiting_seconds) == (4, 4, 5.0)
    assert (second.calls.answered, second.calls.abandoned, second.calls.mean_waiting_seconds) == (0, 0, None)


def shown(feeds: list[dict[str, Any]], calls: list[dict[str, Any]]) -> dict[str, float]:
    """The exposition of these rows."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Rows(hotline_families(feeds, calls)))
    lines = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


class Rows(Collector):
    """Shows families as they are."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def test_series_have_the_public_names_and_labels_and_buckets_add_up() -> None:
    feed = row(last_event_at=NOW, expected_seconds=600, accepted=9, missing=2, reported_hour_at=NOW, reported_events=5)
    counts = [("answered", "5", 2, 9), ("answered", "120", 1, 61), ("abandoned", MORE, 1, 4000)]
    calls = [
        {"source": "s", "outcome": outcome, "bucket": bucket, "calls": calls, "waited_seconds": seconds}
        for outcome, bucket, calls, seconds in counts
    ]
    seen = shown([feed | {"reported_counted": 7}, row(source="t")], calls)

    expected = {
        'motcua_hotline_calls_total{outcome="answered",source="s"}': 3,
        'motcua_hotline_calls_total{outcome="abandoned",source="t"}': 0,
        'motcua_hotline_wait_seconds_bucket{le="5",outcome="answered",source="s"}': 2,
        'motcua_hotline_wait_seconds_bucket{le="60",outcome="answered",source="s"}': 2,
        'motcua_hotline_wait_seconds_bucket{le="120",outcome="answered",source="s"}': 3,
        'motcua_hotline_wait_seconds_bucket{le="1800",outcome="abandoned",source="s"}': 0,
        'motcua_hotline_wait_seconds_bucket{le="+Inf",outcome="abandoned",source="s"}': 1,
        'motcua_hotline_wait_seconds_sum{outcome="answered",source="s"}': 70,
        'motcua_feed_last_event_timestamp_seconds{source="s"}': NOW.timestamp(),
        'motcua_feed_expected_silence_seconds{source="s"}': 600,
        'motcua_feed_events_total{outcome="accepted",source="s"}': 9,
        'motcua_feed_events_total{outcome="refused",source="s"}': 0,
        'motcua_feed_missing_events{source="s"}': 2,
        'motcua_feed_reported_difference_events{source="s"}': -2,
    }
    assert {name: seen.get(name) for name in expected} == expected
    assert not [name for name in seen if name.startswith("motcua_feed") and '"t"' in name]
