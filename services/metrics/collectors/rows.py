"""What the business series show, for all agencies or for one; each statement reads every case at most once.

`$1` real time, `$2` the agency or null, `$3` the fields of the catalogue: any other is shown as `other`. A case whose clock
stands still is overdue if it was when it stopped, and never due soon. `valid` is null while it is not known.

Two readings: a `Backlog` is what moves with each case and looks at the open ones only, by the index that has no others; a
`Turnaround` looks at every case that was ever received.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.metrics.domain.figures import PERCENTILES
from services.metrics.reading import reading
from shared.persistence.database import Database, Tx

Row = Any
"""A row of the driver, by column name."""

_KNOWN = """
with known as (
    select c.agency, c.kind, case when c.field = any($3::text[]) then c.field else 'other' end as field,
        c.procedure, c.channel, c.return_channel, c.origin, c.status, c.timeliness,
        c.received_at, c.resolved_at, c.returned_at, c.left_at, c.turnaround_seconds, c.working_seconds,
        coalesce(k.at, $1) as clock,
        not (c.supplemented or c.documents_complete is false or case when c.refiled_from is null then false else (
            select o.refused_for_documents from cases o where o.case_id = c.refiled_from
        ) end) as valid
    from cases c left join agency_clocks k on k.agency = c.agency and k.mode = 'historical'
    where c.received_at is not null and ($2::text is null or c.agency = $2)
)
"""
_WINDOWS = "(values ('30d', interval '30 days'), ('365d', interval '365 days'), ('all', null)) as w (span, length)"

CLOCKS = """
select a.agency, coalesce(k.at, $1) as at
from (select agency from tallies union select agency from agency_clocks) a
left join agency_clocks k on k.agency = a.agency and k.mode = 'historical' order by 1
"""

AGENCIES = """
select agency, bool_or(origin = 'replay') as simulated from cases where agency is not null group by 1 order by 1
"""

# Days are made into moments once, and not each case's moments into days; Viet Nam has no summer time. Names of fields are
# closed when all is counted. With 100,000 cases this saves a third.
OPEN = """
with days as (
    select agency, date_trunc('day', at, 'Asia/Ho_Chi_Minh') as today from agency_clocks where mode = 'historical'
), known as (
    select c.agency, c.kind, c.field, c.status, c.received_at, c.due_at, c.statutory_due_at, c.stopped_at,
        date_trunc('day', c.stopped_at, 'Asia/Ho_Chi_Minh') as stopped_on,
        coalesce(d.today, (select date_trunc('day', $1::timestamptz, 'Asia/Ho_Chi_Minh'))) as today
    from cases c left join days d on d.agency = c.agency
    where c.received_at is not null and c.resolved_at is null and c.left_at is null and ($2::text is null or c.agency = $2)
), counted as (
    select agency, kind, field, status, due_at < least(today, stopped_on) as late,
        statutory_due_at < least(today, stopped_on) as late_by_law,
        due_at >= today and due_at < today + interval '24 hours'
            and (stopped_at is null or stopped_on > today) as soon,
        due_at is null as without, count(*) as cases, min(received_at) as oldest_at
    from known group by 1, 2, 3, 4, 5, 6, 7, 8
)
select agency, kind, case when field = any($3::text[]) then field else 'other' end as field, status,
    sum(cases)::bigint as cases, min(oldest_at) as oldest_at,
    sum(case when late then cases else 0 end)::bigint as overdue,
    sum(case when late_by_law then cases else 0 end)::bigint as overdue_statutory,
    sum(case when soon then cases else 0 end)::bigint as due_soon,
    sum(case when without then cases else 0 end)::bigint as without_due_date
from counted group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""

RECEIVED = f"""{_KNOWN}
select agency, kind, field, w.span, channel, count(*) as cases, count(*) filter (where valid) as valid,
    count(valid) as judged
from known join {_WINDOWS} on w.length is null or received_at > clock - w.length
group by agency, kind, field, w.span, channel order by 1, 2, 3, 4, 5
"""

RETURNED = f"""{_KNOWN}
select agency, kind, field, w.span, return_channel as channel, count(*) as cases
from known join {_WINDOWS} on w.length is null or returned_at > clock - w.length
where returned_at is not null
group by agency, kind, field, w.span, return_channel order by 1, 2, 3, 4, 5
"""

TURNAROUND = f"""{_KNOWN}
select agency, kind, coalesce(field, 'all') as field, w.span,
    count(*) as resolved, count(turnaround_seconds) as measured,
    count(*) filter (where timeliness in ('early', 'on_time')) as on_time,
    count(*) filter (where timeliness = 'late') as late,
    avg(turnaround_seconds::numeric)::float8 as mean,
    percentile_cont($4::float8[]) within group (order by turnaround_seconds) as shares,
    avg(working_seconds::numeric)::float8 as working_mean,
    percentile_cont($4::float8[]) within group (order by working_seconds) as working_shares
from known join {_WINDOWS} on w.length is null or resolved_at > clock - w.length
where resolved_at is not null and ($5::text is null or w.span = $5)
group by grouping sets ((agency, kind, field, w.span), (agency, kind, w.span)) order by 1, 2, 3, 4
"""

# By the version under which each case was accepted: that is what holds for it.
VERSIONS = """
select kind, coalesce(field, 'other') as field, procedure, procedure_version as version,
    max(committed) as committed, max(statutory) as statutory, min(received_at) as first_at, max(received_at) as last_at,
    count(*) as received, count(resolved_at) as resolved,
    count(*) filter (where resolved_at is null and left_at is null) as open,
    count(*) filter (where resolved_at is not null and timeliness in ('early', 'on_time')) as on_time,
    count(*) filter (where resolved_at is not null and timeliness = 'late') as late,
    count(turnaround_seconds) as measured,
    avg(turnaround_seconds::numeric)::float8 as mean, avg(working_seconds::numeric)::float8 as working_mean
from cases where agency = $1 and received_at is not null
group by kind, coalesce(field, 'other'), procedure, procedure_version order by procedure, procedure_version, kind
"""

TALLIES = """
with counted as (
    select series, agency, kind, field, label, bucket, sum(count) as count, sum(sum_millionths) as sum_millionths
    from tallies group by 1, 2, 3, 4, 5, 6
)
select series, agency, kind, case when field = any($1::text[]) then field else 'other' end as field, label, bucket,
    sum(count)::bigint as count, sum(sum_millionths)::bigint as sum_millionths
from counted group by 1, 2, 3, 4, 5, 6
"""

PROCEDURES = f"""{_KNOWN}
select agency, procedure, max(clock) as clock,
    count(*) filter (where resolved_at is null and left_at is null) as open,
    avg(turnaround_seconds::numeric) filter (where resolved_at is not null)::float8 as mean
from known where agency = any($4::text[]) group by 1, 2 order by 1, 2
"""

NEWEST = "select coalesce(sum(facts), 0)::bigint, max(updated_at) from progress"


@dataclass(frozen=True, slots=True)
class Backlog:
    """All rows behind the series that move with each case, from one moment of the database."""

    updated_at: datetime | None
    clocks: Sequence[Row]
    open: Sequence[Row]
    tallies: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Turnaround:
    """All rows behind means, percentiles and shares, from one moment of the database."""

    updated_at: datetime | None
    agencies: Sequence[Row]
    received: Sequence[Row]
    returned: Sequence[Row]
    turnaround: Sequence[Row]
    procedures: Sequence[Row] = field(default=())


async def read_backlog(database: Database, fields: Sequence[str]) -> Backlog:
    """Read what moves with each case."""
    async with reading(database) as tx:
        fetch = tx.driver.fetch
        return Backlog(
            updated_at=(await tx.driver.fetchrow(NEWEST))[1],
            clocks=await fetch(CLOCKS, tx.now),
            open=await fetch(OPEN, tx.now, None, fields),
            tallies=await fetch(TALLIES, fields),
        )


async def read_turnaround(database: Database, fields: Sequence[str], procedure_agencies: Sequence[str]) -> Turnaround:
    """Read what looks back over every case."""
    async with reading(database) as tx:
        known = (tx.now, None, fields)
        fetch = tx.driver.fetch
        return Turnaround(
            updated_at=(await tx.driver.fetchrow(NEWEST))[1],
            agencies=await fetch(AGENCIES),
            received=await fetch(RECEIVED, *known),
            returned=await fetch(RETURNED, *known),
            turnaround=await fetch(TURNAROUND, *known, PERCENTILES, None),
            procedures=await fetch(PROCEDURES, *known, procedure_agencies) if procedure_agencies else (),
        )


async def backlog_rows(tx: Tx, agency: str, fields: Sequence[str]) -> Sequence[Row]:
    """One agency's open cases by kind, field and status."""
    rows: Sequence[Row] = await tx.driver.fetch(OPEN, tx.now, agency, fields)
    return rows


async def turnaround_rows(tx: Tx, agency: str, fields: Sequence[str], window: str) -> Sequence[Row]:
    """One agency's turnaround by kind and field, and by kind (field `all`), in one window."""
    rows: Sequence[Row] = await tx.driver.fetch(TURNAROUND, tx.now, agency, fields, PERCENTILES, window)
    return rows


async def version_rows(tx: Tx, agency: str) -> Sequence[Row]:
    """One agency's cases by procedure and by the version of its limits."""
    rows: Sequence[Row] = await tx.driver.fetch(VERSIONS, agency)
    return rows


async def newest_change(database: Database) -> tuple[int, int]:
    """Facts taken so far, and the minute of the clock: while both stand still, no business series can change."""
    async with database.transaction() as tx:
        facts = (await tx.driver.fetchrow(NEWEST))[0]
        return facts, int(tx.now.timestamp() // 60)
