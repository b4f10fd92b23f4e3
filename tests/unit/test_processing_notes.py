"""Officers' notes under a new master key: in the bulk lane, page by page, and never faster than the relay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.processing import repository
from services.processing.handlers import notes
from services.processing.handlers.notes import Rewrapped, rewrap_notes
from services.processing.repository import KeptNote
from shared.contracts.private import Note
from shared.contracts.words import Lane
from shared.security.key_ring import KeyRing

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OLD, BOTH = KeyRing([b"o" * 32]), KeyRing([b"n" * 32, b"o" * 32])


class Notes:
    """The table of notes, in memory, with the outbox; `room` is how many transactions find room in the bulk lane."""

    def __init__(self, patch: pytest.MonkeyPatch, number: int, room: int = 100) -> None:
        self.rows: dict[tuple[UUID, UUID], KeptNote] = {}
        self.outbox: list[tuple[Any, ...]] = []
        self.room, self.rests = room, 0
        for _ in range(number):
            case_id, command_id = uuid4(), uuid4()
            sealed = OLD.new_case(case_id).seal(Note(text="x").model_dump_json().encode(), f"note/{command_id}")
            self.rows[case_id, command_id] = KeptNote(case_id, command_id, "test", sealed, NOW)
        patch.setattr(repository, "lock_notes_under", self.lock)
        patch.setattr(repository, "replace_note", self.replace)
        patch.setattr(notes, "is_bulk_full", self.is_full)
        patch.setattr(notes, "PAGE", 2)
        patch.setattr(asyncio, "sleep", self.rest)

    @asynccontextmanager
    async def open(self, _: Any) -> AsyncIterator[Any]:
        yield SimpleNamespace(tx=None, now=NOW, outbox=self.outbox)

    async def lock(self, _: Any, prefixes: tuple[bytes, ...], after: tuple[UUID, UUID], limit: int) -> list[KeptNote]:
        return [self.rows[key] for key in sorted(self.rows) if key > after and self.rows[key].sealed[:5] in prefixes][:limit]

    async def replace(self, _: Any, note: KeptNote) -> None:
        self.rows[note.case_id, note.command_id] = note

    async def is_full(self, _: Any) -> bool:
        self.room -= 1
        return self.room < 0

    async def rest(self, seconds: float) -> None:
        self.rests += seconds > 0


async def test_notes_are_published_again_in_the_bulk_lane_with_rests_between_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    table: Any = Notes(monkeypatch, 5)
    assert await rewrap_notes(table, BOTH) == Rewrapped(5, 0)
    assert (table.rests, {row[0] for row in table.outbox}, len(table.outbox)) == (2, {int(Lane.BULK)}, 5)
    assert {note.sealed[:5] for note in table.rows.values()} == {BOTH.prefix}
    assert await rewrap_notes(table, BOTH) == Rewrapped(0, 0)


async def test_a_full_bulk_lane_is_waited_out_by_whoever_calls_again(monkeypatch: pytest.MonkeyPatch) -> None:
    table: Any = Notes(monkeypatch, 5, room=1)
    assert await rewrap_notes(table, BOTH) == Rewrapped(2, 0)
    assert await rewrap_notes(table, BOTH) == Rewrapped(0, 0)
    table.room = 100
    assert await rewrap_notes(table, BOTH) == Rewrapped(3, 0)


async def test_a_note_that_does_not_open_stops_nobody_and_one_of_a_key_that_is_not_here_is_not_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table: Any = Notes(monkeypatch, 4)
    spoilt, strange, *_ = sorted(table.rows)
    table.rows[spoilt] = table.rows[spoilt]._replace(sealed=table.rows[spoilt].sealed[:-1] + b"?")
    table.rows[strange] = table.rows[strange]._replace(sealed=b"\x02\x00\x00\x00\x00" + bytes(120))
    assert await rewrap_notes(table, BOTH) == Rewrapped(2 + 1, 0), "rewrapping looks at the data key, not into the value"
    table.rows[spoilt] = table.rows[spoilt]._replace(sealed=OLD.new_case(uuid4()).seal(b"x", "note/x"))
    assert await rewrap_notes(table, BOTH) == Rewrapped(0, 1)
