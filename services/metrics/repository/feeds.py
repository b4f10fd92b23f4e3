"""Feeds and calls in the database. The rows of a batch's sources are locked, and each fact is taken once, by its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from typing import Final

from services.metrics.domain.feeds import LARGEST_GAP, Calls, Feed, FeedFact, take_fact
from services.metrics.tables import FeedRow, MissingFeedFact
from shared.messaging.memory import SequenceError
from shared.persistence.bulk import column_names, insert_rows, upsert_rows
from shared.persistence.database import Tx

MAKE: Final = "insert into feeds (source) select unnest($1::text[]) order by 1 on conflict do nothing"
READ: Final = f"select {', '.join(column_names(FeedRow))} from feeds where source = any($1::text[]) order by source for update"
LATE: Final = """
delete from missing_feed_facts m using unnest($1::text[], $2::int[]) as u(source, sequence)
where m.source = u.source and m.sequence = u.sequence returning m.source, m.sequence
"""
ADD_CALLS: Final = """
insert into hotline_calls as c (source, outcome, bucket, calls, waited_seconds)
select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[]) order by 1, 2, 3
on conflict (source, outcome, bucket)
do update set calls = c.calls + excluded.calls, waited_seconds = c.waited_seconds + excluded.waited_seconds
"""

Numbered = tuple[FeedFact, int]
"""A fact and its sequence."""
Place = tuple[str, int]
"""A source and a sequence."""


@dataclass(slots=True)
class _Batch:
    """The sources of a batch under their locks. `late` are facts of it that were missed before."""

    feeds: dict[str, Feed]
    late: set[Place]
    calls: Calls = field(default_factory=Calls)
    gaps: set[Place] = field(default_factory=set)

    def take(self, fact: FeedFact, sequence: int) -> None:
        """Take a fact unless it was taken already."""
        feed, place = self.feeds[fact.source], (fact.source, sequence)
        if sequence > feed.heard:
            if sequence - feed.heard > LARGEST_GAP:
                raise SequenceError(f"ce_sequence {sequence} after {feed.heard}")
            self.gaps |= {(fact.source, number) for number in range(feed.heard + 1, sequence)}
            feed.heard = sequence
        elif place in self.late or place in self.gaps:
            self.late.discard(place)
            self.gaps.discard(place)
        else:
            return
        take_fact(feed, self.calls, fact, sequence)


async def take_facts(tx: Tx, facts: Sequence[Numbered]) -> None:
    """Take facts of sources, in order, once each.

    Raises:
        SequenceError: A number is so far ahead that it cannot be right.
    """
    if not facts:
        return
    sources = sorted({fact.source for fact, _ in facts})
    await tx.driver.execute(MAKE, sources)
    feeds = {row["source"]: Feed(*row) for row in await tx.driver.fetch(READ, sources)}
    old = [(fact.source, sequence) for fact, sequence in facts if sequence <= feeds[fact.source].heard]
    late = await tx.driver.fetch(LATE, *zip(*old, strict=True)) if old else ()
    batch = _Batch(feeds, {(row[0], row[1]) for row in late})
    for fact, sequence in facts:
        batch.take(fact, sequence)
    await _write(tx, batch)


async def _write(tx: Tx, batch: _Batch) -> None:
    names = column_names(FeedRow)
    await upsert_rows(tx, FeedRow, [astuple(feed) for feed in batch.feeds.values()], names, ("source",))
    await insert_rows(tx, MissingFeedFact, sorted(batch.gaps))
    calls = [(*key, count, batch.calls.seconds[key]) for key, count in batch.calls.counts.items()]
    if calls:
        await tx.driver.execute(ADD_CALLS, *zip(*calls, strict=True))
