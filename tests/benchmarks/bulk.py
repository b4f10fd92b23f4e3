"""The intake service under one bulk upload, streamed both ways; this process is the client."""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections import Counter

from deploy.bench.cpu import Meter, backends
from shared.security.tokens import Role
from tests.benchmarks.intake import make_submission
from tests.benchmarks.load import procedure_codes
from tests.benchmarks.services import pids, serving
from tests.benchmarks.stage import Figures, Stage, ensure, main
from tests.benchmarks.upload import statuses, upload

AGAIN = 500
"""Lines that are sent a second time, untimed."""


def make_lines(rng: random.Random, count: int, name: str = "key") -> list[bytes]:
    """Bulk lines with their keys, about 600 bytes each."""
    codes = procedure_codes()
    filings = ({"idempotency_key": f"{name}-{index}", **make_submission(rng, index, codes)} for index in range(count))
    return [json.dumps(filing, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for filing in filings]


async def check(stage: Stage, count: int) -> None:
    """Every 201 left one row in each table of the same case, and its two records in the outbox or on their topics."""
    joined = "idempotency join cases using (case_id) join submissions using (case_id) join applicants using (case_id)"
    expected = dict.fromkeys(("idempotency", "cases", "submissions", "applicants", joined), count)
    await stage.counts("intake", {**expected, "cases where stated = 1": count, "outbox where lane <> 1": 0})


async def measure(arguments: argparse.Namespace, stage: Stage) -> Figures:
    """One upload from its first byte to its last answer; then, untimed, some of its lines again."""
    count, rng = arguments.n, random.Random(arguments.seed)
    async with serving(stage, "intake") as made:
        port, token = made.ports["intake"], made.keys.token(Role.OFFICER)
        lines, warm = make_lines(rng, count), make_lines(rng, 10, "warm")
        ensure("answers while it warms up", statuses(await upload(port, token, b"".join(warm))), Counter({201: 10}))
        meter, groups = Meter(), {"python": pids(made), "load": [os.getpid()]}
        content = b"".join(lines)
        meter.start(**groups, postgres=await backends(stage.postgres, f"{stage.run}_"))
        began = time.perf_counter()
        answers = await upload(port, token, content)
        seconds = time.perf_counter() - began
        meter.stop(postgres=await backends(stage.postgres, f"{stage.run}_"))
        ensure("answers", statuses(answers), Counter({201: count}))
        again = await upload(port, token, b"".join(lines[:AGAIN]))
        ensure("answers to lines sent again", statuses(again), Counter({200: min(AGAIN, count)}))
        known = [answer["case_id"] for answer in again]
        ensure("cases of lines sent again", known, [answer["case_id"] for answer in answers[:AGAIN]])
        await check(stage, count + 10)
    return Figures("cases/s", count, seconds, meter.per_item(count), {"mean_line_bytes": round(len(content) / count)})


if __name__ == "__main__":
    main("bulk", 40_000, measure)
