"""An erasure is final at the notification service, whatever the clocks of those say that wrote the records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.notification import repository
from services.notification.domain.case import Case
from services.notification.handlers import Planner
from shared.contracts.private import Contact
from shared.security.key_ring import KeyRing

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CASE = uuid4()
RING = KeyRing([b"k" * 32])


def record(minutes: int, *, erases: bool = False) -> Any:
    """A record of `case-private`, written so many minutes after 9 o'clock by some machine's clock."""
    sealed = RING.new_case(CASE).seal(Contact(name="Nguyễn Thị Mẫu").model_dump_json().encode(), "contact")
    envelope = SimpleNamespace(recorded_at=NOW + timedelta(minutes=minutes))
    return SimpleNamespace(envelope=envelope, body=None if erases else sealed, case_id=CASE)


class Contacts:
    """The table of contacts, in memory."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.rows: dict[UUID, repository.Contact] = {}
        patch.setattr(repository, "contacts_recorded_at", self.recorded_at)
        patch.setattr(repository, "save_contacts", self.save)
        patch.setattr(repository, "lock_open_entries_of", self.none)
        patch.setattr(repository, "update_entries", self.none)

    async def recorded_at(self, *_: Any) -> tuple[dict[UUID, datetime], set[UUID]]:
        erased = {case_id for case_id, row in self.rows.items() if row.ciphertext is None}
        return {case_id: row.recorded_at for case_id, row in self.rows.items()}, erased

    async def save(self, _: Any, rows: list[repository.Contact]) -> None:
        self.rows |= {row.case_id: row for row in rows}

    async def none(self, *_: Any) -> list[Any]:
        return []


@pytest.mark.parametrize("at_once", [True, False], ids=["in one batch", "one by one"])
@pytest.mark.parametrize(
    ("records", "kept"),
    [
        ([record(0)], 0),
        ([record(0), record(1)], 1),
        ([record(1), record(0)], 1),
        ([record(5), record(0, erases=True)], None),
        ([record(5), record(0, erases=True), record(5)], None),
        ([record(0, erases=True), record(5)], None),
        ([record(0), record(5, erases=True), record(9)], None),
    ],
    ids=["one", "newer", "older", "erased by a slow clock", "read again", "came first", "written later"],
)
async def test_the_newest_contact_holds_until_an_erasure_which_is_final(
    records: list[Any], kept: int | None, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacts = Contacts(monkeypatch)
    work: Any = SimpleNamespace(tx=None, cases={CASE: Case()}, now=NOW)
    planner = Planner((), timedelta(0), RING)
    for batch in [records] if at_once else [[each] for each in records]:
        await planner.take_contacts(work, batch)

    row = contacts.rows[CASE]
    assert (row.ciphertext is None) == (kept is None)
    assert kept is None or row.recorded_at == NOW + timedelta(minutes=kept)
