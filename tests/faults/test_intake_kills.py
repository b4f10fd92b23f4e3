"""Intake dies before its commit, after it, and between publishing and forgetting: no 2xx is lost, and no case is doubled."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.installation import Installation
from tests.support.kills import PLACES, assert_nothing_is_lost_or_doubled, open_city
from tests.support.servers import Servers

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
async def city(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    async with open_city(servers, tmp_path_factory.mktemp("kills")) as made:
        yield made


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("bulk", [False, True], ids=["single", "bulk"])
async def test_two_deaths_of_intake_lose_nothing_and_double_nothing(city: Installation, place: str, bulk: bool) -> None:
    try:
        await assert_nothing_is_lost_or_doubled(city, place, bulk=bulk, kills=2)
    finally:
        city.terminate("intake")
