"""SQL about the records of `case-private` that a service still has: whose they are is told by their key, `<case_id>/<what>`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from shared.contracts.topics import CASE_PRIVATE
from shared.contracts.words import Lane
from shared.persistence.database import Tx

OF_CASE: Final = "substring(key from 1 for 37) = convert_to($1::uuid || '/', 'UTF8')"
"""Whether a record is of the case `$1`."""
UNSENT: Final = f"select exists (select from outbox where topic = '{CASE_PRIVATE.name}' and {OF_CASE})"
"""Whether the outbox still has a record of the case `$1`."""
MOST_PENDING: Final = 20_000
"""Records of the bulk lane that may wait in the outbox before background work does."""

_FORGET: Final = f"""
delete from outbox where topic = '{CASE_PRIVATE.name}' and substring(key from 1 for 37) = any(
  select convert_to(case_id || '/', 'UTF8') from unnest($1::uuid[]) as cases (case_id)
)
"""
_PENDING: Final = f"select count(*) from (select from outbox where lane = {int(Lane.BULK)} limit $1) waiting"


async def forget_unsent(tx: Tx, case_ids: Sequence[UUID]) -> int:
    """Take what was not sent of these cases out of the outbox; how many records that were."""
    done: str = await tx.driver.execute(_FORGET, case_ids)
    return int(done.rpartition(" ")[2])


async def is_bulk_full(tx: Tx, most: int = MOST_PENDING) -> bool:
    """Whether so many records of the bulk lane wait that background work should."""
    waiting: int = await tx.driver.fetchval(_PENDING, most)
    return waiting >= most
