"""Sends a file's lines to intake's bulk route in parts, two at a time, and writes down each part's answers in order.

A part is sent again until all its lines have an answer that counts: intake may be away, or say 503 to some of them. What was
answered and not written down is sent again by the next run, and is known then by its keys.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import httpx

from deploy.filing.journal import Journal, Places
from deploy.filing.lines import LONGEST_LINE, Line, Part, read_parts
from deploy.history.services import until_answered
from deploy.imports.opening import open_log

AT_ONCE: Final = 2
SECONDS: Final = 60.0

Report = Callable[[str, int, int], None]
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Intake:
    """Where the bulk route is, and what makes a token for a request."""

    url: str
    token: Callable[[], str]
    http: httpx.AsyncClient

    async def file(self, lines: list[Line], *, dry_run: bool = False) -> list[Answer]:
        """An answer for each line, in order, with the line's number in the file. Raises as `until_answered` does."""
        sent = [line for line in lines if line.content is not None]
        told = iter(await self._post([line.content for line in sent if line.content is not None], dry_run) if sent else [])
        return [_too_long(line) if line.content is None else {**next(told), "line": line.number} for line in lines]

    async def knows(self, case_id: str) -> bool:
        """Whether there is such a case. Raises as `until_answered` does."""
        url, absent = f"{self.url}/v1/cases/{case_id}/status", httpx.codes.NOT_FOUND
        answer = await until_answered(self.http, "GET", url, also={absent}, timeout=SECONDS)
        return bool(answer.status_code != absent)

    async def _post(self, contents: list[bytes], dry_run: bool) -> list[Answer]:
        headers = {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/x-ndjson"}
        url, params = f"{self.url}/v1/cases/bulk", {"dry_run": "1"} if dry_run else {}
        body = b"\n".join(contents)
        answer = await until_answered(self.http, "POST", url, content=body, headers=headers, params=params, timeout=SECONDS)
        return [json.loads(line) for line in answer.content.splitlines()]


def _too_long(line: Line) -> Answer:
    problem = {"type": "urn:motcua:problem:too-large", "title": "The line is too long", "status": 413}
    return {"line": line.number, "status": 413, "problem": {**problem, "detail": f"at most {LONGEST_LINE} bytes"}}


async def is_same_intake(intake: Intake, journal: Journal) -> bool:
    """Whether intake knows the first case that the journal says it opened: after a wipe, or elsewhere, it does not.

    Asked by the case and not by its key, since keys are forgotten in time and the line would be filed a second time.
    """
    return journal.witness is None or await intake.knows(journal.witness)


async def send(intake: Intake, file: Path, places: Places, journal: Journal, total: int, report: Report) -> None:
    """File everything after the journal's place, and keep the journal.

    Raises:
        CommandError: Intake refuses the request as a whole, or stays away.
        OSError: The file cannot be read, or the journal not be written.
    """
    waiting: deque[tuple[Part, asyncio.Task[list[Answer]]]] = deque()
    with open_log(file) as stream, places.refused.open("ab") as refused:
        refused.truncate(journal.refused_bytes)
        try:
            for part in read_parts(stream, journal.line, journal.offset):
                waiting.append((part, asyncio.create_task(intake.file(list(part.lines)))))
                if len(waiting) == AT_ONCE:
                    await _settle(*waiting.popleft(), journal, places, refused)
                    report("filed", journal.line, total)
            while waiting:
                await _settle(*waiting.popleft(), journal, places, refused)
                report("filed", journal.line, total)
        finally:
            for _, task in waiting:
                task.cancel()
            await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)


async def _settle(part: Part, asked: asyncio.Task[list[Answer]], journal: Journal, places: Places, refused: IO[bytes]) -> None:
    """Write down a part's answers: the refused lines first, then how far we are."""
    answers = await asked
    bad = [answer for answer in answers if "case_id" not in answer]
    if bad:
        told = b"".join(json.dumps(answer, ensure_ascii=False).encode() + b"\n" for answer in bad)
        refused.write(told)
        refused.flush()
        os.fsync(refused.fileno())
        journal.refused_bytes += len(told)
    journal.opened += sum(answer["status"] == httpx.codes.CREATED for answer in answers)
    journal.known += sum(answer["status"] == httpx.codes.OK for answer in answers)
    journal.refused += len(bad)
    if journal.witness is None:
        journal.witness = next((answer["case_id"] for answer in answers if "case_id" in answer), None)
    journal.line, journal.offset = part.line, part.offset
    journal.save(places.journal)
