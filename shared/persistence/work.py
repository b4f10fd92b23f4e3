"""The unit of work: cases locked in order, facts stated under the lock, everything written by one commit.

Consumers, HTTP commands and jobs all come through `Store.open`, so they take the same locks in the same order.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any, Generic, TypeVar
from uuid import UUID

from ormsgpack import packb
from sqlmodel import SQLModel
from uuid_utils import uuid7

from shared.contracts.envelope import OCTETS, Envelope, Headers
from shared.contracts.events import Event
from shared.contracts.topics import CASE_EVENTS
from shared.contracts.words import Lane, Origin
from shared.observability.failpoints import reach
from shared.persistence.bulk import Row, column_names, insert_rows, table_of, update_changed
from shared.persistence.database import Database, Tx

S = TypeVar("S")

OUTBOX_COLUMNS = ("lane", "topic", "key", "headers", "payload")
NOTIFY = "select pg_notify('outbox', '')"


@dataclass(slots=True)
class Stream:
    """The bookkeeping columns of `StreamColumns`, in their order."""

    case_id: UUID
    heard_intake: int = 0
    heard_processing: int = 0
    heard_notification: int = 0
    stated: int = 0
    parked: int = 0
    waiting: int = 0


STREAM_WIDTH = len(fields(Stream))
STREAM_VALUES = attrgetter(*(each.name for each in fields(Stream)))


@dataclass(slots=True)
class Locked(Generic[S]):
    """A case under its lock: bookkeeping, and the domain's own state, which handlers replace."""

    stream: Stream
    state: S
    before: Row = field(repr=False)
    """The row as it was locked."""


@dataclass(slots=True)
class Work(Generic[S]):
    """One transaction's work. Nothing of it is seen by anyone before the commit."""

    tx: Tx
    store: Store[S]
    cases: dict[UUID, Locked[S]]
    emitted: list[tuple[Envelope, str]] = field(default_factory=list)
    """Every fact that was stated, in order, with its body as JSON."""
    outbox: list[tuple[int, str, bytes, bytes, bytes | None]] = field(default_factory=list)
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    """What is to be done in this process once all of it is committed; short, and lost with the process."""

    @property
    def now(self) -> datetime:
        """The database's time at the start of this transaction."""
        return self.tx.now

    def emit(
        self,
        case_id: UUID,
        event: Event,
        *,
        occurred_at: datetime,
        cause: str | None,
        origin: Origin,
        lane: Lane = Lane.INTERACTIVE,
    ) -> Envelope:
        """State a fact about a case: the next sequence number under its lock, and a row in the outbox."""
        stream = self.cases[case_id].stream
        stream.stated += 1
        return self._state(event, str(case_id), stream.stated, occurred_at, cause, origin, lane)

    def emit_agency(
        self,
        event: Event,
        *,
        agency: str,
        sequence: int,
        occurred_at: datetime,
        origin: Origin,
        cause: str | None = None,
    ) -> Envelope:
        """State a fact about an agency, keyed by it; the caller allots the sequence under the agency's lock."""
        return self._state(event, agency, sequence, occurred_at, cause, origin, Lane.INTERACTIVE)

    def put(self, topic: str, key: str | bytes, headers: Headers, payload: bytes | None, lane: Lane) -> None:
        """Add a record to the outbox."""
        raw = key.encode() if isinstance(key, str) else key
        self.outbox.append((int(lane), topic, raw, packb(headers), payload))

    def _state(
        self,
        event: Event,
        subject: str,
        sequence: int,
        occurred_at: datetime,
        cause: str | None,
        origin: Origin,
        lane: Lane,
    ) -> Envelope:
        agency: str = event.agency  # type: ignore[attr-defined]
        source = f"/{self.store.service}"
        envelope = Envelope(
            str(uuid7()), event.type, source, subject, agency, occurred_at, self.now, origin, sequence, cause
        )  # fmt: skip
        body = event.__pydantic_serializer__.to_json(event)  # as `model_dump_json`, which would make text of it first
        self.emitted.append((envelope, body.decode()))
        self.put(CASE_EVENTS.name, subject, envelope.to_headers(), body, lane)
        return envelope

    async def flush(self) -> None:
        """Write changed cases and the outbox; called once, just before the commit."""
        rows = ((locked.before, self.store.row_of(locked)) for locked in self.cases.values())
        await update_changed(self.tx, self.store.cases, [(before, row) for before, row in rows if before != row])
        if self.outbox:
            await insert_rows(self.tx, self.store.outbox, self.outbox, OUTBOX_COLUMNS)
            await self.tx.driver.execute(NOTIFY)


def private_headers(service: str, case_id: str, what: str, agency: str, now: datetime) -> bytes:
    """The headers, as the outbox keeps them, of something encrypted about a case."""
    envelope = Envelope(str(uuid7()), f"private.{what}", f"/{service}", case_id, agency, now, now, Origin.LIVE)
    return packb(envelope.to_headers(OCTETS))


def _columns_of(state: type[Any]) -> tuple[str, ...]:
    """The fields of a dataclass or a named tuple."""
    names: tuple[str, ...] = state._fields if issubclass(state, tuple) else tuple(each.name for each in fields(state))  # type: ignore[attr-defined]
    return names


def _values_of(state: type[Any], names: tuple[str, ...]) -> Callable[[Any], Row]:
    """What makes a row's domain columns of a state; a named tuple is them already."""
    if issubclass(state, tuple):
        return tuple
    if len(names) == 1:
        single = attrgetter(names[0])
        return lambda each: (single(each),)
    return attrgetter(*names)


@dataclass(slots=True)
class Store(Generic[S]):
    """Where a service keeps its cases: tables, the domain dataclass of a row, and who wakes the relay.

    Raises:
        TypeError: The dataclass and the table's domain columns differ.
    """

    database: Database
    service: str
    cases: type[SQLModel]
    state: type[S]
    outbox: type[SQLModel]
    parked: type[SQLModel]
    inbox: type[SQLModel] | None = None
    missing: type[SQLModel] | None = None
    on_commit: Callable[[], None] = lambda: None
    _select: str = ""
    _insert: str = ""
    _values: Callable[[Any], Row] = tuple

    def __post_init__(self) -> None:
        names, table = column_names(self.cases), table_of(self.cases).name
        domain = _columns_of(self.state)
        expected = (*(each.name for each in fields(Stream)), *domain)
        if names != expected:
            raise TypeError(f"columns of {table} {names} are not the fields of {self.state.__name__} {expected}")
        self._select = f"select {', '.join(names)} from {table} where case_id = any($1::uuid[]) order by case_id for update"
        # most are there already: to look for them first costs a third of meeting them on the way in
        self._insert = (
            f"insert into {table} (case_id) select u.id from unnest($1::uuid[]) as u (id) "
            f"where not exists (select from {table} c where c.case_id = u.id) order by 1 on conflict do nothing"
        )
        self._values = _values_of(self.state, domain)

    def row_of(self, locked: Locked[S]) -> Row:
        """The row of a case as it stands."""
        return STREAM_VALUES(locked.stream) + self._values(locked.state)

    @contextlib.asynccontextmanager
    async def open(self, case_ids: Iterable[UUID]) -> AsyncIterator[Work[S]]:
        """One transaction with these cases locked, their rows made where missing; flushed and committed at the end."""
        ids = sorted(set(case_ids))
        async with self.database.transaction() as tx:
            work = Work(tx, self, await self._lock(tx, ids))
            yield work
            await work.flush()
            await reach("before_commit")
        await reach("after_commit")
        if work.outbox:
            self.on_commit()
        for follow_up in work.after_commit:
            follow_up()

    async def _lock(self, tx: Tx, ids: list[UUID]) -> dict[UUID, Locked[S]]:
        if not ids:
            return {}
        await tx.driver.execute(self._insert, ids)
        rows = map(tuple, await tx.driver.fetch(self._select, ids))
        return {row[0]: Locked(Stream(*row[:STREAM_WIDTH]), self.state(*row[STREAM_WIDTH:]), row) for row in rows}
