"""Many seeded chaos runs, and a table of what came of them. MOTCUA_SOAK_RUNS says how many, MOTCUA_SOAK_SEED where they begin."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pytest

from tests.support.chaos.city import City, running_city
from tests.support.chaos.run import PROMISED_SECONDS, Report, Size, run_chaos

RUNS, FIRST = int(os.environ.get("MOTCUA_SOAK_RUNS", "40")), int(os.environ.get("MOTCUA_SOAK_SEED", "100"))
SIZE = Size(rate=40, seconds=10, faults=4, longest=6)
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
async def city(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[City]:
    async with running_city(tmp_path_factory.mktemp("chaos")) as running:
        yield running


@pytest.fixture(scope="module")
def reports(pytestconfig: pytest.Config) -> Iterator[list[Report]]:
    """What came of the runs; written as a table and summed up at the end, also when some failed."""
    made: list[Report] = []
    yield made
    file = ROOT / "build" / f"soak-{datetime.now(UTC):%Y-%m-%d-%H%M}.md"
    file.parent.mkdir(exist_ok=True)
    text = f"# Chaos soak, {RUNS} runs from seed {FIRST}\n\n{summary(made)}\n\n{table(made)}\n"
    file.write_text(text, encoding="utf-8")
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():  # the summary is the point of it
        print(f"\n{summary(made)}\ntable: {file.relative_to(ROOT)}")


def table(reports: list[Report]) -> str:
    """One line a run."""
    return "\n".join([Report.HEAD, "|" + " --- |" * (Report.HEAD.count("|") - 1), *(each.row() for each in reports)])


def summary(reports: list[Report]) -> str:
    """All runs in a few lines."""
    if not reports:
        return "no run came to its end"
    verdicts, recoveries = [each.verdict for each in reports], sorted(each.recovery for each in reports)
    answers = sum(each.answers.total() for each in reports)
    return "\n".join(
        [
            (
                f"runs that came to rest: {len(reports)} of {RUNS}; faults: {sum(len(each.schedule) for each in reports)}; "
                f"crashes at failpoints: {sum(each.crashes for each in reports)}"
            ),
            (
                f"cases {sum(each.cases for each in verdicts)}, events {sum(each.events for each in verdicts)}, messages "
                f"{sum(each.messages for each in verdicts)}, HTTP answers and failures {answers}, "
                f"repeated in transport {sum(each.repeated for each in verdicts)}"
            ),
            (
                f"lost {sum(len(each.lost) for each in verdicts)}, doubled {sum(len(each.doubled) for each in verdicts)}, "
                f"otherwise wrong {sum(len(each.wrong) for each in verdicts)}"
            ),
            f"recovery: median {median(recoveries):.1f} s, longest {recoveries[-1]:.1f} s",
        ]
    )


@pytest.mark.parametrize("seed", range(FIRST, FIRST + RUNS))
async def test_after_chaos_nothing_is_lost_and_nothing_is_done_twice(city: City, reports: list[Report], seed: int) -> None:
    report = await run_chaos(city, seed, SIZE)
    reports.append(report)
    assert report.verdict.clean, f"seed {seed}\n{report.verdict}"
    assert report.recovery <= PROMISED_SECONDS
