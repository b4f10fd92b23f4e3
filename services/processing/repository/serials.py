"""The serials of dossier codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from shared.persistence.database import Tx

# One statement for a whole batch, in key order so that two transactions cannot deadlock; the last lock they take.
ALLOT = """
insert into serials as s (prefix, day, last)
select prefix, day, wanted from unnest($1::text[], $2::date[], $3::int[]) as u(prefix, day, wanted) order by prefix, day
on conflict (prefix, day) do update set last = s.last + excluded.last
returning prefix, day, last
"""


async def allot_serials(tx: Tx, wanted: Sequence[tuple[str, date]]) -> list[int]:
    """One serial for every (prefix, day), in their order."""
    counts = Counter(wanted)
    if not counts:
        return []
    prefixes, days = zip(*counts, strict=True)
    rows = await tx.driver.fetch(ALLOT, list(prefixes), list(days), list(counts.values()))
    last = {(row[0], row[1]): row[2] - counts[row[0], row[1]] for row in rows}
    serials = []
    for key in wanted:
        last[key] += 1
        serials.append(last[key])
    return serials
