"""The business series: read from the database now and then, shown from memory, so a scrape never waits for PostgreSQL.

At two paces, each in one snapshot: the backlog moves with each case and is cheap, turnaround looks back over every case and is
dear. Both rest in proportion to what they cost, so that a small installation sees either at once. Series are made of the rows
when they are first asked for, since thousands of them cost more than to read their rows, and readings are more than scrapes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from time import monotonic

from prometheus_client import Metric
from prometheus_client.registry import Collector

from services.metrics import metrics as series
from services.metrics.collectors.exposition import backlog_families, turnaround_families
from services.metrics.collectors.feeds import feed_families
from services.metrics.collectors.rows import newest_change, read_backlog, read_turnaround
from shared.catalogue import Catalogue, load_catalogue
from shared.persistence.database import Database

BACKLOG_REST, TURNAROUND_REST = 4.0, 30.0
"""Rests this many times as long as the last reading took: a fifth of the time goes into reading at most, and a thirtieth."""


@dataclass
class Reading:
    """Series, made when they are first asked for, and the newest change that they hold."""

    make: Callable[[], Sequence[Metric]] = tuple
    updated_at: datetime | None = None

    @cached_property
    def families(self) -> Sequence[Metric]:
        """The series."""
        return self.make()


class Pace:
    """One reading and when it is made again: the projection has moved or a minute has passed, and the rest is over."""

    def __init__(self, database: Database, read: Callable[[], Awaitable[Reading]], rest: float) -> None:
        self._database, self._read, self._rest = database, read, rest
        self._shown: tuple[int, int] | None = None
        self._rests_until = 0.0
        self.reading = Reading()

    async def refresh(self) -> None:
        """Read again where there is something new. Raises what the database raises; the old reading stays."""
        started = monotonic()
        if started < self._rests_until:
            return
        newest = await newest_change(self._database)
        if newest == self._shown:
            return
        self.reading = await self._read()
        self._shown, ended = newest, monotonic()
        self._rests_until = ended + self._rest * (ended - started)


class BusinessCollector(Collector):
    """Shows the newest reading of each pace, and the age of both."""

    def __init__(self, database: Database, procedure_agencies: Sequence[str] = (), catalogue: Catalogue | None = None) -> None:
        self._database, self._procedure_agencies = database, procedure_agencies
        self._catalogue = catalogue or load_catalogue()
        self._fields = sorted(self._catalogue.fields)
        self.backlog = Pace(database, self._read_backlog, BACKLOG_REST)
        self.turnaround = Pace(database, self._read_turnaround, TURNAROUND_REST)

    def collect(self) -> Iterator[Metric]:
        """The series as last read; nothing before the first reading."""
        readings = {"cases": self.backlog.reading, "turnaround": self.turnaround.reading}
        for reading in readings.values():
            yield from reading.families
        known = [((name,), each.updated_at.timestamp()) for name, each in readings.items() if each.updated_at is not None]
        if known:
            yield series.UPDATED.family(known)

    async def _read_backlog(self) -> Reading:
        backlog = await read_backlog(self._database, self._fields)
        feeds = await feed_families(self._database)
        return Reading(lambda: (*backlog_families(backlog), *feeds), backlog.updated_at)

    async def _read_turnaround(self) -> Reading:
        turnaround = await read_turnaround(self._database, self._fields, self._procedure_agencies)
        return Reading(lambda: turnaround_families(turnaround, self._catalogue), turnaround.updated_at)
