"""The series of the hotline: its feeds and its calls. A feed has series from the first fact that says how it stands."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from prometheus_client import Metric

from services.metrics import metrics as series
from services.metrics.domain.feeds import MORE, WAIT_BUCKETS
from services.metrics.reading import reading
from shared.contracts.hotline import EventOutcome
from shared.contracts.words import CallOutcome
from shared.persistence.database import Database, Tx

Row = Any
"""A row of the driver, by column name."""

FEEDS: Final = """
select source, last_event_at, expected_seconds, accepted, duplicate, ignored, refused, late, missing, missing_numbers,
    reported_hour_at, reported_events, reported_counted
from feeds where agency is not null and ($1::text is null or agency = $1) order by source
"""
CALLS: Final = """
select c.source, outcome, bucket, calls, waited_seconds from hotline_calls c join feeds f using (source)
where f.agency is not null and ($1::text is null or f.agency = $1) order by 1, 2, 3
"""


async def feed_rows(tx: Tx, agency: str | None = None) -> Sequence[Row]:
    """Feeds, all or those of one agency."""
    rows: Sequence[Row] = await tx.driver.fetch(FEEDS, agency)
    return rows


async def call_rows(tx: Tx, agency: str | None = None) -> Sequence[Row]:
    """Calls by source, outcome and waiting; all, or those of one agency's feeds."""
    rows: Sequence[Row] = await tx.driver.fetch(CALLS, agency)
    return rows


async def feed_families(database: Database) -> tuple[Metric, ...]:
    """Every series of the hotline, from one moment of the database."""
    async with reading(database) as tx:
        feeds, calls = await feed_rows(tx), await call_rows(tx)
    return hotline_families(feeds, calls)


def hotline_families(feeds: Sequence[Row], calls: Sequence[Row]) -> tuple[Metric, ...]:
    """The series of these rows."""
    return (*_feeds(feeds), *_calls(calls, [row["source"] for row in feeds]))


def _feeds(rows: Sequence[Row]) -> Iterator[Metric]:
    seen = [row for row in rows if row["last_event_at"] is not None]
    yield series.FEED_LAST_EVENT.family(((row["source"],), row["last_event_at"].timestamp()) for row in seen)
    yield series.FEED_EXPECTED_SILENCE.family(_known(seen, "expected_seconds"))
    yield series.FEED_EVENTS.family(((row["source"], word), row[word]) for row in seen for word in EventOutcome)
    yield series.FEED_LATE.family(_known(seen, "late"))
    yield series.FEED_MISSING.family(_known(seen, "missing"))
    yield series.FEED_DIFFERENCE.family(
        ((row["source"],), row["reported_events"] - row["reported_counted"])
        for row in rows
        if row["reported_events"] is not None and row["reported_counted"] is not None
    )


def _known(rows: Iterable[Row], column: str) -> Iterator[tuple[tuple[str, ...], float]]:
    return (((row["source"],), row[column]) for row in rows if row[column] is not None)


def _calls(rows: Iterable[Row], sources: Iterable[str]) -> Iterator[Metric]:
    buckets: dict[tuple[str, str], Counter[str]] = {(source, word): Counter() for source in sources for word in CallOutcome}
    seconds: defaultdict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        place = (row["source"], row["outcome"])
        buckets[place][row["bucket"]] += row["calls"]
        seconds[place] += row["waited_seconds"]
    yield series.HOTLINE_CALLS.family((place, counts.total()) for place, counts in buckets.items())
    yield series.hotline_wait_family((place, _cumulative(counts), seconds[place]) for place, counts in buckets.items())


def _cumulative(counts: Counter[str]) -> list[tuple[str, float]]:
    total, cumulative = 0, []
    for bucket in (*map(str, WAIT_BUCKETS), MORE):
        total += counts[bucket]
        cumulative.append((bucket, float(total)))
    return cumulative
