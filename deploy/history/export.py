"""The cases of an agency out again as an event log, from the histories that processing keeps, page by page."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.errors import CommandError
from deploy.imports.xes_writer import LoggedCase, LoggedEvent, xes_file
from shared.calendar import ZONE
from shared.contracts.events import StepCompleted
from shared.contracts.words import Origin

PAGE: Final = 500
AT_ONCE: Final = 8
TRIES: Final = 20
WAIT_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases: of an agency, filed in these local days (both included; None is without end)."""

    agency: str
    first: date | None = None
    last: date | None = None

    def holds(self, case: dict[str, Any]) -> bool:
        """Whether a case was filed then."""
        day = datetime.fromisoformat(case["submitted_at"]).astimezone(ZONE).date()
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)


@dataclass(slots=True)
class Exported:
    """What was written."""

    cases: int = 0
    events: int = 0
    activities: Counter[str] = field(default_factory=Counter)
    variants: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def add(self, case: LoggedCase) -> None:
        """Count one case."""
        way = tuple(event.activity for event in case.events)
        self.cases += 1
        self.events += len(way)
        self.activities.update(way)
        self.variants[way] += 1


@dataclass(frozen=True, slots=True)
class Histories:
    """Reads cases and histories at a processing service, with a client that brings an auditor's token."""

    http: httpx.AsyncClient
    url: str

    async def pages(self, agency: str) -> AsyncIterator[list[dict[str, Any]]]:
        """The agency's cases in the order of their filing."""
        cursor: str | None = None
        while True:
            page = await self._get("/v1/cases", agency=agency, limit=PAGE, cursor=cursor)
            yield page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    async def of_case(self, case_id: str) -> list[dict[str, Any]]:
        """Every fact about a case, in order."""
        facts: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = await self._get(f"/v1/cases/{case_id}/history", limit=PAGE, cursor=cursor)
            facts += page["items"]
            cursor = page["next"]
            if cursor is None:
                return facts

    async def _get(self, path: str, **parameters: Any) -> dict[str, Any]:
        given = {name: value for name, value in parameters.items() if value is not None}
        reason = ""
        for _ in range(TRIES):
            with contextlib.suppress(httpx.TransportError):
                answer = await self.http.get(f"{self.url}{path}", params=given)
                if answer.is_success:
                    content: dict[str, Any] = answer.json()
                    return content
                reason = str(answer.status_code)
                if answer.status_code not in (502, 503):
                    break
            await asyncio.sleep(WAIT_SECONDS)
        raise CommandError(f"processing does not give {path} ({reason or 'no answer'}): see `motcua status`")


async def export(histories: Histories, wanted: Wanted, path: Path, report: Callable[[str, int, int], None]) -> Exported:
    """Write the log. Memory holds one page of cases. Raises CommandError and OSError."""
    exported, gate = Exported(), asyncio.Semaphore(AT_ONCE)

    async def logged(case: dict[str, Any]) -> LoggedCase:
        async with gate:
            return logged_case(case, await histories.of_case(case["case_id"]))

    with xes_file(path) as out:
        async for page in histories.pages(wanted.agency):
            for case in await asyncio.gather(*(logged(case) for case in page if wanted.holds(case))):
                if case.events:
                    out.write(case)
                    exported.add(case)
            report("exported", exported.cases, exported.cases)
    return exported


def logged_case(case: dict[str, Any], facts: Sequence[dict[str, Any]]) -> LoggedCase:
    """A case as a trace: an imported one gives its activities back; of any other, every fact is an event."""
    imported = case["origin"] == Origin.IMPORT
    events = [_event(fact) for fact in facts if not imported or fact["type"] == StepCompleted.type]
    names = ("code", "procedure", "channel", "kind", "origin", "status", "submitted_at", "due_at", "resolved_at")
    told = {f"motcua:{name}": str(case[name]) for name in names if case.get(name) is not None}
    return LoggedCase({"concept:name": case["case_id"], **told}, events)


def _event(fact: dict[str, Any]) -> LoggedEvent:
    body = fact["data"]
    name = body["step"] if fact["type"] == StepCompleted.type else fact["type"]
    return LoggedEvent(name, datetime.fromisoformat(fact["occurred_at"]), body.get("unit"))
