"""The book of each source's feed: when it was last heard, what became of its events, which numbers are missing, and its hours.

A feed is watched from its first event on. Its row is locked by whoever adds to it or states a fact of it, so that the facts of
a source are numbered 1, 2, 3 … in the order in which they are sent.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog

from services.intake.domain.feed import LARGEST_NUMBER, Count, Gap, Number, follow, scope_of
from services.intake.hotline.heard import Heard
from shared.contracts.hotline import CallChanged, EventOutcome, FeedCounted
from shared.hotline.mapping import UNKNOWN_SOURCE
from shared.hotline.said import Said
from shared.persistence.database import Tx

BACK: Final = timedelta(days=14)
AHEAD: Final = timedelta(hours=1)
"""Events of these hours are counted by the hour; others come from a clock that is wrong."""
MOST_EVENTS: Final = 2**53
"""A source's own count is kept up to here; what is larger is no count."""
MOST_GAPS: Final = 1_000
"""Gaps that are kept of one count; beyond them the lowest are given up."""
FRESH: Final = frozenset({EventOutcome.ACCEPTED, EventOutcome.IGNORED})
"""Outcomes of events that are new, and counted."""
log = structlog.get_logger()

NOTE: Final = """
insert into feeds as f (source, agency, last_event_at, accepted, duplicate, ignored, refused, late)
select u.source, agency, last_event_at, accepted, duplicate, ignored, refused, coalesce(l.late, 0)
from unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
  as u(source, agency, last_event_at, accepted, duplicate, ignored, refused)
left join (
  select c.source, count(*) as late from unnest($8::text[], $9::text[]) as k(source, call_id)
  join calls c using (source, call_id) where c.stated_at is not null group by 1
) l on l.source = u.source
order by 1
on conflict (source) do update set
  last_event_at = greatest(f.last_event_at, excluded.last_event_at), accepted = f.accepted + excluded.accepted,
  duplicate = f.duplicate + excluded.duplicate, ignored = f.ignored + excluded.ignored,
  refused = f.refused + excluded.refused, late = f.late + excluded.late, changed = true
"""
HOURS: Final = """
insert into feed_hours as h (source, hour_at, taken, reported)
select * from unnest($1::text[], $2::timestamptz[], $3::bigint[], $4::bigint[]) order by 1, 2
on conflict (source, hour_at) do update set
  taken = h.taken + excluded.taken, reported = coalesce(excluded.reported, h.reported)
"""
HIGHEST: Final = """
select source, scope, highest, highest_at from unnest($1::text[], $2::text[]) as u(source, scope)
join feed_sequences using (source, scope)
"""
GAPS: Final = """
select g.source, g.scope, g.first, g.last from unnest($1::text[], $2::text[], $3::bigint[]) as u(source, scope, lowest)
join feed_gaps g on g.source = u.source and g.scope = u.scope and g.last >= u.lowest order by 1, 2, 3
"""
SET_HIGHEST: Final = """
insert into feed_sequences as s (source, scope, highest, highest_at, changed_at)
select source, scope, highest, highest_at, $5
from unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[]) as u(source, scope, highest, highest_at) order by 1, 2
on conflict (source, scope) do update set
  highest = excluded.highest, highest_at = excluded.highest_at, changed_at = excluded.changed_at
"""
CLOSE: Final = """
delete from feed_gaps g using unnest($1::text[], $2::text[], $3::bigint[]) as u(source, scope, first)
where g.source = u.source and g.scope = u.scope and g.first = u.first
"""
OPEN: Final = """
insert into feed_gaps (source, scope, first, last, noted_at)
select *, $5 from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
on conflict (source, scope, first) do update set last = greatest(feed_gaps.last, excluded.last)
"""
TRIM: Final = """
delete from feed_gaps g using (select distinct * from unnest($1::text[], $2::text[])) as u(source, scope)
where g.source = u.source and g.scope = u.scope and g.first <= (
  select k.first from feed_gaps k where k.source = u.source and k.scope = u.scope order by k.first desc offset $3 limit 1
)
"""
LOCK: Final = "select from feeds where source = any($1::text[]) order by source for update"
ALLOT: Final = """
update feeds f set stated = f.stated + u.facts from unnest($1::text[], $2::int[]) as u(source, facts)
where f.source = u.source returning f.source, f.stated
"""

Scope = tuple[str, str]
"""A source, and one of its counts."""


@dataclass(slots=True)
class _Book:
    """What one group of events adds to the feeds."""

    agencies: dict[str, str] = field(default_factory=dict)
    last: dict[str, datetime] = field(default_factory=dict)
    outcomes: Counter[tuple[str, EventOutcome]] = field(default_factory=Counter)
    calls: list[tuple[str, str]] = field(default_factory=list)
    taken: Counter[tuple[str, datetime]] = field(default_factory=Counter)
    reported: dict[tuple[str, datetime], int] = field(default_factory=dict)
    numbers: defaultdict[Scope, list[Number]] = field(default_factory=lambda: defaultdict(list))

    def add(self, each: Heard) -> None:
        """Count one event. A source's number counts as heard whenever it could be read."""
        source, said = each.source, each.said
        self.agencies[source] = each.agency
        self.last[source] = max(self.last.get(source, each.received_at), each.received_at)
        self.outcomes[source, each.outcome] += 1
        fresh = each.outcome in FRESH
        if each.sequence is not None and 0 <= each.sequence <= LARGEST_NUMBER:
            at = each.received_at if said is None else said.occurred_at
            self.numbers[source, scope_of(each.sequence_scope)].append(Number(each.sequence, at, fresh))
        if said is not None and fresh:
            self._take(source, said, each.received_at)

    def _take(self, source: str, said: Said, received_at: datetime) -> None:
        if isinstance(said.body, FeedCounted):
            hour = _hour_of(said.body.hour_at, received_at)
            if hour is not None and said.body.events <= MOST_EVENTS:
                self.reported[source, hour] = said.body.events
            return
        if isinstance(said.body, CallChanged):
            self.calls.append((source, said.body.call_id))
        hour = _hour_of(said.occurred_at, received_at)
        if hour is not None:
            self.taken[source, hour] += 1


def _hour_of(at: datetime, received_at: datetime) -> datetime | None:
    """The hour of a moment, None where it is too far off."""
    if not received_at - BACK <= at <= received_at + AHEAD:
        return None
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


async def note(tx: Tx, heard: Sequence[Heard]) -> None:
    """Enter what became of a group of events. It comes last in a transaction: the rows of its feeds stay locked to the end."""
    book = _Book()
    for each in heard:
        if each.source != UNKNOWN_SOURCE:  # what no mapping names is no feed
            book.add(each)
    if not book.agencies:
        return
    rows = [
        (source, agency, book.last[source], *(book.outcomes[source, outcome] for outcome in EventOutcome))
        for source, agency in book.agencies.items()
    ]
    await tx.driver.execute(NOTE, *zip(*rows, strict=True), *(zip(*book.calls, strict=True) if book.calls else ((), ())))
    hours = [(*hour, book.taken[hour], book.reported.get(hour)) for hour in {*book.taken, *book.reported}]
    if hours:
        await tx.driver.execute(HOURS, *zip(*hours, strict=True))
    if book.numbers:
        await _follow(tx, book.numbers)


async def _follow(tx: Tx, numbers: Mapping[Scope, Sequence[Number]]) -> None:
    """Follow the counts of sources whose rows are locked."""
    scopes = [(*scope, min(heard).number) for scope, heard in numbers.items()]
    columns = [*zip(*scopes, strict=True)]
    known = {(row[0], row[1]): (row[2], row[3]) for row in await tx.driver.fetch(HIGHEST, *columns[:2])}
    gaps: defaultdict[Scope, list[Gap]] = defaultdict(list)
    for source, scope, first, last in await tx.driver.fetch(GAPS, *columns):
        gaps[source, scope].append(Gap(first, last))
    closed, opened, ends = [], [], []
    for scope, heard in numbers.items():
        highest, at = known.get(scope, (None, None))
        before = Count(highest, tuple(gaps[scope]), at)
        after = follow(before, heard)
        closed += [(*scope, gap.first) for gap in sorted({*before.gaps} - {*after.gaps})]
        opened += [(*scope, *gap) for gap in sorted({*after.gaps} - {*before.gaps})]
        if after.highest != highest:
            ends.append((*scope, after.highest, after.at))
        if highest is not None and after.highest is not None and after.highest < highest:
            log.warning("a source counts anew", source=scope[0], scope=scope[1], before=highest, now=after.highest)
    for statement, rows, more in ((CLOSE, closed, ()), (OPEN, opened, (tx.now,)), (SET_HIGHEST, ends, (tx.now,))):
        if rows:
            await tx.driver.execute(statement, *zip(*rows, strict=True), *more)
    if opened:
        await tx.driver.execute(TRIM, *[*zip(*opened, strict=True)][:2], MOST_GAPS)


async def allot(tx: Tx, facts: Mapping[str, int]) -> dict[str, Iterator[int]]:
    """The numbers of so many facts of each source, under the lock of its row, which is there already."""
    sources = sorted(facts)
    await tx.driver.execute(LOCK, sources)
    rows: Sequence[Any] = await tx.driver.fetch(ALLOT, sources, [facts[source] for source in sources])
    return {source: iter(range(stated - facts[source] + 1, stated + 1)) for source, stated in rows}
