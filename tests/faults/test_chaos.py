"""Six seeded chaos runs: whatever breaks, everything that was promised comes out once. `make soak` does forty."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.chaos.checker import reconciled
from tests.support.chaos.city import City, running_city
from tests.support.chaos.run import PROMISED_SECONDS, Size, run_chaos

pytestmark = pytest.mark.faults
SIZE = Size(rate=30, seconds=3, faults=2, longest=1)


@pytest.fixture(scope="module")
async def city(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[City]:
    async with running_city(tmp_path_factory.mktemp("chaos")) as running:
        yield running


@pytest.mark.parametrize("seed", [0, 2, 3, 4, 5, 7])
async def test_after_chaos_nothing_is_lost_and_nothing_is_done_twice(city: City, seed: int) -> None:
    report = await run_chaos(city, seed, SIZE)
    print(report.row())
    assert report.verdict.clean, f"seed {seed}\n{report.verdict}"
    assert report.recovery <= PROMISED_SECONDS


async def test_reconcile_names_the_case_whose_books_do_not_agree(city: City) -> None:
    ((case_id,),) = await city.installed.query("processing", "select case_id from cases where agency = 'chaos-7' limit 1")
    await city.installed.query("processing", "update cases set heard_intake = 0 where case_id = $1", case_id)
    books = await reconciled(city.installed, "chaos-7")
    assert books["cases that differ"] == [str(case_id)]
    assert [each["what"] for each in books["differences"]] == ["processing heard of intake"]
    await city.installed.query("processing", "update cases set heard_intake = 1 where case_id = $1", case_id)
    assert (await reconciled(city.installed, "chaos-7"))["agree"]
