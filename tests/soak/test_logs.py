"""The larger real logs through four real service processes: in, in again, and out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.installation import Installation, installed
from tests.support.log_round import check_log
from tests.support.logs import Commands
from tests.support.servers import Servers


@pytest.fixture(scope="module")
async def city(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    async with installed(servers, tmp_path_factory.mktemp("city")) as running:
        yield running


@pytest.fixture(scope="module")
def motcua(city: Installation, tmp_path_factory: pytest.TempPathFactory) -> Commands:
    return Commands.of(city, tmp_path_factory.mktemp("commands") / "state")


@pytest.mark.parametrize("name", ["BPIC15_1.xes.gz", "la311_2018.csv.gz"])
async def test_a_large_log_imported_twice_gives_the_independent_tools_figures_and_comes_out_equal(
    city: Installation, motcua: Commands, reference_data: Path, tmp_path: Path, name: str
) -> None:
    await check_log(city, motcua, reference_data / name, tmp_path)
