"""Intake dies at a failpoint again and again, while clients file and repeat whatever was not answered."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from shared.contracts.topics import CASE_EVENTS
from shared.messaging.topics_admin import apply_topics
from shared.observability.failpoints import EXIT_STATUS
from shared.security.tokens import Role
from tests.support.chaos.history import ends, read_published
from tests.support.installation import Installation
from tests.support.servers import Servers
from tests.support.waiting import eventually

PLACES = ("before_commit", "after_commit", "after_publish")
CLIENTS, BULK_LINES = 8, 300
PASSES = 4
"""The process dies at one of so many first passes."""
AGAIN_SECONDS = 0.05
DEATH_SECONDS = 60.0


@dataclass(slots=True)
class Filers:
    """Clients that file new cases until it is `over`, and then only what is not answered yet. `promised` is every 2xx by key."""

    installed: Installation
    agency: str
    promised: dict[str, set[str]] = field(default_factory=dict)
    broken: int = 0
    over: bool = False
    odd: list[str] = field(default_factory=list)

    async def file_singly(self, http: httpx.AsyncClient, name: str) -> None:
        """One case after the other, each until it is answered."""
        url, headers = self.installed.url("intake", "/v1/cases"), self.installed.headers(Role.COUNTER, self.agency)
        number = 0
        while not self.over:
            key, number = f"{name}-{number}", number + 1
            self.promised[key] = set()
            while not self.promised[key]:
                try:
                    answer = await http.post(url, headers={**headers, "Idempotency-Key": key}, json=self._body(key))
                except httpx.TransportError:
                    await self._wait()
                else:
                    await self._heard(key, answer.status_code, answer.json())

    async def file_in_bulk(self, http: httpx.AsyncClient, name: str) -> None:
        """Upload after upload; what counts is each line that arrives, also of an answer that breaks off."""
        number = 0
        while not self.over:
            keys = [f"{name}-{number}-{line}" for line in range(BULK_LINES)]
            self.promised |= {key: set() for key in keys}
            number += 1
            while left := [key for key in keys if not self.promised[key]]:
                try:
                    await self._upload(http, left)
                except httpx.TransportError:
                    await self._wait()

    async def _upload(self, http: httpx.AsyncClient, keys: list[str]) -> None:
        headers = self.installed.headers(Role.COUNTER, self.agency)
        content = "\n".join(json.dumps({"idempotency_key": key, **self._body(key)}) for key in keys).encode()
        url = self.installed.url("intake", "/v1/cases/bulk")
        async with http.stream("POST", url, headers=headers, content=content) as answer:
            async for line in answer.aiter_lines():
                told = json.loads(line)
                if told["line"] is not None:
                    await self._heard(keys[told["line"] - 1], told["status"], told)

    def _body(self, key: str) -> dict[str, Any]:
        applicant = {"name": f"Trần {key}", "email": f"{key}@example.vn"}  # each another person, or they may be duplicates
        return {"agency": self.agency, "kind": "dossier", "procedure": "1.001806", "channel": "counter", "applicant": applicant}

    async def _heard(self, key: str, status: int, content: dict[str, Any]) -> None:
        if status in (200, 201):
            self.promised[key].add(content["case_id"])
        elif status == httpx.codes.SERVICE_UNAVAILABLE:
            await self._wait()
        else:
            self.odd.append(f"{key}: {status}")
            self.promised[key].add("refused")

    async def _wait(self) -> None:
        self.broken += 1
        await asyncio.sleep(AGAIN_SECONDS)


@dataclass(frozen=True, slots=True)
class Remains:
    """What is wrong after all kills; nothing, if promises were kept."""

    cases: int
    wrong: list[str]


async def kill_while_filing(installed: Installation, place: str, *, bulk: bool, kills: int, seed: int) -> Remains:
    """Kill intake so often at this place while clients file, start it whole, and compare what is there with what was said."""
    agency = f"so-{'bulk' if bulk else 'single'}-{place.replace('_', '-')}"
    filers, rng, begin = Filers(installed, agency), random.Random(seed), await ends(installed, CASE_EVENTS)
    async with httpx.AsyncClient(timeout=20) as http:
        work: list[Coroutine[Any, Any, None]] = (
            [filers.file_in_bulk(http, f"b{number}") for number in range(2)]
            if bulk
            else [filers.file_singly(http, f"s{number}") for number in range(CLIENTS)]
        )
        filing = [asyncio.create_task(each) for each in work]
        try:
            for _ in range(kills):
                await _die(installed, f"{place}=exit:{rng.randint(1, PASSES)}")
            installed.start("intake")
            await installed.ready("intake")
            filers.over = True
            async with asyncio.timeout(DEATH_SECONDS):
                await asyncio.gather(*filing)
        finally:
            for task in filing:
                task.cancel()
            await asyncio.gather(*filing, return_exceptions=True)
    wrong = filers.odd + ([] if filers.broken >= kills else [f"only {filers.broken} requests met {kills} deaths"])
    return await _compare(installed, filers, begin, wrong)


async def _die(installed: Installation, failpoint: str) -> None:
    """Start intake with a failpoint and wait until it has died there."""
    installed.start("intake", MOTCUA_FAILPOINTS=failpoint)
    process = installed.processes["intake"]

    async def dead() -> bool:
        return process.poll() is not None

    await eventually(f"intake dies at {failpoint}", dead, within=DEATH_SECONDS)
    assert process.returncode == EXIT_STATUS, installed.log_of("intake").read_text()[-2000:]


async def _compare(installed: Installation, filers: Filers, begin: Any, wrong: list[str]) -> Remains:
    async def sent() -> bool:
        return bool((await installed.query("intake", "select not exists (select 1 from outbox)"))[0][0])

    await eventually("the outbox is empty", sent, within=60)
    agency, query = filers.agency, installed.query
    keys = await query("intake", "select key, case_id::text from idempotency where scope = $1", f"agency:{agency}")
    stored = {row[0]: row[1] for row in keys}
    rows = await query("intake", "select case_id::text from submissions join cases using (case_id) where agency = $1", agency)
    cases = [row[0] for row in rows]
    for key, case_ids in filers.promised.items():
        if case_ids != {stored.get(key)}:
            wrong.append(f"{key}: promised {sorted(case_ids)}, stored {stored.get(key)}")
    note = _noting(wrong)
    note("keys without a promise", set(stored) - set(filers.promised))
    note("cases without a key", set(cases) ^ set(stored.values()))
    note("cases stored twice", [case for case, count in Counter(cases).items() if count > 1])
    published = await read_published(installed, begin, agency)
    note("published, not stored", set(published.cases) - set(cases))
    streams = {case: published.once(case, "intake") for case in cases}
    note("not published exactly once", [case for case, facts in streams.items() if [f.sequence for f in facts] != [1]])
    return Remains(len(cases), wrong)


def _noting(wrong: list[str]) -> Callable[[str, Any], None]:
    return lambda what, found: wrong.append(f"{what}: {sorted(found)[:5]}") if found else None


async def assert_nothing_is_lost_or_doubled(installed: Installation, place: str, *, bulk: bool, kills: int) -> None:
    """The whole proof. Who dies with records published and not yet forgotten may publish them again: the same facts."""
    remains = await kill_while_filing(installed, place, bulk=bulk, kills=kills, seed=kills)
    assert remains.wrong == []
    assert remains.cases > kills


@contextlib.asynccontextmanager
async def open_city(servers: Servers, folder: Path) -> AsyncIterator[Installation]:
    """An installation of which only intake runs, and only while it is killed; nobody's lag holds back the bulk lane."""
    made = Installation(folder, servers.kafka.address, servers.postgres.address, {"MOTCUA_BULK_LAG_LIMIT": "1000000000"})
    try:
        await apply_topics(made.kafka)
        made.start("intake")
        await made.ready()
        made.terminate("intake")
        yield made
    finally:
        await made.close()
