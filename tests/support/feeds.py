"""Intake's tables of calls and feeds, without its doors: events are heard, time goes by, and what is stated is read."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from ormsgpack import unpackb

from services.intake import main
from services.intake.domain.case import Case
from services.intake.hotline import calls, feeds
from services.intake.hotline.calls import state_ended
from services.intake.hotline.heard import Heard
from services.intake.hotline.watching import observe
from services.intake.settings import IntakeSettings
from services.intake.tables import CaseRow, Outbox, Parked
from shared.contracts.commands import COMMANDS
from shared.contracts.envelope import Envelope, from_headers
from shared.contracts.events import EVENTS
from shared.contracts.hotline import CallChanged, CallState, EventOutcome, HotlineEvent
from shared.contracts.model import Contract
from shared.hotline.mapping import Mapping
from shared.hotline.reading import read_mapping
from shared.hotline.said import Said
from shared.persistence.database import Database
from shared.persistence.migrate import migrate
from shared.persistence.work import Store
from tests.support.servers import Keys, Servers

START = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
SOURCE, AGENCY = "tong-dai-a", "tong-dai-haiphong"
NO_WAIT = timedelta(0)
C = TypeVar("C", bound=Contract)


def make_mapping(source: str = SOURCE, minutes: int = 10, agency: str = AGENCY) -> Mapping:
    """A mapping of a source that sends our own contract."""
    text = f"""
source: {source}
title: {{vi: "Tổng đài thử", en: "A call centre of the tests"}}
agency: {agency}
authentication: {{scheme: standard_webhooks}}
shape: normalised
expected_silence: {{otherwise_minutes: {minutes}}}
"""
    return read_mapping(text, f"{source}.yaml")


def heard(
    body: HotlineEvent | None = None,
    at: datetime = START,
    *,
    source: str = SOURCE,
    outcome: EventOutcome = EventOutcome.ACCEPTED,
    sequence: int | None = None,
    scope: str = "",
    received_at: datetime | None = None,
) -> Heard:
    """One event as a door gives it; refused ones say nothing but their number."""
    said = None if outcome is EventOutcome.REFUSED else Said(secrets.token_hex(8), at, body, sequence, scope)
    return Heard(source, AGENCY, outcome, said, received_at or at, sequence, scope)


def call(state: CallState, second: float, name: str = "c1", *, source: str = SOURCE, at: datetime = START, **more: Any) -> Heard:
    """A call changed."""
    return heard(CallChanged(call_id=name, state=state, **more), at + timedelta(seconds=second), source=source)


@dataclass(slots=True)
class Book:
    """The database of one intake service; nothing leaves its outbox."""

    store: Store[Case]
    mappings: dict[str, Mapping] = field(default_factory=lambda: {SOURCE: make_mapping()})

    async def hear(self, *events: Heard) -> None:
        """Take a group of events in one transaction, as the doors do."""
        async with self.store.open(()) as work:
            await calls.fold(work.tx, events)
            await feeds.note(work.tx, events)

    async def end_calls(self, settle: timedelta = NO_WAIT) -> int:
        """State the calls that are over."""
        return await state_ended(self.store, settle)

    async def watch(self, every: timedelta = NO_WAIT) -> int:
        """State how feeds stand."""
        return await observe(self.store, self.mappings.get, every)

    async def query(self, statement: str, *arguments: Any) -> list[Any]:
        """Rows of the database."""
        async with self.store.database.transaction() as tx:
            return list(await tx.driver.fetch(statement, *arguments))

    async def sent(self, kind: type[C], source: str | None = None) -> list[tuple[Envelope, C]]:
        """What was stated or asked of one type, in order; `source` is the key."""
        found: list[tuple[Envelope, C]] = []
        for key, headers, payload in await self.query("select key, headers, payload from outbox order by id"):
            envelope = from_headers([(name, value) for name, value in unpackb(headers)])
            if envelope.type == kind.type and source in (None, key.decode()):
                body = (EVENTS | COMMANDS)[envelope.type].model_validate_json(payload)
                assert isinstance(body, kind)
                found.append((envelope, body))
        return found

    async def bodies(self, kind: type[C], source: str | None = None) -> list[C]:
        """The same without envelopes."""
        return [body for _, body in await self.sent(kind, source)]

    async def numbers(self, source: str = SOURCE) -> list[int]:
        """The sequence of every fact of a source, in the order in which they will be sent."""
        rows: Iterable[Any] = await self.query("select headers from outbox where key = $1 order by id", source.encode())
        return [from_headers([(name, value) for name, value in unpackb(row[0])]).sequence for row in rows]


@contextlib.asynccontextmanager
async def open_book(servers: Servers, folder: Path) -> AsyncIterator[Book]:
    """A database of its own."""
    keys = Keys.make(folder / "keys")
    settings = IntakeSettings(
        kafka_bootstrap=servers.kafka.address,
        postgres_url=servers.postgres.address,
        database_prefix=f"f{secrets.token_hex(4)}_",
        token_public_key_file=keys.folder / "public.json",
        private_key_file=keys.folder / "key",
    )
    database = Database(settings, "intake")
    await migrate(database, Path(main.__file__).with_name("migrations"))
    try:
        yield Book(Store(database, "intake", cases=CaseRow, state=Case, outbox=Outbox, parked=Parked))
    finally:
        await database.close()
