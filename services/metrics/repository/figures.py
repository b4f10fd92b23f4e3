"""The figures of one agency, from one statement over its cases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.metrics.domain.figures import NO_STOCK, PERCENTILES, AgencyClock, Figures, Satisfaction, Span, Stock, Tasks
from services.metrics.reading import reading
from shared.contracts.words import ClockMode, Kind, Timeliness
from shared.persistence.database import Database, Tx

OF_APPLICANTS = ""
"""The place of all cases but tasks, which have no applicant and are never added to the others."""

CLOCK = "select mode, at from agency_clocks where agency = $1"

ORIGINS = """
select coalesce(origin, 'unknown'), count(*) from cases
where agency = $1 and ($2::timestamptz is null or first_at <= $2) group by 1 order by 1
"""

# A clock that stands still makes no case late; it is if it was when it stopped.
# Means are numeric, so that their last digit does not depend on where rows lie on disk.
_STANDING = """
with judged as (
    select kind, timeliness, turnaround_seconds, working_seconds, field, milestones,
        (due_at at time zone 'Asia/Ho_Chi_Minh')::date as due_on,
        (statutory_due_at at time zone 'Asia/Ho_Chi_Minh')::date as statutory_due_on,
        ($3::timestamptz at time zone 'Asia/Ho_Chi_Minh')::date as today,
        (stopped_at at time zone 'Asia/Ho_Chi_Minh')::date as stopped_on,
        resolved_at is not null and ($2::timestamptz is null or resolved_at <= $2) as resolved,
        returned_at is not null and ($2::timestamptz is null or returned_at <= $2) as returned,
        left_at is not null and ($2::timestamptz is null or left_at <= $2) as gone
    from cases
    where agency = $1 and received_at is not null and ($2::timestamptz is null or received_at <= $2)
), standing as (
    select *, gone and not resolved as has_left, not (gone or resolved) as open,
        due_on < least(today, stopped_on) as is_late, statutory_due_on < least(today, stopped_on) as is_late_by_law,
        due_on = today and coalesce(stopped_on > today, true) as is_due_soon
    from judged
)
"""

STOCKS = f"""{_STANDING}
select place as kind, count(*) as received,
    count(*) filter (where resolved) as resolved,
    count(*) filter (where resolved and returned) as returned,
    count(*) filter (where has_left) as has_left,
    count(*) filter (where open) as open,
    count(*) filter (where open and is_late) as overdue,
    count(*) filter (where open and is_late_by_law) as overdue_statutory,
    count(*) filter (where open and is_due_soon) as due_soon,
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
from standing cross join lateral (values (kind), (case when kind <> 'task' then '' end)) as p (place)
where place is not null group by place order by place
"""

# Programmes and key tasks are on schedule as long as a deadline that they were given has not passed without the result.
TASKS = f"""{_STANDING}
select coalesce(field, 'other') as field, count(*) as assigned,
    count(*) filter (where resolved) as done,
    count(*) filter (where has_left) as has_left,
    count(*) filter (where open) as open,
    count(*) filter (where open and is_late) as overdue,
    count(*) filter (where due_on is null) as without_due_date,
    coalesce(sum(milestones), 0) as milestones,
    count(*) filter (where due_on is not null and not has_left) as scheduled,
    count(*) filter (where resolved and timeliness in ('early', 'on_time') or open and not is_late) as on_schedule
from standing where kind = 'task' group by 1 order by 1
"""

LOG_SPAN = """
with spans as (
    select extract(epoch from last_at - first_at) as seconds, steps, kind is distinct from 'task' as counts from cases
    where agency = $1 and first_at is not null and ($2::timestamptz is null or last_at <= $2)
)
select count(*) filter (where counts), avg(seconds) filter (where counts)::float8,
    percentile_cont($3::float8[]) within group (order by seconds::float8) filter (where counts), coalesce(sum(steps), 0)
from spans
"""


# Every rating counts, also of an answer that was taken back later.
SATISFACTION = """
select coalesce(sum(count), 0)::bigint, (sum(count * label::int) / sum(count))::float8 from tallies
where series = 'rated' and agency = $1
"""


async def figures_of(database: Database, agency: str, as_of: datetime | None = None) -> Figures:
    """What is known of an agency, now or at a moment of the past (as the latest facts tell it)."""
    async with reading(database) as tx:
        clock = await clock_of(tx, agency)
        business_at = clock.business(tx.now, as_of)
        origins = await tx.driver.fetch(ORIGINS, agency, as_of)
        stocks = {row["kind"]: _stock(row) for row in await tx.driver.fetch(STOCKS, agency, as_of, business_at, PERCENTILES)}
        tasks = await tx.driver.fetch(TASKS, agency, as_of, business_at) if Kind.TASK in stocks else ()
        satisfaction = await tx.driver.fetchrow(SATISFACTION, agency) if as_of is None else None
        *log_span, steps = await tx.driver.fetchrow(LOG_SPAN, agency, as_of, PERCENTILES)
    return Figures(
        agency=agency,
        as_of=as_of,
        clock=clock,
        business_at=business_at,
        origins=dict(map(tuple, origins)),
        total=stocks.pop(OF_APPLICANTS, NO_STOCK),
        by_kind=stocks,
        tasks=tuple(_tasks(row) for row in tasks),
        log_span=Span.of(*log_span),
        steps=steps,
        satisfaction=Satisfaction(*satisfaction) if satisfaction else None,
    )


async def clock_of(tx: Tx, agency: str) -> AgencyClock:
    """The agency's business clock; live when nobody has set it."""
    row = await tx.driver.fetchrow(CLOCK, agency)
    return AgencyClock(ClockMode(row[0]), row[1]) if row else AgencyClock()


def _tasks(row: Any) -> Tasks:
    return Tasks(
        field=row["field"],
        assigned=row["assigned"],
        done=row["done"],
        left=row["has_left"],
        open=row["open"],
        overdue=row["overdue"],
        without_due_date=row["without_due_date"],
        milestones=row["milestones"],
        scheduled=row["scheduled"],
        on_schedule=row["on_schedule"],
    )


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
