"""Many seeded chaos runs, and a table of what came of them. MOTCUA_SOAK_RUNS says how many, MOTCUA_SOAK_SEED where they begin.

Ctrl-C ends the run that is under way, and what it started; the table then holds the runs before it.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.soak.table import ROOT, document, summary
from tests.support.chaos.city import Cities
from tests.support.chaos.run import Report, Size, run_chaos

RUNS, FIRST = int(os.environ.get("MOTCUA_SOAK_RUNS", "40")), int(os.environ.get("MOTCUA_SOAK_SEED", "100"))
SIZE = Size(rate=40, seconds=10, faults=4, longest=6)


@dataclass(slots=True)
class Soak:
    """The runs so far; the table is written anew after each."""

    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    reports: list[Report] = field(default_factory=list)

    @property
    def file(self) -> Path:
        """The table."""
        return ROOT / "build" / f"soak-{self.began:%Y-%m-%d-%H%M}.md"

    def add(self, report: Report) -> None:
        """One run more; says how far we are."""
        self.reports.append(report)
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text(document(self.reports, RUNS, FIRST, self.began), encoding="utf-8")
        spent = (datetime.now(UTC) - self.began).total_seconds() / 60
        left = spent / len(self.reports) * (RUNS - len(self.reports))
        print(f"{report.row()}\n{len(self.reports)} of {RUNS}, {spent:.0f} minutes, about {left:.0f} to go", flush=True)


@pytest.fixture(scope="module")
async def cities(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cities]:
    made = Cities(tmp_path_factory.mktemp("chaos"))
    try:
        yield made
    finally:
        await made.give_up()


@pytest.fixture(scope="module")
def soak(pytestconfig: pytest.Config) -> Iterator[Soak]:
    made = Soak()
    yield made
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():  # the summary is the point of it
        print(f"\n{summary(made.reports, RUNS)}")
        if made.reports:
            print(f"table: {made.file.relative_to(ROOT)}")


@pytest.mark.parametrize("seed", range(FIRST, FIRST + RUNS))
async def test_after_chaos_nothing_is_lost_and_nothing_is_done_twice(cities: Cities, soak: Soak, seed: int) -> None:
    report = await run_chaos(await cities.get(), seed, SIZE)
    soak.add(report)
    if not report.sound:
        pytest.fail(f"seed {seed}, recovery {report.recovery} s\n{report.verdict}\nlogs: {await cities.give_up()}", pytrace=False)
