"""Intake dies before and after the commit of webhooks: every 200 has its effect once, what got none at most once."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.support.hotline_load import open_call_centre
from tests.support.hotline_remains import compare
from tests.support.servers import Servers

pytestmark = pytest.mark.faults

RATE, SECONDS = 100.0, 8.0


@pytest.mark.parametrize("place", ["before_commit", "after_commit"])
async def test_a_death_of_intake_loses_no_webhook_and_doubles_none(servers: Servers, tmp_path: Path, place: str) -> None:
    failpoint = f"{place}=exit:{random.Random(place).randint(60, 150)}"
    async with open_call_centre(servers, tmp_path, MOTCUA_FAILPOINTS=failpoint) as centre:
        ringing = asyncio.create_task(centre.ring(RATE, SECONDS))
        await centre.die_at(failpoint)
        await centre.restart()
        await ringing
        assert await compare(centre) == []
    assert centre.broken > 0
    assert len(centre.answered) < len(centre.sent) < len(centre.answered) + len(centre.sent) // 5
