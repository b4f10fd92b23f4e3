"""How the feeds of the hotline stand, and its calls counted; folded from facts that are keyed by their source."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from shared.contracts.events import CallEnded, FeedObserved, FeedReported

FeedFact = CallEnded | FeedObserved | FeedReported

WAIT_BUCKETS: Final = (5, 10, 20, 30, 60, 120, 300, 600, 1800)
"""Upper limits of the histogram of waiting, in seconds; callers begin to give up after a minute or two."""
MORE: Final = "+Inf"
LARGEST_GAP: Final = 10_000
"""More missing facts of one source than this is no loss on the way but a wrong number."""

CallKey = tuple[str, str, str]
"""A source, an outcome, and the upper limit of the waiting."""


@dataclass(slots=True)
class Feed:
    """One source: the columns of its row. `observed` and `reported` are the numbers of the facts that its values are from.

    `missing_numbers` is the JSON of those that are named.
    """

    source: str
    agency: str | None = None
    heard: int = 0
    observed: int = 0
    last_event_at: datetime | None = None
    expected_seconds: int | None = None
    accepted: int = 0
    duplicate: int = 0
    ignored: int = 0
    refused: int = 0
    late: int = 0
    missing: int = 0
    missing_numbers: str = "[]"
    reported: int = 0
    reported_hour_at: datetime | None = None
    reported_events: int | None = None
    reported_counted: int | None = None


@dataclass(slots=True)
class Calls:
    """Calls by source, outcome and waiting, with the sum of the seconds that they waited."""

    counts: Counter[CallKey] = field(default_factory=Counter)
    seconds: Counter[CallKey] = field(default_factory=Counter)

    def add(self, call: CallEnded) -> None:
        """Count one call."""
        bucket = next((str(limit) for limit in WAIT_BUCKETS if call.waiting_seconds <= limit), MORE)
        key = (call.source, call.outcome.value, bucket)
        self.counts[key] += 1
        self.seconds[key] += call.waiting_seconds


def take_fact(feed: Feed, calls: Calls, fact: FeedFact, sequence: int) -> None:
    """Take one new fact. A call counts whenever it comes; of what stands the newest number holds, and of hours the latest."""
    if isinstance(fact, CallEnded):
        feed.agency = feed.agency or fact.agency
        calls.add(fact)
    elif isinstance(fact, FeedObserved):
        if sequence > feed.observed:
            _observe(feed, fact, sequence)
    elif (fact.hour_at, sequence) > (feed.reported_hour_at or fact.hour_at, feed.reported):
        feed.reported, feed.reported_hour_at = sequence, fact.hour_at
        feed.reported_events, feed.reported_counted = fact.events, fact.counted


def _observe(feed: Feed, fact: FeedObserved, sequence: int) -> None:
    feed.agency, feed.observed, feed.last_event_at = fact.agency, sequence, fact.last_event_at
    feed.expected_seconds = fact.expected_silence_seconds
    feed.accepted, feed.duplicate = fact.accepted, fact.duplicate
    feed.ignored, feed.refused, feed.late = fact.ignored, fact.refused, fact.late
    feed.missing = fact.missing
    feed.missing_numbers = json.dumps([each.model_dump() for each in fact.missing_numbers])
