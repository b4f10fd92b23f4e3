"""200 webhooks a second while intake dies three times: every 200 has its effect once, and answers are quick.

`MOTCUA_SOAK_SECONDS` says how long, 300 unless it is given. The process dies before a commit, after one, and by kill -9 at a
moment that nobody chose.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
from pathlib import Path

from tests.support.hotline_load import open_call_centre
from tests.support.hotline_remains import compare
from tests.support.servers import Servers

RATE, SECONDS = 200.0, float(os.environ.get("MOTCUA_SOAK_SECONDS", "300"))
SEED = 7
QUICK_SECONDS = 0.1


async def test_no_answered_webhook_is_lost_or_doubled_when_intake_dies_three_times(servers: Servers, tmp_path: Path) -> None:
    rng = random.Random(SEED)
    passes = [int(RATE * SECONDS * rng.uniform(0.005, 0.02)) for _ in range(2)]  # some of many requests share a transaction
    before, after = f"before_commit=exit:{passes[0]}", f"after_commit=exit:{passes[1]}"
    async with open_call_centre(servers, tmp_path, MOTCUA_FAILPOINTS=before) as centre:
        ringing = asyncio.create_task(centre.ring(RATE, SECONDS))
        await centre.die_at(before)
        await centre.restart(MOTCUA_FAILPOINTS=after)
        await centre.die_at(after)
        await centre.restart()
        await asyncio.sleep(SECONDS * rng.uniform(0.05, 0.2))
        assert not ringing.done()
        centre.installed.kill("intake")
        await centre.restart()
        await ringing
        wrong = await compare(centre)

    seconds = centre.seconds
    median, late = statistics.median(seconds), statistics.quantiles(seconds, n=100)[-1]
    given_up = len(centre.sent) - len(centre.answered)
    print(f"{len(centre.answered)} answered, {centre.broken} met no answer, {given_up} given up")
    print(f"{len(seconds)} apart from outages of {[round(end - begin, 1) for begin, end in centre.outages]} s:", end=" ")
    print(f"p50 {median * 1000:.1f} ms, p99 {late * 1000:.1f} ms, longest {max(seconds) * 1000:.0f} ms")
    assert wrong == []
    assert len(centre.sent) == int(RATE * SECONDS) + 1
    assert centre.broken > 0
    assert late <= QUICK_SECONDS
