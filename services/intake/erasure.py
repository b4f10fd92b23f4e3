"""Erasure at intake: what is kept of a person goes, in one transaction with the word to everyone who was told.

The order of the statements matters: the applicant's row first, which a rotation of keys holds while it publishes the same
values anew. Then what it put into the outbox is seen, and taken out as well; the tombstones erase whatever was sent before.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from uuid import UUID

from services.intake.vault import SERVICE
from shared.contracts.erasure import ErasureReason
from shared.contracts.private import CONTACT, ERASED, NOTE
from shared.contracts.topics import CASE_PRIVATE
from shared.contracts.words import Lane
from shared.persistence.private import UNSENT, forget_unsent
from shared.persistence.work import Store, private_headers
from shared.security.tokens import Principal
from shared.service.access_log import Outcome, log_access

TOLD: Final = (CONTACT, NOTE, ERASED)
"""What each case has a tombstone for; the notes of officers get theirs from who keeps them, when it hears the last."""

_FIND: Final = "select agency, recorded_at from submissions where case_id = $1"
_FORGET: Final = ("delete from applicants where case_id = $1", "delete from persons where case_id = $1")
HELD: Final = {table: f"select count(*) from {table} where case_id = $1" for table in ("applicants", "persons")}
"""How to count what intake keeps of a person, by table."""
ERASED_HERE: Final = f"select not ({UNSENT})"
"""Whether everyone was told."""


class Erased(NamedTuple):
    """An erasure: how many rows are gone (none, when it was asked for again), and the keys that have tombstones now."""

    rows: int
    keys: tuple[str, ...]


async def erase(store: Store[Any], case_id: UUID, who: Principal, reason: ErasureReason) -> Erased | None:
    """Forget the people of a case; None when the case is not known, or another agency's. Asked for again, it is told again."""
    async with store.open(()) as work:
        found = await work.tx.driver.fetchrow(_FIND, case_id)
        agency, recorded_at = found or (None, work.now)
        if agency is None or not who.may_see(agency):
            outcome = Outcome.UNKNOWN_CASE if agency is None else Outcome.OTHER_AGENCY
            await log_access(work.tx, who, "erase", reason, outcome, case_id=case_id, agency=agency)
            return None
        rows = sum([_count(await work.tx.driver.execute(statement, case_id)) for statement in _FORGET])
        rows += await forget_unsent(work.tx, [case_id])
        await log_access(work.tx, who, "erase", reason, Outcome.ERASED, case_id=case_id, agency=agency, found=rows)
        # never before what it erases, whatever the clocks of two machines say: readers keep what was recorded later
        at = max(work.now, recorded_at)
        for what in TOLD:
            headers = private_headers(SERVICE, str(case_id), what, agency, at)
            work.outbox.append((int(Lane.INTERACTIVE), CASE_PRIVATE.name, f"{case_id}/{what}".encode(), headers, None))
    return Erased(rows, tuple(f"{case_id}/{what}" for what in TOLD))


def _count(done: str) -> int:
    """Rows of a statement, by what the driver says of it: `DELETE 2`."""
    return int(done.rpartition(" ")[2])
