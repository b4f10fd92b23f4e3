"""Looks a file of cases through before anything is filed: every line as intake would, and keys used twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.filing.lines import Part, read_parts
from deploy.filing.send import Answer, Intake, Report
from deploy.imports.errors import Fault, Faults
from deploy.imports.opening import open_log


@dataclass(slots=True)
class Checked:
    """What would happen: how many lines would be taken, and the faults of the others."""

    good: int = 0
    bad: int = 0
    faults: Faults = field(default_factory=Faults)


async def check(intake: Intake, file: Path, total: int, report: Report) -> Checked:
    """Ask intake about every line; nothing is stored. Raises as `send` does."""
    checked, keys = Checked(), dict[str, tuple[int, bytes]]()
    with open_log(file) as stream:
        for part in read_parts(stream):
            answers = await intake.file(list(part.lines), dry_run=True)
            for answer, twice in zip(answers, _used_twice(part, keys), strict=True):
                faults = [*_faults(answer), *([twice] if twice else [])]
                checked.bad += bool(faults)
                checked.good += not faults
                for fault in faults:
                    checked.faults.add(fault)
            report("checked", part.line, total)
    return checked


def _faults(answer: Answer) -> Iterator[Fault]:
    problem: dict[str, Any] = answer.get("problem", {})
    for error in problem.get("errors", ()):
        yield Fault(answer["line"], error["pointer"].lstrip("/"), error["rule"])
    if problem and not problem.get("errors"):
        yield Fault(answer["line"], "", f"{problem['title']}: {problem.get('detail', problem['status'])}")


def _used_twice(part: Part, keys: dict[str, tuple[int, bytes]]) -> Iterator[Fault | None]:
    """For each line, the fault that its key stands on an earlier line with other content; the same line again is no fault."""
    for line in part.lines:
        key, fault = _key_of(line.content), None
        if key is not None and line.content is not None:
            digest = hashlib.sha256(line.content).digest()
            first, known = keys.setdefault(key, (line.number, digest))
            if known != digest:
                fault = Fault(line.number, "idempotency_key", f"was used on line {first} with other content")
        yield fault


def _key_of(content: bytes | None) -> str | None:
    try:
        body = json.loads(content or b"")
    except (ValueError, RecursionError):
        return None
    key = body.get("idempotency_key") if isinstance(body, dict) else None
    return key if isinstance(key, str) else None
