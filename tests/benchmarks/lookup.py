"""Whether the time of a public look-up tells anything: unknown, malformed and hidden cases, in turn and in random order.

    python -m tests.benchmarks.lookup [--n 4000]

Prints one JSON document: for each way of asking the median in microseconds, and by how much it differs from an unknown code's,
with the 95 % interval of that difference from 1,000 resamples. A real intake process, PostgreSQL and Kafka; figures, not a test.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import random
import secrets
import statistics
import tempfile
import time
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg

from shared.observability.logs import set_up_logs
from tests.support.installation import Installation, installed
from tests.support.servers import Servers

RESAMPLES = 1000
BASE = "unknown code"


def new_code() -> str:
    """A code in the form of real ones."""
    return f"000.00.07.H24-201217-{secrets.randbelow(10**6):06d}"


async def hide(city: Installation, count: int) -> list[tuple[UUID, str]]:
    """Cases of which something was heard before their filing, beside as many rows as a year has."""
    hidden = [(uuid4(), f"000.00.07.H24-211217-{number:06d}") for number in range(count)]
    others = [(uuid4(), f"000.00.07.H24-191217-{number:06d}", "registered") for number in range(50_000)]
    connection = await asyncpg.connect(f"{city.postgres.rpartition('/')[0]}/{city.run}_intake")
    try:
        await connection.copy_records_to_table("cases", records=others, columns=["case_id", "code", "completion"])
        await connection.copy_records_to_table("cases", records=hidden, columns=["case_id", "code"])
        await connection.execute("analyze cases")
    finally:
        await connection.close()
    return hidden


def measure(port: int, hidden: list[tuple[UUID, str]], count: int) -> dict[str, list[float]]:
    """Microseconds of each answer, by the way of asking."""
    chance = random.Random(1)
    ways = {
        BASE: lambda: f"by-code/{new_code()}",
        "unknown code again": lambda: f"by-code/{new_code()}",
        "malformed code": lambda: f"by-code/-{new_code()}",
        "hidden code": lambda: f"by-code/{chance.choice(hidden)[1]}",
        "unknown id": lambda: str(uuid4()),
        "malformed id": lambda: f"x{uuid4()}"[:36],
        "hidden id": lambda: str(chance.choice(hidden)[0]),
    }
    order = [name for name in ways for _ in range(count + count // 10)]
    chance.shuffle(order)
    times: dict[str, list[float]] = {name: [] for name in ways}
    line = http.client.HTTPConnection("127.0.0.1", port)
    for name in order:
        path = f"/v1/cases/{ways[name]()}/status"
        began = time.perf_counter()
        line.request("GET", path)
        answer = line.getresponse()
        answer.read()
        times[name].append((time.perf_counter() - began) * 1e6)
        assert answer.status == 404, answer.status
    return {name: each[count // 10 :] for name, each in times.items()}


def difference(base: list[float], other: list[float]) -> tuple[float, float, float]:
    """By how much the medians differ, and the interval that holds 95 % of resamples."""
    chance = random.Random(2)
    found = sorted(
        statistics.median(chance.choices(other, k=len(other))) - statistics.median(chance.choices(base, k=len(base)))
        for _ in range(RESAMPLES)
    )
    return statistics.median(other) - statistics.median(base), found[RESAMPLES // 40], found[-RESAMPLES // 40]


async def run(count: int) -> dict[str, object]:
    """The figures."""
    with tempfile.TemporaryDirectory() as folder:
        servers = Servers(Path(folder)).start()
        try:
            async with installed(servers, Path(folder) / "city", "intake") as city:
                hidden = await hide(city, 2000)
                times = await asyncio.to_thread(measure, city.ports["intake"], hidden, count)
        finally:
            servers.stop()
    told = {}
    for name, each in times.items():
        shift, low, high = difference(times[BASE], each)
        shown = {"median": statistics.median(each), "shift": shift, "from": low, "to": high}
        told[name] = {word: round(value, 1) for word, value in shown.items()}
    return {"n": count, "unit": "microseconds", "ways": told}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=4000, help="look-ups of each way")
    set_up_logs("benchmark", "error")
    print(json.dumps(asyncio.run(run(parser.parse_args().n)), indent=2))


if __name__ == "__main__":
    main()
