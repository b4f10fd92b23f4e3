"""What citizens and officers do meanwhile: a seeded open-loop load, and what they were promised by a 2xx or an acknowledgement.

Arrivals have their times beforehand, whether the last answer came or not. Nobody gives up: what was not answered is sent again
with the same key, as clients are told to. As long as something is still being broken, a thinner stream of cases goes on.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.contracts.commands import Accept, Command, CompleteStep, Refuse, Resolve, Return
from shared.contracts.envelope import Envelope
from shared.contracts.topics import CASE_COMMANDS
from shared.contracts.words import Channel, Origin, Outcome
from shared.security.tokens import Role
from tests.support.installation import Installation

BULK_LINES = 15
ANSWER_SECONDS = 6.0
AGAIN_SECONDS = 0.4
LONGEST_SECONDS = 120.0
THINNER = 0.25
LIVES: Sequence[tuple[Command, ...]] = (
    (Accept(unit="one-stop"), CompleteStep(step="checked"), Resolve(outcome=Outcome.GRANTED), Return(channel=Channel.COUNTER)),
    (Accept(unit="one-stop"), Resolve(outcome=Outcome.REFUSED, reason="not_eligible")),
    (Accept(), CompleteStep(step="checked")),
    (Refuse(reason="missing_documents"),),
    (),
)
FACTS = {
    "accept": "case.accepted",
    "complete_step": "case.step_completed",
    "resolve": "case.resolved",
    "return": "case.returned",
    "refuse": "case.refused",
}


@dataclass(slots=True)
class Planned:
    """One case as its applicant and its officer mean it."""

    key: str
    commands: tuple[Command, ...]
    over_kafka: bool
    repeats: bool
    case_id: str | None = None
    settled: bool = False


@dataclass(slots=True)
class Load:
    """Sends `rate` cases a second for so many seconds, and remembers what was promised. `wrong` is what no fault may cause."""

    city: Installation
    agency: str
    seed: int
    rate: float
    seconds: float
    cases: list[Planned] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    _producer: AIOKafkaProducer | None = None
    _http: httpx.AsyncClient = field(init=False)
    _rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._rng = random.Random(f"load {self.seed}")
        self._http = httpx.AsyncClient(timeout=ANSWER_SECONDS, limits=httpx.Limits(max_connections=100))

    async def run(self, producer: AIOKafkaProducer, broken: Callable[[], bool] = lambda: False) -> None:
        """Everything at its time; returns when all is promised, not before nothing is `broken` any more."""
        self._producer = producer
        rng = random.Random(f"arrivals {self.seed}")
        began, due = time.monotonic(), 0.0
        async with self._http, asyncio.TaskGroup() as tasks:
            while due < self.seconds or (broken() and due < LONGEST_SECONDS):
                group = [self._plan() for _ in range(BULK_LINES if rng.random() < 0.04 else 1)]
                due += len(group) / (self.rate * (1.0 if due < self.seconds else THINNER))
                await asyncio.sleep(max(began + due - time.monotonic(), 0))
                tasks.create_task(self._arrive(group))

    def _plan(self) -> Planned:
        life = self._rng.choices(LIVES, (5, 2, 2, 1, 1))[0]
        key = f"{self.agency}-{len(self.cases)}"
        self.cases.append(Planned(key, life, self._rng.random() < 0.6, self._rng.random() < 0.1))
        return self.cases[-1]

    async def _arrive(self, group: list[Planned]) -> None:
        await (self._file_bulk(group) if len(group) > 1 else self._file(group[0]))
        await asyncio.gather(*(self._live(planned) for planned in group))

    def _filing(self, planned: Planned) -> dict[str, Any]:
        return {"agency": self.agency, "kind": "dossier", "procedure": "1.001806", "channel": "counter"}

    def _promise(self, planned: Planned, case_id: str) -> None:
        if planned.case_id not in (None, case_id):
            self.wrong.append(f"{planned.key}: promised as {planned.case_id} and as {case_id}")
        planned.case_id = case_id

    async def _file(self, planned: Planned) -> None:
        headers = self.city.headers(Role.COUNTER, self.agency, **{"Idempotency-Key": planned.key})
        url = self.city.url("intake", "/v1/cases")
        answer = await self._until(url, headers, (200, 201), json=self._filing(planned))
        if answer.is_error:
            return
        self._promise(planned, answer.json()["case_id"])
        if planned.repeats:
            again = await self._until(url, headers, (200,), json=self._filing(planned))
            self._promise(planned, again.json()["case_id"])

    async def _file_bulk(self, group: list[Planned]) -> None:
        """Lines without an answer, and those answered 503, are sent again."""
        url, headers = self.city.url("intake", "/v1/cases/bulk"), self.city.headers(Role.COUNTER, self.agency)
        left = group
        while left:
            content = "\n".join(json.dumps({"idempotency_key": each.key, **self._filing(each)}) for each in left).encode()
            try:
                answer = await self._http.post(url, headers=headers, content=content)
                lines = [json.loads(line) for line in answer.text.splitlines()] if answer.status_code == 200 else []
            except (httpx.TransportError, ValueError) as error:
                self.answers[type(error).__name__] += 1
                lines = []
            for planned, line in zip(left, (each for each in lines if each["line"]), strict=False):
                self._judge(url, line["status"], (200, 201, 503), line)
                if "case_id" in line:
                    self._promise(planned, line["case_id"])
            left = [each for each in left if each.case_id is None]
            if left:
                await asyncio.sleep(AGAIN_SECONDS)

    async def _live(self, planned: Planned) -> None:
        if planned.case_id is None:
            return
        for number, command in enumerate(planned.commands, 1):
            if planned.over_kafka:
                for _ in range(2 if planned.repeats else 1):
                    await self._send(planned, f"{planned.key}:{number}", command)
            else:
                await self._command(planned, f"{planned.key}:{number}", command)
        planned.settled = True

    async def _send(self, planned: Planned, command_id: str, command: Command) -> None:
        assert self._producer is not None
        assert planned.case_id is not None
        now = datetime.now(UTC)
        envelope = Envelope(command_id, command.type, "/desk", planned.case_id, self.agency, now, now, Origin.LIVE)
        topic, value = f"{self.city.run}-{CASE_COMMANDS.name}", command.model_dump_json(exclude_none=True).encode()
        while True:
            try:
                await self._producer.send_and_wait(topic, value, key=planned.case_id.encode(), headers=envelope.to_headers())
            except KafkaError as error:
                self.answers[type(error).__name__] += 1
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return

    async def _command(self, planned: Planned, key: str, command: Command) -> None:
        headers = self.city.headers(Role.OFFICER, self.agency, **{"Idempotency-Key": key})
        url = self.city.url("processing", f"/v1/cases/{planned.case_id}/commands")
        body = {"type": command.type, **command.model_dump(mode="json", exclude_none=True)}
        await self._until(url, headers, (200,), also=(404,), json=body)

    def _judge(self, url: str, status: int, allowed: Sequence[int], said: Any) -> None:
        self.answers[str(status)] += 1
        if status not in allowed:
            self.wrong.append(f"{url.rpartition('/')[2]}: {status} {str(said)[:200]}")

    async def _until(
        self, url: str, headers: dict[str, str], done: Sequence[int], *, also: Sequence[int] = (), **content: Any
    ) -> httpx.Response:
        """The first answer that is done; 503, silence and a broken connection are tried again, and so is `also`."""
        while True:
            try:
                answer = await self._http.post(url, headers=headers, **content)
            except httpx.TransportError as error:
                self.answers[type(error).__name__] += 1
            else:
                self._judge(url, answer.status_code, (*done, *also, 503), answer.text)
                if answer.status_code in done or answer.status_code not in (*also, 503, 500):
                    return answer
            await asyncio.sleep(AGAIN_SECONDS)
