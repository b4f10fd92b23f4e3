"""The intake service under a closed loop of 64 keep-alive connections; this process is the client."""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import os
import random
import re
import statistics
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from deploy.bench.cpu import Meter, backends
from shared.contracts.words import Channel, Kind
from shared.security.tokens import Role
from tests.benchmarks.load import AGENCIES, make_documents, procedure_codes
from tests.benchmarks.services import pids, serving
from tests.benchmarks.stage import Figures, Stage, ensure, main
from tests.support.installation import Installation
from tests.support.waiting import eventually

CONNECTIONS = 64
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def make_submission(rng: random.Random, index: int, codes: list[str]) -> dict[str, Any]:
    """A filing with its applicant, about 600 bytes as JSON."""
    applicant = {
        "name": "Nguyễn Thị Minh Khai", "email": f"citizen-{index}@example.invalid",
        "phone": f"+849{rng.randrange(10**8):08d}", "language": "vi",
    }  # fmt: skip
    return {
        "agency": rng.choice(AGENCIES), "kind": Kind.DOSSIER.value, "procedure": rng.choice(codes),
        "channel": Channel.ONLINE.value, "applicant": applicant, "documents": make_documents(rng, 7),
        "return_channel": Channel.ONLINE.value, "filed_at": datetime.now(UTC).isoformat(),
    }  # fmt: skip


def make_request(content: dict[str, Any], key: str, token: str) -> bytes:
    """One POST."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    head = (
        "POST /v1/cases HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {token}\r\nidempotency-key: {key}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Client(asyncio.Protocol):
    """One keep-alive connection: a request, its answer, the next; no pipelining."""

    def __init__(self, requests: list[bytes], statuses: list[int], times: list[float]) -> None:
        self.requests, self.statuses, self.times, self.buffer = requests, statuses, times, b""
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_exception(ConnectionError("the service closed a connection"))

    def ask(self) -> None:
        """Send the next request, or finish."""
        if self.requests:
            self.began = time.perf_counter()
            self.transport.write(self.requests.pop())
        else:
            self.finished.set_result(None)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, blank, body = self.buffer.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if blank and length and len(body) >= int(length[1]):
            self.times.append(time.perf_counter() - self.began)
            self.statuses.append(int(head[9:12]))
            self.buffer = b""
            self.ask()


async def drive(port: int, connections: int, requests: list[bytes]) -> tuple[list[int], list[float]]:
    """Send every request, the last first; the statuses, and the latencies in seconds."""
    statuses: list[int] = []
    times: list[float] = []
    make = functools.partial(Client, requests, statuses, times)
    loop = asyncio.get_running_loop()
    clients = [(await loop.create_connection(make, "127.0.0.1", port))[1] for _ in range(connections)]
    for client in clients:
        client.ask()
    await asyncio.gather(*(client.finished for client in clients))
    for client in clients:
        client.transport.close()
    return statuses, times


async def check(stage: Stage, made: Installation, count: int) -> None:
    """Every 201 left one row in each table of the same case, and the relay has sent everything."""
    joined = "idempotency join cases using (case_id) join submissions using (case_id) join applicants using (case_id)"

    async def sent() -> bool:
        return bool((await made.query("intake", "select not exists (select 1 from outbox)"))[0][0])

    await eventually("the outbox is empty", sent, within=120)
    expected = dict.fromkeys(("idempotency", "cases", "submissions", "applicants", joined), count)
    await stage.counts("intake", {**expected, "cases where stated = 1": count})


async def measure(arguments: argparse.Namespace, stage: Stage) -> Figures:
    """Durable POSTs; then, untimed, a key again with the same, with other and with bad content."""
    rng, codes, count = random.Random(arguments.seed), procedure_codes(), arguments.n
    async with serving(stage, "intake") as made:
        port, token = made.ports["intake"], made.keys.token(Role.OFFICER)
        contents = [make_submission(rng, index, codes) for index in range(count)]
        requests = [make_request(content, f"key-{index}", token) for index, content in enumerate(contents)]
        size = round(statistics.mean(len(request.partition(b"\r\n\r\n")[2]) for request in requests))
        again, key = contents[-1], f"key-{count - 1}"
        repeated = [{**again, "kind": "dossiex"}, {**again, "documents": []}, again]
        await drive(port, 1, [make_request({**again, "agency": "warm"}, "warm", token)])
        meter = Meter()
        groups = {"python": pids(made), "load": [os.getpid()]}
        meter.start(**groups, postgres=await backends(stage.postgres, f"{stage.run}_"))
        began = time.perf_counter()
        statuses, times = await drive(port, CONNECTIONS, requests)
        seconds = time.perf_counter() - began
        meter.stop(postgres=await backends(stage.postgres, f"{stage.run}_"))
        ensure("answers", Counter(statuses), Counter({201: count}))
        answers, _ = await drive(port, 1, [make_request(content, key, token) for content in repeated])
        ensure("answers to a key used again", answers, [200, 409, 422])
        await check(stage, made, count + 1)
    cuts = statistics.quantiles(times, n=100)
    more = {"p50_ms": round(cuts[49] * 1e3, 2), "p99_ms": round(cuts[98] * 1e3, 2), "mean_body_bytes": size}
    return Figures("requests/s", count, seconds, meter.per_item(count), more)


if __name__ == "__main__":
    main("intake", 20_000, measure)
