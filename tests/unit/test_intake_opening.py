"""What a key's submission is answered: opened, known, in conflict, too late, or opened after all."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from prometheus_client import CollectorRegistry

from services.intake import repository
from services.intake.domain.case import Case
from services.intake.domain.filing import Filer
from services.intake.domain.lines import Line
from services.intake.domain.submission import NotValidError
from services.intake.group_commit import GroupCommit
from services.intake.handlers import Desk, ForbiddenError
from services.intake.metrics import IntakeMetrics
from services.intake.opening import Opening, Outcome, make_commit
from services.intake.repository import FiledRow, KeyOf
from services.intake.routes.bulk import make_take
from shared.catalogue import load_catalogue
from shared.contracts.words import Lane
from shared.persistence.work import Store
from shared.security.key_ring import KeyRing

START = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
BODY: dict[str, Any] = {"agency": "ldtbxh-haiphong", "kind": "dossier", "procedure": "1.001806", "channel": "counter"}
OFFICER = Filer("cb", "officer", "ldtbxh-haiphong")


class Books:
    """Keys and their cases in memory, in the place of the database. `prune_before_find` forgets them once, just before a look."""

    database: Books

    def __init__(self) -> None:
        self.database, self.now, self.prune_before_find = self, START, False
        self.keys: dict[KeyOf, tuple[bytes, UUID]] = {}
        self.named: list[UUID] = []

    @contextlib.asynccontextmanager
    async def driver(self) -> AsyncIterator[None]:
        yield

    def on_commit(self) -> None:
        """Nobody relays."""

    async def open_new(self, _: None, rows: Sequence[FiledRow]) -> list[UUID]:
        assert rows
        free = [row for row in rows if (row.scope, row.key) not in self.keys]
        self.keys |= {(row.scope, row.key): (row.digest, row.case_id) for row in free}
        return [row.case_id for row in free]

    async def find_keys(self, _: None, keys: Sequence[KeyOf]) -> dict[KeyOf, tuple[bytes, UUID]]:
        if self.prune_before_find:
            self.prune_before_find = False
            self.keys.clear()
        return {key: self.keys[key] for key in keys if key in self.keys}

    async def check(self, _wanted: UUID, _agency: str) -> None:
        """Every pre-intake is known."""

    async def mark(self, named: UUID) -> None:
        self.named.append(named)


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch) -> Books:
    made = Books()
    monkeypatch.setattr(repository, "open_new", made.open_new)
    monkeypatch.setattr(repository, "find_keys", made.find_keys)
    return made


@pytest.fixture
def desk(books: Books) -> Desk:
    keys, metrics = KeyRing([bytes(32)]), IntakeMetrics(CollectorRegistry())
    commit = make_commit(cast("Store[Case]", books), keys, metrics, lambda: books.now)
    lanes = {lane: GroupCommit(commit, lambda _: False) for lane in Lane}
    return Desk(load_catalogue(), lambda: books.now, keys, metrics, lanes, books.check, books.mark)


async def file(desk: Desk, key: str, **more: Any) -> Opening:
    return await desk.file(json.dumps(BODY | more).encode(), key, OFFICER)


PAST = [
    ({"filed_at": (START - timedelta(minutes=4)).isoformat()}, timedelta(minutes=2)),
    ({"channel": "post", "postal_record": "B-1", "handed_over_at": START.isoformat()}, timedelta(days=8)),
]


@pytest.mark.parametrize(("body", "later"), PAST)
async def test_who_sends_a_filing_again_too_late_gets_its_case_and_opens_none(
    desk: Desk, books: Books, body: dict[str, Any], later: timedelta
) -> None:
    first = await file(desk, "k", **body)
    books.now += later
    assert await file(desk, "k", **body) == Opening(first.case_id, Outcome.KNOWN)
    with pytest.raises(ForbiddenError):
        await file(desk, "another", **body)
    assert (await file(desk, "k", **body, note="other")).outcome is Outcome.CONFLICT
    assert len(books.keys) == 1


async def test_a_bulk_line_that_is_sent_again_too_late_gets_its_case(desk: Desk, books: Books) -> None:
    body = BODY | {"filed_at": (START - timedelta(minutes=4)).isoformat()}
    lines = [Line(n, json.dumps(body | {"idempotency_key": key}).encode()) for n, key in enumerate(("a", "b", "a"), 1)]
    take = make_take(desk, OFFICER)
    before = [json.loads(each) for each in (await (await take(lines[:1]))).splitlines()]
    books.now += timedelta(minutes=2)
    after = [json.loads(each) for each in (await (await take(lines))).splitlines()]
    assert [(each["status"], each.get("case_id")) for each in after] == [
        (200, before[0]["case_id"]), (403, None), (200, before[0]["case_id"]),
    ]  # fmt: skip


async def test_a_key_that_is_forgotten_between_two_statements_opens_its_case(desk: Desk, books: Books) -> None:
    first = await file(desk, "k")
    books.prune_before_find = True
    again = await file(desk, "k")
    assert again.outcome is Outcome.OPENED
    assert again.case_id != first.case_id


async def test_a_pre_intake_is_marked_as_named_only_by_a_case(desk: Desk, books: Books) -> None:
    named = uuid4()
    for key, more in (("k", {}), ("k", {"pre_intake_id": str(named)})):
        await file(desk, key, **more)
    assert books.named == [], "a conflict names nothing"
    with pytest.raises(NotValidError):
        await file(desk, "l", pre_intake_id=str(named), channel="pigeon")
    for outcome in (Outcome.OPENED, Outcome.KNOWN):
        assert (await file(desk, "m", pre_intake_id=str(named))).outcome is outcome
    assert books.named == [named, named]
