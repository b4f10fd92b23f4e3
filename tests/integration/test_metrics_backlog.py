"""The backlog of the series, which counts in moments, against the rule, which counts in days: around every midnight."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from services.metrics.collectors.rows import read_backlog
from services.metrics.domain.case import Case
from services.metrics.domain.figures import Standing, is_due_soon, is_overdue, standing
from services.metrics.main import MIGRATIONS
from shared.persistence.database import Database
from shared.persistence.migrate import migrate
from tests.support.metrics import metrics_settings
from tests.support.servers import Keys, Servers

MIDNIGHT = datetime(2026, 3, 2, 17, tzinfo=UTC)
"""00:00 of 3 March in Viet Nam."""
EDGES = tuple(timedelta(days=day, microseconds=moment) for day in (-2, -1, 0, 1, 2) for moment in (-1, 0, 1, 36_000_000_000))
CLOCKS = {"at-midnight": MIDNIGHT, "before": MIDNIGHT - timedelta(microseconds=1), "at-noon": MIDNIGHT + timedelta(hours=12)}
FIELDS = ("children", "labour")
COLUMNS = (
    "agency", "kind", "field", "status", "received_at", "due_at", "statutory_due_at", "stopped_at", "resolved_at", "left_at",
)  # fmt: skip


@pytest.fixture
async def database(servers: Servers, tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(metrics_settings(servers.kafka.address, servers.postgres.address, Keys.make(tmp_path / "keys")), "metrics")
    await migrate(made, MIGRATIONS)
    try:
        yield made
    finally:
        await made.close()


@dataclass
class Draw:
    """Draws moments near midnights, or none."""

    random: Random

    def moment(self, share: float = 1.0) -> datetime | None:
        return MIDNIGHT + self.random.choice(EDGES) if self.random.random() < share else None

    def case(self) -> Case:
        return Case(
            agency=self.random.choice([*CLOCKS, "live"]),
            kind=self.random.choice(["dossier", "task"]),
            field=self.random.choice([*FIELDS, "unheard-of", "another"]),
            status=self.random.choice([2, 4, 5]),
            received_at=self.moment(0.95),
            due_at=self.moment(0.9),
            statutory_due_at=self.moment(0.7),
            stopped_at=self.moment(0.4),
            resolved_at=self.moment(0.1),
            left_at=self.moment(0.1),
        )


async def test_the_series_count_open_cases_as_the_rule_does(database: Database) -> None:
    some = Draw(Random(118))
    cases = [some.case() for _ in range(3000)]
    async with database.transaction() as tx:
        await tx.driver.copy_records_to_table(
            "cases",
            columns=["case_id", *COLUMNS],
            records=[(UUID(int=number), *(getattr(case, each) for each in COLUMNS)) for number, case in enumerate(cases)],
        )
        clocks = [(agency, "historical", at, 1) for agency, at in CLOCKS.items()]
        await tx.driver.copy_records_to_table("agency_clocks", records=[*clocks, ("live", "live", MIDNIGHT, 2)])
    backlog = await read_backlog(database, list(FIELDS))
    expected = _by_hand([case for case in cases if standing(case) is Standing.OPEN])
    names = ("cases", "overdue", "overdue_statutory", "due_soon", "without_due_date", "oldest_at")
    seen = {(*(row[each] for each in COLUMNS[:4]),): tuple(row[name] for name in names) for row in backlog.open}
    assert seen == expected
    assert {row["agency"]: row["at"] for row in backlog.clocks if row["agency"] in CLOCKS} == CLOCKS


def _by_hand(cases: list[Case]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    counts: Counter[tuple[Any, ...]] = Counter()
    oldest: dict[tuple[Any, ...], datetime] = {}
    for case in cases:
        clock = CLOCKS.get(case.agency or "", datetime.now(UTC))
        place = (case.agency, case.kind, case.field if case.field in FIELDS else "other", case.status)
        assert case.received_at is not None
        oldest[place] = min(oldest.get(place, case.received_at), case.received_at)
        marks = (
            True,
            is_overdue(case.due_at, clock, case.stopped_at),
            is_overdue(case.statutory_due_at, clock, case.stopped_at),
            is_due_soon(case.due_at, clock, case.stopped_at),
            case.due_at is None,
        )
        for mark, true in enumerate(marks):
            counts[*place, mark] += true
    return {place: (*(counts[*place, mark] for mark in range(5)), oldest[place]) for place in oldest}
