"""What became of each event of a source, the newest first; nothing personal."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from pydantic_core import from_json

from shared.persistence.database import Tx

# Events and refusals are two tables, each in the order of its index; rows of one transaction share their time, so a key follows.
_READ: Final = """
with heard as (
  (select received_at, event_id as place, event_id, occurred_at, door, outcome, type, note, case_id, null::text as faults,
     false as sealed
   from hotline_events
   where source = $1 and ($2::text is null or agency = $2) and ($3::text is null or outcome = $3)
     and $3::text is distinct from 'refused'
     and ($4::timestamptz is null or (received_at, event_id collate "C") < ($4, $5::text))
   order by received_at desc, event_id collate "C" desc limit $6)
  union all
  (select received_at, id::text, event_id, null, door, 'refused', null, null, null, faults::text, payload is not null
   from hotline_refusals
   where source = $1 and ($2::text is null or agency = $2) and ($3::text is null or $3 = 'refused')
     and ($4::timestamptz is null or (received_at, id::text collate "C") < ($4, $5::text))
   order by received_at desc, id::text collate "C" desc limit $6)
)
select * from heard order by received_at desc, place collate "C" desc limit $6
"""


class Place(NamedTuple):
    """Where a page ended."""

    received_at: datetime
    key: str


class Entry(NamedTuple):
    """One event, and what became of it. `is_sealed` says that its payload is kept still, and can be tried again."""

    received_at: datetime
    key: str
    event_id: str | None
    occurred_at: datetime | None
    door: str
    outcome: str
    type: str | None
    note: str | None
    case_id: UUID | None
    faults: list[dict[str, Any]]
    is_sealed: bool


async def read_log(tx: Tx, source: str, agency: str | None, outcome: str | None, after: Place | None, most: int) -> list[Entry]:
    """Entries of a source, of one agency where that is given, that follow after a place."""
    at, key = after or (None, None)
    rows = await tx.driver.fetch(_READ, source, agency, outcome, at, key, most)
    return [Entry._make((*row[:9], from_json(row[9]) if row[9] else [], row[10])) for row in map(tuple, rows)]
