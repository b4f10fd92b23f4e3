"""Possible duplicates: the same person, procedure and agency within some days. Nothing is refused, an officer is told.

Looked for after the filing and beside it, so that filing never waits for it. Of two such cases the one that arrived later is
flagged, once, and its arrival is in its id. A person is known by the id number, or without one by phone or e-mail; two
different id numbers are two people, whatever telephone they share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.intake.vault import Tokens
from shared.contracts.events import DuplicateSuspected
from shared.contracts.words import Kind, Lane, Origin
from shared.persistence.work import Store

CASES_AT_ONCE: Final = 500
SETTLED_AFTER: Final = timedelta(seconds=30)
"""How long after its arrival a case is looked at: one with an earlier id has its commit behind it by then, or never."""
REASON: Final = "same_person_and_procedure"

# Of a token that very many have, such as a village office's telephone, only the newest fifty cases are looked at.
_ALIKE = """
    (select o.case_id, o.filed_at, o.id_number from persons o
    where o.{kind} = b.{kind} and o.procedure = b.procedure and o.agency = b.agency and o.case_id < b.case_id
    order by o.case_id desc limit 50)"""
FIND = f"""
with batch as materialized (
  select p.* from persons p where not p.checked and p.case_id < $1 order by p.case_id limit $2 for update of p skip locked
),
same as (
  select b.case_id, b.filed_at, o.case_id as other, o.filed_at as other_at, o.id_number <> b.id_number as two_people
  from batch b join submissions s on s.case_id = b.case_id and s.origin = 'live'
  cross join lateral ({" union all".join(_ALIKE.format(kind=kind) for kind in Tokens._fields)}
  ) o
),
found as materialized (
  select distinct on (case_id) case_id, other from same
  where other_at between filed_at - $3::interval and filed_at + $3::interval and two_people is not true
  order by case_id, other desc
),
cleared as (
  update persons p set checked = true from batch b
  where p.case_id = b.case_id and b.case_id not in (select case_id from found)
)
select (select count(*) from batch), coalesce((select array_agg(row(case_id, other)) from found), '{{}}')
"""
CHECKED = """
update persons p set checked = true from unnest($1::uuid[], $2::uuid[]) as u (case_id, other)
where p.case_id = u.case_id and not p.checked and exists (select from persons o where o.case_id = u.other)
returning p.case_id
"""
FILED = "select case_id, agency, kind, lane from submissions where case_id = any($1::uuid[])"


class Looked(NamedTuple):
    """How many cases were looked at, and how many of them were flagged."""

    cases: int
    flagged: int


async def flag_duplicates(store: Store[Any], now: datetime, within: timedelta, settled: timedelta = SETTLED_AFTER) -> Looked:
    """Look at the next cases that nobody has looked at, and state which may be duplicates.

    Two transactions: between them a case is only looked at again. A person who was erased meanwhile, in either case, is not
    spoken of; the later case is then looked at once more.
    """
    async with store.database.transaction() as tx:
        looked, pairs = await tx.driver.fetchrow(FIND, _first_id_of(now - settled), CASES_AT_ONCE, within)
    others: dict[UUID, UUID] = dict(map(tuple, pairs))
    return Looked(looked, await _state(store, others) if others else 0)


async def _state(store: Store[Any], others: Mapping[UUID, UUID]) -> int:
    """State each suspicion under the case's lock and in its lane, behind its submission."""
    async with store.open(others) as work:
        checked = await work.tx.driver.fetch(CHECKED, list(others), list(others.values()))
        ids: Sequence[UUID] = [row[0] for row in checked]
        for case_id, agency, kind, lane in await work.tx.driver.fetch(FILED, ids):
            event = DuplicateSuspected(agency=agency, kind=Kind(kind), other_case_id=others[case_id], reason=REASON)
            work.emit(case_id, event, occurred_at=work.now, cause=None, origin=Origin.LIVE, lane=Lane(lane))
    return len(ids)


def _first_id_of(at: datetime) -> UUID:
    """The least id (UUID 7) that could be made at this moment: milliseconds first."""
    return UUID(int=max(0, int(at.timestamp() * 1000)) << 80)
