"""Idempotency keys are forgotten when no sender can still be waiting for their answer.

Keys of imports and replays are kept: there the key is the source's own id, and reading a log again must find its cases after
years, too. The digest of what was filed goes when the people of the case are erased; such a key still finds its case.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from shared.persistence.database import Database

BLOCKS_AT_ONCE: Final = 200
"""Blocks of the table that one statement goes through, some 20,000 keys: a range of places, which needs no index of the times."""

BLOCKS = "select pg_relation_size('idempotency') / current_setting('block_size')::bigint"
FORGET = """
with gone as (
  delete from idempotency i using submissions s
  where i.ctid >= $1::text::tid and i.ctid < $2::text::tid and i.created_at < now() - $3::interval
    and s.case_id = i.case_id and s.origin = 'live'
  returning 1
)
select count(*) from gone
"""


ERASED = """
select array_agg(distinct case_id) from access_log where action = 'erase' and outcome = 'erased' and at > now() - $1::interval
"""
CLEAR = """
with cleared as (
  update idempotency set digest = ''
  where ctid >= $1::text::tid and ctid < $2::text::tid and case_id = any($3::uuid[]) and digest <> '' returning 1
)
select count(*) from cleared
"""
ERASED_WITHIN: Final = timedelta(days=90)
"""Erasures that are looked at again; all of them were long ago seen to, unless the service was down for so long."""


async def clear_digests(database: Database) -> int:
    """Take the digest from the keys of cases whose people were erased; how many. It walks, too: no index knows the cases."""
    async with database.transaction() as tx:
        erased = await tx.driver.fetchval(ERASED, ERASED_WITHIN)
    return await _walk(database, CLEAR, erased) if erased else 0


async def forget_keys(database: Database, after: timedelta) -> int:
    """Forget the keys of live cases that are older; how many. Repeatable, and safe in several replicas at a time."""
    return await _walk(database, FORGET, after)


async def _walk(database: Database, statement: str, value: object) -> int:
    """Go through the table block by block; the sum of what the statement counted."""
    async with database.transaction() as tx:
        blocks: int = await tx.driver.fetchval(BLOCKS)
    counted = 0
    for block in range(0, blocks, BLOCKS_AT_ONCE):
        async with database.transaction() as tx:
            counted += await tx.driver.fetchval(statement, f"({block},0)", f"({block + BLOCKS_AT_ONCE},0)", value)
        await asyncio.sleep(0)
    return counted
