"""The benchmarks: how large, what is aimed at, and where product and floor do not do the same."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One comparison. `least` and `goal` are ratios to the floor; `differs` says what the product does more, or otherwise.

    Where the floors have none of this name, `beside` names the one that comes closest. `least_rate`, where it is given, is aimed
    at in the place of a ratio, in items per second.
    """

    name: str
    n: int
    clock: str
    least: float
    goal: float
    differs: tuple[str, ...]
    seconds: float = 300.0
    """Longest time of one run."""
    beside: str = ""
    least_rate: float | None = None

    @property
    def floor(self) -> str:
        """The floor that is run beside it."""
        return self.beside or self.name


CONSUMER = Benchmark(
    "consumer",
    40_000,
    "first poll after assignment to last offset commit; two topics, one after the other, added",
    0.55,
    0.8,
    (
        "two topics and two groups: case.submitted on case-events, then accept, forward and resolve on case-commands",
        "a submission states nothing: 3 facts in the outbox and 4 rows of history for 4 records; the floor has 4 and 4",
        "more: an inbox row per command, parking, rebalance listener, working calendar and catalogue, lanes, NOTIFY, metrics",
        "bodies are as the contract has them: a command of 2 to 30 bytes, where the floor decodes 400",
    ),
)
RELAY = Benchmark(
    "relay",
    40_000,
    "first read to last delete",
    0.7,
    1.0,
    ("more: leader lock, two lanes, topic prefix, heartbeat, the watch over its lock while it flushes",),
)
INTAKE = Benchmark(
    "intake",
    20_000,
    "first request to last answer",
    0.5,
    0.8,
    (
        "the service as it runs: bearer token, catalogue and time rules, metrics, health",
        "the contact is encrypted and published too: 2 outbox rows a case; the floor has 1 and keeps it in clear",
        "the relay sends both meanwhile, and the service reads them back; the floor leaves its row in the outbox",
    ),
)
BULK = Benchmark(
    "bulk",
    40_000,
    "first byte of one upload to its last answer",
    0.5,
    1.0,
    (
        "no floor is made for bulk uploads: the floor is the one of single POSTs, each a request of its own over 64 connections",
        "as intake: token, catalogue and time rules, idempotency, sealed personal data, search tokens; an answer a line",
        "one upload over one connection; only intake runs, so the bulk lane waits in the outbox once the limit of lag is reached",
    ),
    beside="intake",
    least_rate=5000.0,
)
LIFECYCLE = Benchmark(
    "lifecycle",
    10_000,
    "first byte of the upload to the commit with which metrics has every event",
    0.5,
    1.0,
    (
        "four service processes as they run, with HTTP, jobs, health and business series",
        "8 events as on the floor, but 4 commands (acceptance is asked for, too) and an encrypted contact on case-private",
        "cases arrive by POST /v1/cases/bulk, in the bulk lane; the floor makes them inside its process",
        "messages go through the ledger to a file with fsync before they are stated as sent",
    ),
    600.0,
)

BENCHMARKS = {each.name: each for each in (CONSUMER, RELAY, INTAKE, BULK, LIFECYCLE)}
