"""Calls in the database: what events say of one is folded into its row, and once it is over it is stated, once.

Locks are always taken in one order: calls, then feeds (`feeds.note` comes last in a transaction, and so does the number of a
fact). Rows of calls are written in the order of their key; who states them waits for no row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from services.intake.domain.call import Call, call_of, end_of, join
from services.intake.hotline.feeds import allot
from services.intake.hotline.heard import Heard
from services.intake.hotline.orders import find_dossiers, of_call, order
from shared.contracts.commands import FIRST_YEAR, LAST_YEAR, RecordContact
from shared.contracts.events import CallEnded
from shared.contracts.hotline import CallChanged, EventOutcome
from shared.contracts.words import ContactVia, Origin
from shared.persistence.database import Database, Tx
from shared.persistence.work import Store, Work

CALLS_AT_ONCE: Final = 500
UNFINISHED_AFTER: Final = timedelta(hours=24)
"""A call whose end was not heard for so long is dropped, and counts as nothing."""
KEPT: Final = timedelta(days=14)
"""How long a call that was stated is known again, as its events are."""

FOLD: Final = """
insert into calls as c (source, call_id, agency, began_at, answered_at, ended_at, own_waiting, own_talking, dossier_codes,
  heard_at, end_heard_at)
select source, call_id, agency, began_at, answered_at, ended_at, own_waiting, own_talking, string_to_array(codes, ','),
  $10::timestamptz, case when ended_at is not null then $10::timestamptz end
from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::int[], $8::int[],
  $9::text[]) as u(source, call_id, agency, began_at, answered_at, ended_at, own_waiting, own_talking, codes)
order by source, call_id
on conflict (source, call_id) do update set
  began_at = least(c.began_at, excluded.began_at), answered_at = least(c.answered_at, excluded.answered_at),
  ended_at = least(c.ended_at, excluded.ended_at), own_waiting = greatest(c.own_waiting, excluded.own_waiting),
  own_talking = greatest(c.own_talking, excluded.own_talking), end_heard_at = coalesce(c.end_heard_at, excluded.end_heard_at),
  dossier_codes = array(select distinct unnest(c.dossier_codes || excluded.dossier_codes) order by 1)
where c.stated_at is null
"""
OVER: Final = """
select source, call_id, agency, began_at, answered_at, ended_at, own_waiting, own_talking, dossier_codes from calls
where stated_at is null and end_heard_at <= $1 and exists (select from feeds f where f.source = calls.source)
order by end_heard_at limit $2 for update skip locked
"""
STATED: Final = """
update calls c set stated_at = $3 from unnest($1::text[], $2::text[]) as u(source, call_id)
where c.source = u.source and c.call_id = u.call_id
"""
FORGET: Final = """
delete from calls where (source, call_id) in (
  select source, call_id from calls
  where heard_at < $1 and (end_heard_at is null or stated_at is not null and heard_at < $2) limit 5000 for update skip locked
)
"""

CallKey = tuple[str, str]
"""A source, and its id of a call."""


async def fold(tx: Tx, heard: Sequence[Heard]) -> None:
    """Take what was newly said of calls; what is said of a call that was stated already changes nothing."""
    calls: dict[CallKey, tuple[str, Call]] = {}
    for each in heard:
        said = each.said
        if each.outcome is EventOutcome.ACCEPTED and said is not None and isinstance(said.body, CallChanged):
            key, call = (each.source, said.body.call_id), call_of(said.body, said.occurred_at)
            agency, known = calls.get(key, (each.agency, Call()))
            calls[key] = agency, join(known, call)
    rows = [(*key, agency, *call[:-1], ",".join(call.dossier_codes)) for key, (agency, call) in calls.items()]
    if rows:
        await tx.driver.execute(FOLD, *zip(*rows, strict=True), tx.now)


async def state_ended(store: Store[Any], settle: timedelta) -> int:
    """State calls whose end was heard so long ago, and tell the dossiers that they named; how many.

    Safe in several replicas: each takes the calls that the others leave.
    """
    async with store.open(()) as work:
        rows: Sequence[Any] = await work.tx.driver.fetch(OVER, work.now - settle, CALLS_AT_ONCE)
        if not rows:
            return 0
        dossiers = await find_dossiers(work.tx, {code for row in rows for code in row["dossier_codes"]})
        numbers = await allot(work.tx, Counter(row["source"] for row in rows))
        for row in rows:
            _state(work, row, next(numbers[row["source"]]))
            for code in row["dossier_codes"]:
                if (place := dossiers.get(code)) is not None:
                    command = RecordContact(via=ContactVia.CALL, source=row["source"], at=_moment(row))
                    order(work, place, command, row["source"], of_call(row["call_id"]))
        await work.tx.driver.execute(STATED, [row["source"] for row in rows], [row["call_id"] for row in rows], work.now)
    return len(rows)


def _state(work: Work[Any], row: Any, number: int) -> None:
    ended = end_of(Call(*[*row.values()][3:]))
    event = CallEnded(agency=row["agency"], source=row["source"], **ended._asdict())
    work.emit_agency(event, agency=row["source"], sequence=number, occurred_at=row["ended_at"], origin=Origin.LIVE)


def _moment(row: Any) -> datetime | None:
    """When they called, unless the source's clock is beyond all reason."""
    at: datetime = row["began_at"] or row["answered_at"] or row["ended_at"]
    return at if FIRST_YEAR <= at.year <= LAST_YEAR else None


async def forget_calls(database: Database) -> None:
    """Drop calls that never ended, and those that were stated long ago."""
    done = ""
    while done != "DELETE 0":
        async with database.transaction() as tx:
            done = await tx.driver.execute(FORGET, tx.now - UNFINISHED_AFTER, tx.now - KEPT)
