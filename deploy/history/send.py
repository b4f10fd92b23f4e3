"""Sends a past in the order of time, so that whoever watches sees the year go by, and waits until metrics has seen it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

import httpx

from deploy.errors import CommandError
from deploy.history.plan import Past, PastCase, PastCommand
from deploy.history.services import SERIES, Services
from deploy.local.environment import kafka_settings, running_environment, service_url
from deploy.local.keys import sign_token
from deploy.local.settings import load_settings
from deploy.local.state import StateFolder
from shared.messaging.kafka import make_producer
from shared.security.tokens import Role

CHUNK = 500
STALLED_SECONDS = 90.0
TOKEN_SECONDS = 3600

Report = Callable[[str, int, int], None]
"""Told what is being done, how much is done, and of how much."""


@contextlib.asynccontextmanager
async def connect() -> AsyncIterator[Services]:
    """The services of the running stack."""
    environment, settings = running_environment(), load_settings()
    token = sign_token(StateFolder(settings.state_dir), role=Role.IMPORTER, agency=None, unit=None, seconds=TOKEN_SECONDS)
    kafka = kafka_settings()
    producer = make_producer(kafka, "history")
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:
        await producer.start()
        try:
            yield Services(
                http, producer, service_url("intake", environment), service_url("processing", environment),
                service_url("metrics", environment), kafka.topic_prefix,
            )  # fmt: skip
        finally:
            await producer.stop()


async def send(services: Services, past: Past, report: Report, clock: Callable[[datetime], Any] | None = None) -> None:
    """File all cases and send all commands. `clock` is awaited with each moment up to which everything was sent."""
    moves = sorted(
        ((move.occurred_at, place, move.number, case, move) for place, case in enumerate(past.cases) for move in case.commands),
        key=lambda each: each[:3],
    )
    ids: dict[str, str] = {}
    done, total = 0, len(past.cases) + len(moves)
    for begin in range(0, len(past.cases), CHUNK):
        chunk = past.cases[begin : begin + CHUNK]
        ids |= zip((case.external_id for case in chunk), await services.file(chunk), strict=True)
        until = chunk[-1].filed_at
        last = begin + CHUNK >= len(past.cases)
        ready = [each for each in moves if last or each[:2] < (until, begin + CHUNK)]  # others filed at that moment come later
        moves = moves[len(ready) :]
        await _command(services, past, ids, [(case, move) for *_, case, move in ready])
        if clock is not None and not last:
            await clock(until)
        done += len(chunk) + len(ready)
        report("sending", done, total)


async def _command(services: Services, past: Past, ids: dict[str, str], moves: list[tuple[PastCase, PastCommand]]) -> None:
    for begin in range(0, len(moves), CHUNK * 4):
        part = moves[begin : begin + CHUNK * 4]
        await services.command(past.agency, past.origin, [(ids[case.external_id], case, move) for case, move in part])


async def settle(services: Services, past: Past, report: Report) -> dict[str, Any]:
    """Wait until metrics has seen every fact of this past, and give the agency's figures.

    Raises:
        CommandError: Nothing moved for `STALLED_SECONDS`.
    """
    expected = expected_of(past)
    moved_at, before = time.monotonic(), -1
    while True:
        figures = await services.figures(past.agency)
        known = known_of(figures)
        seen = sum(min(count, known[what]) for what, count in expected.items())
        report("seen by metrics", seen, sum(expected.values()))
        if seen == sum(expected.values()) and await _is_exposed(services, past.agency, figures):
            return figures
        if seen != before:
            moved_at, before = time.monotonic(), seen
        if time.monotonic() - moved_at > STALLED_SECONDS:
            raise CommandError(
                f"metrics has seen {seen} of {sum(expected.values())} facts of {past.agency}, nothing moves: see `motcua status`"
            )
        await asyncio.sleep(0.3)


async def _is_exposed(services: Services, agency: str, figures: dict[str, Any]) -> bool:
    """Whether the series say what the figures say: who looks at a gauge next must find it."""
    exposed, known = await services.exposed(agency), known_of(figures)
    return all(exposed.get(name, 0) == known[name] for name in SERIES.values())


def known_of(figures: dict[str, Any]) -> dict[str, int]:
    """What the metrics service has seen, of all kinds together."""
    kinds: dict[str, dict[str, int]] = figures["by_kind"]
    known = {what: sum(stock[what] for stock in kinds.values()) for what in ("received", "resolved", "returned", "open")}
    return known | {"steps": figures["steps"], "milestones": sum(each["milestones"] for each in figures["tasks"])}


def expected_of(past: Past) -> dict[str, int]:
    """How many facts of each kind this past leads to."""
    kinds = Counter(move.body.type for case in past.cases for move in case.commands)
    return {
        "received": kinds["accept"], "resolved": kinds["resolve"], "returned": kinds["return"], "steps": kinds["complete_step"],
        "milestones": kinds["reach_milestone"],
    }  # fmt: skip
