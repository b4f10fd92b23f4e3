"""What one batch writes beside the cases: tallies, clocks and progress, each with one statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.metrics.domain.tallies import Tallies
from shared.persistence.database import Tx

ADD_TALLIES = """
insert into tallies as t (series, agency, kind, field, label, bucket, partition, count, sum_millionths)
select * from unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::bigint[], $9::bigint[]
)
order by 1, 2, 3, 4, 5, 6, 7
on conflict (series, agency, kind, field, label, bucket, partition)
do update set count = t.count + excluded.count, sum_millionths = t.sum_millionths + excluded.sum_millionths
"""

SET_CLOCKS = """
insert into agency_clocks as k (agency, mode, at, sequence)
select * from unnest($1::text[], $2::text[], $3::timestamptz[], $4::int[]) order by 1
on conflict (agency) do update set mode = excluded.mode, at = excluded.at, sequence = excluded.sequence
where excluded.sequence > k.sequence
"""

ADVANCE = """
insert into progress as p (partition, position, facts, updated_at)
select u.*, $4 from unnest($1::int[], $2::bigint[], $3::bigint[]) as u order by 1
on conflict (partition) do update set
    position = greatest(p.position, excluded.position), facts = p.facts + excluded.facts, updated_at = excluded.updated_at
"""


@dataclass(frozen=True, slots=True)
class ClockChange:
    """An agency's clock as one `agency.clock_set` states it; the newest sequence holds."""

    agency: str
    mode: str
    at: datetime | None
    sequence: int


@dataclass(slots=True)
class Advance:
    """How far one batch brings a partition: the next offset, and how many facts were new."""

    position: int = 0
    facts: int = 0


async def add_tallies(tx: Tx, partition: int, tallies: Tallies) -> None:
    """Add a batch's counts to the rows of one of its partitions; only the sum over all partitions says anything."""
    rows = [(*key, partition, count, tallies.sums[key]) for key, count in tallies.counts.items()]
    if rows:
        await tx.driver.execute(ADD_TALLIES, *map(list, zip(*rows, strict=True)))


async def set_clocks(tx: Tx, changes: Iterable[ClockChange]) -> None:
    """Set agencies' clocks, unless a newer fact is known."""
    newest: dict[str, ClockChange] = {}
    for change in changes:
        known = newest.get(change.agency)
        if known is None or change.sequence > known.sequence:
            newest[change.agency] = change
    if newest:
        rows = [(each.agency, each.mode, each.at, each.sequence) for each in newest.values()]
        await tx.driver.execute(SET_CLOCKS, *map(list, zip(*rows, strict=True)))


async def advance(tx: Tx, steps: Mapping[int, Advance]) -> None:
    """Remember how far each partition has come."""
    rows = [(partition, step.position, step.facts) for partition, step in steps.items()]
    if rows:
        await tx.driver.execute(ADVANCE, *map(list, zip(*rows, strict=True)), tx.now)
