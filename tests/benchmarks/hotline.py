"""How long a webhook waits for its answer at a steady rate: an open loop, counted from when each request was due.

    python -m tests.benchmarks.hotline [--rate 200] [--seconds 30]

Prints one JSON document: 50th and 99th percentile and the longest time in milliseconds, and the time of processors that one
webhook took, by group of processes. A real intake process, PostgreSQL and Kafka; four in five webhooks tell of calls, one opens
a case. Everything is compared with what was answered, as after kills.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

import uvloop

from deploy.bench.cpu import Meter, backends
from shared.observability.logs import set_up_logs
from shared.service.server import spare_collector
from tests.benchmarks.stage import ensure
from tests.support.hotline_load import CallCentre, open_call_centre
from tests.support.hotline_remains import compare
from tests.support.servers import Servers

WARM_SECONDS = 3.0


async def measure(servers: Servers, folder: Path, rate: float, seconds: float) -> dict[str, Any]:
    """Figures of one run, whose own result is right."""
    async with open_call_centre(servers, folder) as centre:
        await centre.ring(rate, WARM_SECONDS)
        before, meter = len(centre.sent), Meter()
        databases = f"{centre.installed.run}_"
        pids = [process.pid for process in centre.installed.processes.values()]
        meter.start(python=pids, load=[os.getpid()], postgres=await backends(centre.installed.postgres, databases))
        await centre.ring(rate, seconds)
        meter.stop(postgres=await backends(centre.installed.postgres, databases))
        ensure("what is there", await compare(centre), [])
        ensure("requests without an answer", centre.broken, 0)
        return _figures(centre, before) | {"cpu_us_per_item": meter.per_item(len(centre.sent) - before)}


def _figures(centre: CallCentre, before: int) -> dict[str, Any]:
    took = [1000 * (each.answered - each.due) for each in centre.sent[before:]]
    cuts = statistics.quantiles(took, n=100)
    return {"n": len(took), "p50_ms": round(cuts[49], 1), "p99_ms": round(cuts[98], 1), "longest_ms": round(max(took), 1)}


def main() -> None:
    """Start servers of its own, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=200.0, help="webhooks a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    set_up_logs("bench", "warning")
    spare_collector()
    with tempfile.TemporaryDirectory(prefix="motcua-bench-") as name:
        servers = Servers(Path(name) / "servers").start()
        try:
            figures = uvloop.run(measure(servers, Path(name) / "run", arguments.rate, arguments.seconds))
        finally:
            servers.stop()
    print(json.dumps({"name": "hotline", "rate": arguments.rate, "seconds": arguments.seconds} | figures))


if __name__ == "__main__":
    main()
