"""Six seeded chaos runs: whatever breaks, everything that was promised comes out once. `make soak` does forty."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from tests.support.chaos.checker import check, reconciled
from tests.support.chaos.city import Cities
from tests.support.chaos.history import read_published
from tests.support.chaos.run import Report, Size, run_chaos

pytestmark = pytest.mark.faults
SEEDS = (1, 3, 8, 9, 12, 25)
SIZE = Size(rate=30, seconds=3, faults=2, longest=1)
SEEN = {
    8: r"zombie processing: its work went to the replica",
    9: r"members intake [3-9], processing [3-9], notification [3-9], metrics [3-9]",
}
"""What must have happened to the groups, or the run has shown nothing."""


@pytest.fixture(scope="module")
async def cities(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cities]:
    made = Cities(tmp_path_factory.mktemp("chaos"))
    try:
        yield made
    finally:
        await made.give_up()


@pytest.fixture(scope="module")
def reports() -> list[Report]:
    """The runs that the present city has seen."""
    return []


@pytest.mark.parametrize("seed", SEEDS)
async def test_after_chaos_nothing_is_lost_and_nothing_is_done_twice(cities: Cities, reports: list[Report], seed: int) -> None:
    report = await run_chaos(await cities.get(), seed, SIZE)
    print(report.row())
    reports.append(report)
    if not report.sound:
        reports.clear()
        pytest.fail(f"seed {seed}, recovery {report.recovery} s\n{report.verdict}\nlogs: {await cities.give_up()}", pytrace=False)
    assert re.fullmatch(SEEN.get(seed, ""), "; ".join(report.seen)), report.seen


TAKEN_AWAY = {
    "intake": ("delete from submissions where case_id = $1", "submissions"),
    "processing": ("delete from history where case_id = $1 and type = 'case.accepted'", "history"),
    "notification": ("delete from ledger where case_id = $1 and fact = 'case.accepted'", "message about"),
    "metrics": ("update cases set received_at = null where case_id = $1", "received is"),
}


@pytest.mark.parametrize("service", TAKEN_AWAY)
async def test_the_checker_notices_what_is_taken_away(cities: Cities, reports: list[Report], service: str) -> None:
    city, report, (statement, named) = await cities.get(), reports[-1], TAKEN_AWAY[service]
    case = next(each for each in report.load.cases if each.commands and each.commands[0].type == "accept")
    await city.installed.query(service, statement, UUID(case.case_id))
    published = await read_published(city.installed, report.begin, report.load.agency)
    verdict = await check(city.installed, report.load, published)
    assert any(each.startswith(named) for each in (*verdict.lost, *verdict.wrong)), str(verdict)


async def test_reconcile_names_the_case_whose_books_do_not_agree(cities: Cities, reports: list[Report]) -> None:
    city, agency = await cities.get(), reports[0].load.agency
    assert (await reconciled(city.installed, agency))["agree"]
    ((case_id,),) = await city.installed.query("processing", "select case_id from cases where agency = $1 limit 1", agency)
    await city.installed.query("processing", "update cases set heard_intake = 0 where case_id = $1", case_id)
    books = await reconciled(city.installed, agency)
    assert books["cases that differ"] == [str(case_id)]
    assert [each["what"] for each in books["differences"]] == ["processing heard of intake"]
