"""States how feeds stand: `feed.observed` where something changed, `feed.reported` where a source counted an hour itself.

One replica at a time looks, and a feed is stated at most every so many seconds, however much it says.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from services.intake.domain.feed import Gap, first_missing
from services.intake.hotline.feeds import BACK, allot
from shared.contracts.events import FeedObserved, FeedReported
from shared.contracts.events.intake import MissingNumber
from shared.contracts.words import Origin
from shared.hotline.mapping import Mapping
from shared.hotline.silence import expected_silence_seconds
from shared.persistence.database import Database
from shared.persistence.work import Store, Work

NAMED: Final = 20
"""Missing numbers that are named; of the others only how many they are is told."""
LOOKING: Final = 0x46656564
GIVEN_UP: Final = timedelta(days=1)
"""A feed without a mapping here may have one in another replica; if nobody has stated it for so long, none has."""

LEAD: Final = "select pg_try_advisory_xact_lock($1)"
FEEDS: Final = """
select source, agency, last_event_at, accepted, duplicate, ignored, refused, late, changed, expected_seconds, observed_at
from feeds where observed_at is null or observed_at <= $1 order by source for update
"""
MISSING: Final = "select source, sum(last - first + 1)::bigint from feed_gaps where source = any($1::text[]) group by 1"
FIRST_GAPS: Final = """
select u.source, g.scope, g.first, g.last from unnest($1::text[]) as u(source)
cross join lateral (select * from feed_gaps g where g.source = u.source order by noted_at, scope, first limit $2) g
"""
OBSERVED: Final = """
update feeds f set changed = false, observed_at = $4, agency = u.agency, expected_seconds = u.expected
from unnest($1::text[], $2::text[], $3::int[]) as u(source, agency, expected) where f.source = u.source
"""
REPORTS: Final = """
select source, hour_at, reported, taken from feed_hours
where reported is not null and source = any($1::text[]) and (reported, taken) is distinct from (stated_reported, stated_taken)
order by source, hour_at
"""
REPORTED: Final = """
update feed_hours h set stated_reported = u.reported, stated_taken = u.taken
from unnest($1::text[], $2::timestamptz[], $3::bigint[], $4::bigint[]) as u(source, hour_at, reported, taken)
where h.source = u.source and h.hour_at = u.hour_at
"""
GIVING_UP: Final = """
select source from feeds f where exists (select from feed_gaps g where g.source = f.source and g.noted_at < $1) order by 1
"""
CHANGE: Final = "update feeds set changed = true where source = $1"
GIVE_UP: Final = "delete from feed_gaps where source = $1 and noted_at < $2"
FORGET_OTHERS: Final = tuple(
    f"delete from {table} where (source, {part}) in (select source, {part} from {table} where {age} < $1 for update skip locked)"
    for table, part, age in (("feed_sequences", "scope", "changed_at"), ("feed_hours", "hour_at", "hour_at"))
)
"""Waits for no feed that is taking events at this moment."""

MappingOf = Callable[[str], Mapping | None]
"""The mapping of a source that is in force, None where there is none any more."""


class Standing(NamedTuple):
    """A feed that has something to state: its row, the agency that it is reported to, the silence that its mapping allows."""

    row: Any
    agency: str
    expected: int | None

    @property
    def source(self) -> str:
        """Whose feed it is."""
        source: str = self.row["source"]
        return source


async def observe(store: Store[Any], mapping_of: MappingOf, every: timedelta) -> int:
    """State the feeds in which something changed and that were not stated for so long; how many.

    The hours of a mapping are a change too: another silence is expected.
    """
    async with store.open(()) as work:
        if not await work.tx.driver.fetchval(LEAD, LOOKING):
            return 0
        rows = await work.tx.driver.fetch(FEEDS, work.now - every)
        feeds = [feed for row in rows if (feed := _standing(row, mapping_of, work.now)) is not None]
        if feeds:
            await _state(work, feeds)
    return len(feeds)


def _standing(row: Any, mapping_of: MappingOf, now: datetime) -> Standing | None:
    mapping = mapping_of(row["source"])
    if mapping is None and (row["observed_at"] or row["last_event_at"]) > now - GIVEN_UP:
        return None
    expected = None if mapping is None else expected_silence_seconds(mapping, now) or None
    if not row["changed"] and expected == row["expected_seconds"]:
        return None
    return Standing(row, (mapping and mapping.home_agency) or row["agency"], expected)


async def _state(work: Work[Any], feeds: Sequence[Standing]) -> None:
    """State these feeds, whose rows are locked, with the hours of theirs that were counted."""
    driver, sources = work.tx.driver, [feed.source for feed in feeds]
    missing: dict[str, int] = dict(map(tuple, await driver.fetch(MISSING, sources)))
    gaps: defaultdict[str, list[tuple[str, Gap]]] = defaultdict(list)
    for source, scope, first, last in await driver.fetch(FIRST_GAPS, sources, NAMED) if missing else ():
        gaps[source].append((scope, Gap(first, last)))
    reports: Sequence[Any] = await driver.fetch(REPORTS, sources)
    numbers = await allot(work.tx, Counter([*sources, *(row["source"] for row in reports)]))
    agencies = {feed.source: feed.agency for feed in feeds}
    for source, hour_at, reported, taken in reports:
        report = FeedReported(agency=agencies[source], source=source, hour_at=hour_at, events=reported, counted=taken)
        _emit(work, report, next(numbers[source]))
    for feed in feeds:
        named = _named(gaps[feed.source])
        _emit(work, _observed(feed, missing.get(feed.source, 0), named), next(numbers[feed.source]))
    await driver.execute(OBSERVED, sources, list(agencies.values()), [feed.expected for feed in feeds], work.now)
    if reports:
        await driver.execute(REPORTED, *zip(*map(tuple, reports), strict=True))


def _emit(work: Work[Any], event: FeedObserved | FeedReported, number: int) -> None:
    work.emit_agency(event, agency=event.source, sequence=number, occurred_at=work.now, origin=Origin.LIVE)


def _observed(feed: Standing, missing: int, named: Sequence[MissingNumber]) -> FeedObserved:
    row = feed.row
    return FeedObserved(
        agency=feed.agency,
        source=feed.source,
        last_event_at=row["last_event_at"],
        expected_silence_seconds=feed.expected,
        accepted=row["accepted"],
        duplicate=row["duplicate"],
        ignored=row["ignored"],
        refused=row["refused"],
        late=row["late"],
        missing=missing,
        missing_numbers=tuple(named),
    )


def _named(gaps: Iterable[tuple[str, Gap]]) -> list[MissingNumber]:
    """The first missing numbers, each with its scope."""
    named: list[MissingNumber] = []
    for scope, gap in gaps:
        named += [MissingNumber(number=number, scope=scope or None) for number in first_missing(gap, NAMED - len(named))]
    return named


async def forget_feeds(database: Database) -> None:
    """Forget numbers and hours of long ago; a number that is missing for so long will not come any more.

    Feeds are locked one after the other, and only those of which something is given up: no source waits for another one's gaps.
    """
    async with database.transaction() as tx:
        sources = [row[0] for row in await tx.driver.fetch(GIVING_UP, tx.now - BACK)]
        for statement in FORGET_OTHERS:
            await tx.driver.execute(statement, tx.now - BACK)
    for source in sources:
        async with database.transaction() as tx:
            await tx.driver.execute(CHANGE, source)
            await tx.driver.execute(GIVE_UP, source, tx.now - BACK)
