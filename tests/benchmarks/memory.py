"""Whether memory stays flat: N records from a full outbox through the relay, Kafka and a consumer, all in this process.

    python -m tests.benchmarks.memory [--n 1000000] [--cases 20000]

Prints one JSON document with the resident memory, in MB, at each tenth; raises when a record is lost.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from ormsgpack import packb

from shared.contracts.envelope import Envelope
from shared.contracts.events import StepCompleted
from shared.contracts.topics import CASE_EVENTS
from shared.contracts.words import Kind, Lane, Origin
from shared.messaging.delivery import Delivery
from shared.messaging.kafka import make_broker, make_producer
from shared.messaging.relay import BATCH, Relay
from shared.messaging.subscribe import subscribe
from shared.persistence.bulk import insert_rows
from shared.persistence.work import OUTBOX_COLUMNS, Work
from tests.support.sample import Outbox, Sample, Steps
from tests.support.servers import Keys, Servers

PAGE = os.sysconf("SC_PAGE_SIZE")
CHUNK = 20_000


def resident() -> float:
    """Resident memory of this process, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6


async def fill(sample: Sample, cases: Sequence[UUID], count: int) -> None:
    """`count` events, turn by turn over the cases, into the outbox."""
    body = StepCompleted(agency="memory", kind=Kind.DOSSIER, step="step").model_dump_json().encode()
    now = datetime.now(UTC)
    for begin in range(0, count, CHUNK):
        rows = []
        for number in range(begin, min(begin + CHUNK, count)):
            case_id = str(cases[number % len(cases)])
            sequence = number // len(cases) + 1
            envelope = Envelope(
                f"{number}", "case.step_completed", "/processing", case_id, "memory", now, now, Origin.LIVE, sequence
            )
            rows.append((int(Lane.INTERACTIVE), CASE_EVENTS.name, case_id.encode(), packb(envelope.to_headers()), body))
        async with sample.store.database.transaction() as tx:
            await insert_rows(tx, Outbox, rows, OUTBOX_COLUMNS)


async def measure(sample: Sample, cases: Sequence[UUID], count: int) -> dict[str, object]:
    """Relay and consume; memory at each tenth."""
    taken, marks = 0, [round(resident(), 1)]

    async def forget(_: Work[Steps], deliveries: Sequence[Delivery]) -> None:
        nonlocal taken
        taken += len(deliveries)
        if taken >= count * len(marks) / 10:
            marks.append(round(resident(), 1))

    async def always() -> int:
        return BATCH

    relay = Relay(
        sample.store.database, Outbox, lambda: make_producer(sample.settings, "memory"), sample.settings.topic_prefix, always
    )
    broker = make_broker(sample.settings, "memory")
    subscribe(broker, sample.consumer(forget))
    await broker.start()
    relaying, began = asyncio.create_task(relay.run()), time.perf_counter()
    try:
        while taken < count:
            await asyncio.sleep(0.5)
    finally:
        relaying.cancel()
        await asyncio.gather(relaying, return_exceptions=True)
        await broker.stop()
    rows = await sample.query("select count(*), min(heard_processing) from cases")
    if tuple(rows[0]) != (len(cases), count // len(cases)) or taken != count:
        raise AssertionError(f"{taken} of {count} records taken; cases and least sequence: {tuple(rows[0])}")
    return {"n": count, "cases": len(cases), "seconds": round(time.perf_counter() - began, 1), "resident_mb": marks}


async def main(count: int, cases: int) -> None:
    """One run on servers of its own."""
    with tempfile.TemporaryDirectory(prefix="motcua-memory-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        servers = Servers(folder).start()
        try:
            sample = await Sample.make(servers, Keys.make(folder / "keys"))
            async with contextlib.AsyncExitStack() as stack:
                stack.push_async_callback(sample.close)
                ids = [uuid4() for _ in range(cases)]
                await fill(sample, ids, count)
                print(json.dumps(await measure(sample, ids, count)))
        finally:
            servers.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1_000_000)
    parser.add_argument("--cases", type=int, default=20_000)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.n, arguments.cases))
