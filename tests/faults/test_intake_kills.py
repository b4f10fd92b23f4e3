"""Intake dies before its commit, after it, and between publishing and forgetting: no 2xx is lost, and no case is doubled."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.messaging.topics_admin import apply_topics
from tests.support.installation import Installation
from tests.support.kills import PLACES, assert_nothing_is_lost_or_doubled
from tests.support.servers import Servers

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
async def city(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """An installation of which only intake runs, and only while it is killed; nobody's lag holds back the bulk lane."""
    folder = tmp_path_factory.mktemp("kills")
    made = Installation(folder, servers.kafka.address, servers.postgres.address, {"MOTCUA_BULK_LAG_LIMIT": "1000000000"})
    try:
        await apply_topics(made.kafka)
        made.start("intake")
        await made.ready()
        made.terminate("intake")
        yield made
    finally:
        await made.close()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("bulk", [False, True], ids=["single", "bulk"])
async def test_two_deaths_of_intake_lose_nothing_and_double_nothing(city: Installation, place: str, bulk: bool) -> None:
    try:
        await assert_nothing_is_lost_or_doubled(city, place, bulk=bulk, kills=2)
    finally:
        city.terminate("intake")
