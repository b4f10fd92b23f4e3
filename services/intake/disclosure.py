"""Showing what is personal: of one case, and which cases a person has. Each look leaves a line in the access log."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from pydantic_core import from_json

from services.intake.vault import Tokens, token
from shared.contracts.private import CONTACT, NOTE, PERSONAL
from shared.persistence.database import Database, Tx
from shared.security.key_file import CipherError
from shared.security.key_ring import KeyRing
from shared.security.tokens import Principal, Role
from shared.service.access_log import Outcome, Purpose, log_access, log_found

MAY_SEE: Final = frozenset({Role.OFFICER, Role.COUNTER, Role.ADMIN})
FOUND_AT_MOST: Final = 200
_FIND: Final = """
select s.agency, a.case_id is not null, a.ciphertext, a.personal, a.note
from submissions s left join applicants a using (case_id) where s.case_id = $1
"""
_SEARCH: Final = """
select case_id, procedure, filed_at, agency from persons
where {kind} = $1 and ($2::text is null or agency = $2) order by filed_at desc, case_id desc limit $3
"""
_SEARCHES: Final = {kind: _SEARCH.format(kind=kind) for kind in Tokens._fields}


class Shown(NamedTuple):
    """What came of a look at one case; `people` is what was said of persons, `note` the free text."""

    outcome: Outcome
    people: dict[str, Any]
    note: str | None = None


class Hit(NamedTuple):
    """A case of the person who was looked for."""

    case_id: UUID
    procedure: str
    filed_at: datetime


async def show_applicant(database: Database, keys: KeyRing, case_id: UUID, who: Principal, purpose: Purpose) -> Shown:
    """Open what is kept of a case's people, for its agency and the city. The line in the log is committed when this returns."""
    async with database.transaction() as tx:
        shown, agency = await _look(tx, keys, case_id, who)
        found = int(shown.outcome is Outcome.SHOWN)
        await log_access(tx, who, "applicant", purpose, shown.outcome, case_id=case_id, agency=agency, found=found)
    return shown


async def _look(tx: Tx, keys: KeyRing, case_id: UUID, who: Principal) -> tuple[Shown, str | None]:
    row = await tx.driver.fetchrow(_FIND, case_id)
    agency: str | None = row and row[0]
    if who.role not in MAY_SEE:
        return Shown(Outcome.NOT_ALLOWED, {}), agency
    if agency is None:
        return Shown(Outcome.UNKNOWN_CASE, {}), None
    if not who.may_see(agency):
        return Shown(Outcome.OTHER_AGENCY, {}), agency
    _, kept, contact, personal, note = row
    if not kept:
        return Shown(Outcome.NOTHING_KEPT, {}), agency
    try:
        return _open(keys, case_id, contact, personal, note), agency
    except CipherError:
        return Shown(Outcome.UNREADABLE, {}), agency


def _open(keys: KeyRing, case_id: UUID, contact: bytes, personal: bytes | None, note: bytes | None) -> Shown:
    if personal is not None:
        people = from_json(keys.open(personal, case_id, PERSONAL))
    else:
        people = {"applicant": from_json(keys.open(contact, case_id, CONTACT)) if contact else {}}
    text = None if note is None else from_json(keys.open(note, case_id, NOTE))["text"]
    return Shown(Outcome.SHOWN, people, text)


async def find_cases(
    database: Database, keys: KeyRing, kind: str, value: str, who: Principal, purpose: Purpose
) -> list[Hit] | None:
    """The newest cases of whoever has this identifier, in the asker's agency or the city; None when the role may not ask.

    Each case that is shown has its line in the log.
    """
    async with database.transaction() as tx:
        if who.role not in MAY_SEE:
            await log_access(tx, who, "search", purpose, Outcome.NOT_ALLOWED)
            return None
        rows = await tx.driver.fetch(_SEARCHES[kind], token(keys, kind, value), who.agency, FOUND_AT_MOST)
        if not rows:
            await log_access(tx, who, "search", purpose, Outcome.NOTHING_KEPT)
        await log_found(tx, who, "search", purpose, [(row["case_id"], row["agency"]) for row in rows])
    return [Hit(row["case_id"], row["procedure"], row["filed_at"]) for row in rows]
