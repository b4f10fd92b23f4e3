"""The figures of one agency, from one statement over its cases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.metrics.domain.figures import PERCENTILES, AgencyClock, Figures, Span, Stock
from services.metrics.reading import reading
from shared.contracts.words import ClockMode, Timeliness
from shared.persistence.database import Database, Tx

CLOCK = "select mode, at from agency_clocks where agency = $1"

ORIGINS = """
select coalesce(origin, 'unknown'), count(*) from cases
where agency = $1 and ($2::timestamptz is null or first_at <= $2) group by 1 order by 1
"""

# Means are numeric, so that their last digit does not depend on where rows lie on disk.
STOCKS = """
with judged as (
    select kind, timeliness, turnaround_seconds, working_seconds,
        (due_at at time zone 'Asia/Ho_Chi_Minh')::date as due_on,
        (statutory_due_at at time zone 'Asia/Ho_Chi_Minh')::date as statutory_due_on,
        ($3::timestamptz at time zone 'Asia/Ho_Chi_Minh')::date as today,
        resolved_at is not null and ($2::timestamptz is null or resolved_at <= $2) as resolved,
        returned_at is not null and ($2::timestamptz is null or returned_at <= $2) as returned,
        left_at is not null and ($2::timestamptz is null or left_at <= $2) as gone
    from cases
    where agency = $1 and received_at is not null and ($2::timestamptz is null or received_at <= $2)
), standing as (
    select *, gone and not resolved as has_left, not (gone or resolved) as open from judged
)
select kind, count(*) as received,
    count(*) filter (where resolved) as resolved,
    count(*) filter (where resolved and returned) as returned,
    count(*) filter (where has_left) as has_left,
    count(*) filter (where open) as open,
    count(*) filter (where open and due_on < today) as overdue,
    count(*) filter (where open and statutory_due_on < today) as overdue_statutory,
    count(*) filter (where open and due_on = today) as due_soon,
    count(*) filter (where open and due_on is null) as without_due_date,
    count(*) filter (where resolved and timeliness = 'early') as early,
    count(*) filter (where resolved and timeliness = 'on_time') as on_time,
    count(*) filter (where resolved and timeliness = 'late') as late,
    count(*) filter (where resolved and timeliness = 'no_due_date') as no_due_date,
    count(turnaround_seconds) filter (where resolved) as measured,
    avg(turnaround_seconds::numeric) filter (where resolved)::float8 as mean,
    percentile_cont($4::float8[]) within group (order by turnaround_seconds) filter (where resolved) as shares,
    avg(working_seconds::numeric) filter (where resolved)::float8 as working_mean,
    percentile_cont($4::float8[]) within group (order by working_seconds) filter (where resolved) as working_shares
from standing group by grouping sets ((), (kind)) order by grouping(kind) desc, kind
"""

LOG_SPAN = """
with spans as (
    select extract(epoch from last_at - first_at) as seconds, steps from cases
    where agency = $1 and first_at is not null and ($2::timestamptz is null or last_at <= $2)
)
select count(*), avg(seconds)::float8, percentile_cont($3::float8[]) within group (order by seconds::float8),
    coalesce(sum(steps), 0)
from spans
"""


async def figures_of(database: Database, agency: str, as_of: datetime | None = None) -> Figures:
    """What is known of an agency, now or at a moment of the past (as the latest facts tell it)."""
    async with reading(database) as tx:
        clock = await clock_of(tx, agency)
        business_at = clock.business(tx.now, as_of)
        origins = await tx.driver.fetch(ORIGINS, agency, as_of)
        total, *kinds = await tx.driver.fetch(STOCKS, agency, as_of, business_at, PERCENTILES)
        *log_span, steps = await tx.driver.fetchrow(LOG_SPAN, agency, as_of, PERCENTILES)
    return Figures(
        agency=agency,
        as_of=as_of,
        clock=clock,
        business_at=business_at,
        origins=dict(map(tuple, origins)),
        total=_stock(total),
        by_kind={row["kind"]: _stock(row) for row in kinds},
        log_span=Span.of(*log_span),
        steps=steps,
    )


async def clock_of(tx: Tx, agency: str) -> AgencyClock:
    """The agency's business clock; live when nobody has set it."""
    row = await tx.driver.fetchrow(CLOCK, agency)
    return AgencyClock(ClockMode(row[0]), row[1]) if row else AgencyClock()


def _stock(row: Any) -> Stock:
    return Stock(
        received=row["received"],
        resolved=row["resolved"],
        returned=row["returned"],
        left=row["has_left"],
        open=row["open"],
        overdue=row["overdue"],
        overdue_statutory=row["overdue_statutory"],
        due_soon=row["due_soon"],
        without_due_date=row["without_due_date"],
        timeliness={word: row[word] for word in Timeliness},
        turnaround=Span.of(row["measured"], row["mean"], row["shares"]),
        working_turnaround=Span.of(row["measured"], row["working_mean"], row["working_shares"]),
    )
