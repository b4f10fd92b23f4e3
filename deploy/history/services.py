"""The running services, as a replay or an import needs them: every call waits out what passes by itself."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from prometheus_client.parser import text_string_to_metric_families

from deploy.errors import CommandError
from deploy.history.plan import PastCase, PastCommand
from shared.contracts.envelope import Envelope
from shared.contracts.topics import CASE_COMMANDS
from shared.contracts.words import Origin

PATIENCE_SECONDS = 120.0
WAIT_SECONDS = 0.5
PASSING = frozenset({408, 429, 500, 502, 503, 504})
"""What a service says that may be otherwise in a moment; 500 is an error of its own, which need not come again."""
SERIES = {
    "motcua_cases_received_total": "received",
    "motcua_cases_resolved_total": "resolved",
    "motcua_case_backlog": "open",
}
"""The series of a figure; its sum over an agency's labels is the figure."""


@dataclass(slots=True)
class Services:
    """Addresses of the services and a token that may import."""

    http: httpx.AsyncClient
    producer: AIOKafkaProducer
    intake: str
    processing: str
    metrics: str
    topic_prefix: str

    async def file(self, cases: Sequence[PastCase]) -> list[str]:
        """File these cases in bulk and give their case ids, in order.

        Raises:
            CommandError: A line was refused, or intake stays away.
        """
        lines = [json.dumps({"idempotency_key": case.external_id, **case.filing}, default=str) for case in cases]
        answer = await self._until_answered("POST", f"{self.intake}/v1/cases/bulk", content="\n".join(lines).encode())
        answers = [json.loads(line) for line in answer.text.splitlines() if line]
        for case, each in zip(cases, answers, strict=True):
            if "case_id" not in each:
                raise CommandError(_refusal(case, each))
        return [each["case_id"] for each in answers]

    async def command(self, agency: str, origin: Origin, moves: Sequence[tuple[str, PastCase, PastCommand]]) -> None:
        """Send (case id, case, command) to `case-commands` in order, and wait for every acknowledgement."""
        sent = []
        now = datetime.now(moves[0][2].occurred_at.tzinfo) if moves else None
        for case_id, case, move in moves:
            envelope = Envelope(
                f"{case.external_id}:{move.number}", move.body.type, f"/{origin}/{agency}", case_id, agency,
                move.occurred_at, now or move.occurred_at, origin,
            )  # fmt: skip
            sent.append(
                await self.producer.send(
                    f"{self.topic_prefix}{CASE_COMMANDS.name}",
                    move.body.model_dump_json(exclude_none=True).encode(),
                    key=case_id.encode(),
                    headers=envelope.to_headers(),
                )
            )
        try:
            for future in sent:
                await future
        except KafkaError as error:
            raise CommandError(f"Kafka did not take the commands ({type(error).__name__}); run the same again") from None

    async def clock(self, agency: str) -> dict[str, Any]:
        """Where the agency's business clock stands."""
        answer = await self._until_answered("GET", f"{self.processing}/v1/agencies/{agency}/clock")
        content: dict[str, Any] = answer.json()
        return content

    async def set_clock(self, agency: str, at: datetime) -> None:
        """Let the agency's business clock stand at a moment of the past."""
        body = {"mode": "historical", "at": at.isoformat()}
        await self._until_answered("PUT", f"{self.processing}/v1/agencies/{agency}/clock", json=body)

    async def figures(self, agency: str) -> dict[str, Any]:
        """The agency's figures, as the metrics service knows them."""
        answer = await self._until_answered("GET", f"{self.metrics}/v1/figures", params={"agency": agency})
        content: dict[str, Any] = answer.json()
        return content

    async def exposed(self, agency: str) -> dict[str, int]:
        """The agency's figures as the Prometheus series of the metrics service say them."""
        answer = await self._until_answered("GET", f"{self.metrics}/metrics")
        sums: Counter[str] = Counter()
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                if sample.name in SERIES and sample.labels.get("agency") == agency:
                    sums[SERIES[sample.name]] += int(sample.value)
        return dict(sums)

    async def _until_answered(self, method: str, url: str, **content: Any) -> httpx.Response:
        return await until_answered(self.http, method, url, **content)


async def until_answered(
    http: httpx.AsyncClient, method: str, url: str, *, also: Container[int] = (), **content: Any
) -> httpx.Response:
    """The answer, below 400 or one of `also`. A service that is away or says what passes, also of one line, is waited for.

    Raises:
        CommandError: It says no, or stays away for `PATIENCE_SECONDS`.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            answer = await http.request(method, url, **content)
        except httpx.TransportError as error:
            reason = type(error).__name__
        else:
            if answer.status_code in also or (answer.status_code < 400 and _whole(answer)):
                return answer
            if answer.status_code >= 400 and answer.status_code not in PASSING:
                raise CommandError(f"{method} {url}: {answer.status_code} {_title(answer)}")
            reason = str(answer.status_code) if answer.status_code >= 400 else "lines without a final answer"
        if time.monotonic() > deadline:
            raise CommandError(f"{method} {url}: no answer for {PATIENCE_SECONDS:.0f} s ({reason}); see `motcua status`")
        await asyncio.sleep(WAIT_SECONDS)


def _whole(answer: httpx.Response) -> bool:
    """Whether an NDJSON answer has a line for each line sent, in order, and each is the last word on it."""
    if "ndjson" not in answer.headers.get("content-type", ""):
        return True
    try:
        lines = [json.loads(line) for line in answer.content.splitlines() if line]
    except ValueError:  # cut off within a line
        return False
    numbers = list(range(1, answer.request.content.count(b"\n") + 2))
    return [line["line"] for line in lines] == numbers and not any(line["status"] in PASSING for line in lines)


def _refusal(case: PastCase, answer: dict[str, Any]) -> str:
    problem = answer.get("problem", {})
    if answer.get("status") == 409:
        return (
            f"{case.external_id} was filed before with other content: the agency holds another simulated year or log; "
            "choose another --agency or --seed"
        )
    return f"intake refused {case.external_id}: {answer.get('status')} {problem.get('title')} {problem.get('errors', '')}"


def _title(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        return ""
    return f"{problem.get('title', '')}: {problem.get('detail', '')}" if isinstance(problem, dict) else ""
