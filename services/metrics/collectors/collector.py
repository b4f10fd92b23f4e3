"""The business series: read from the database now and then, shown from memory, so a scrape never waits for PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from prometheus_client import Metric
from prometheus_client.registry import Collector

from services.metrics.collectors.exposition import business_families
from services.metrics.collectors.rows import business_of, newest_change
from shared.catalogue import Catalogue, load_catalogue
from shared.persistence.database import Database

REST = 4.0
"""Rests this many times as long as the last reading took: at most a fifth of the time goes into reading."""


class BusinessCollector(Collector):
    """Shows the newest reading. `refresh` makes one when the projection has moved or a minute has passed."""

    def __init__(self, database: Database, procedure_agencies: Sequence[str] = (), catalogue: Catalogue | None = None) -> None:
        self._database, self._procedure_agencies = database, procedure_agencies
        self._catalogue = catalogue or load_catalogue()
        self._fields = sorted(self._catalogue.fields)
        self._families: Sequence[Metric] = ()
        self._shown: tuple[int, int] | None = None
        self._rests_until = 0.0

    def collect(self) -> Iterator[Metric]:
        """The series as last read; nothing before the first reading."""
        return iter(self._families)

    async def refresh(self) -> None:
        """Read again where there is something new. Raises what the database raises; the old reading stays."""
        started = time.monotonic()
        if started < self._rests_until:
            return
        newest = await newest_change(self._database)
        if newest == self._shown:
            return
        business = await business_of(self._database, self._fields, self._procedure_agencies)
        self._families, self._shown = business_families(business, self._catalogue), newest
        ended = time.monotonic()
        self._rests_until = ended + REST * (ended - started)
