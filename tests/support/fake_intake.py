"""An intake that keeps cases by key, in the place of the real one, and files of lines for it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest


class StoppedError(Exception):
    """The client was stopped in the middle."""


@dataclass
class FakeIntake:
    """Keeps cases by key; refuses lines with `bad`; stops the client, or says 503, at chosen requests."""

    cases: dict[str, str] = field(default_factory=dict)
    requests: int = 0
    lines: int = 0
    stops_at: int | None = None
    unavailable_at: int | None = None
    not_yet: dict[int, int | None] = field(default_factory=dict)
    """Of a request, what status its last line has instead; None ends the answer with a line that has no number."""

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What intake says to an upload, or of a case's status."""
        if request.method == "GET":
            return httpx.Response(200 if request.url.path.split("/")[-2] in self.cases.values() else 404, json={})
        assert request.headers["authorization"].startswith("Bearer ")
        self.requests += 1
        if self.requests == self.stops_at:
            raise StoppedError
        dry = request.url.params.get("dry_run") == "1"
        lines = [self._answer(number, line, dry) for number, line in enumerate(request.content.split(b"\n"), 1)]
        self.lines += len(lines)
        if self.requests == self.unavailable_at:
            lines[-1] = {"line": len(lines), "status": 503, "problem": {}}
        if (status := self.not_yet.get(self.requests, 0)) != 0:
            lines[-1] = {"line": status and len(lines), "status": status or 400, "problem": {}}
        content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        return httpx.Response(200, content=content, headers={"content-type": "application/x-ndjson"})

    def _answer(self, number: int, line: bytes, dry: bool) -> dict[str, Any]:
        body = json.loads(line)
        if "bad" in body:
            errors = [{"pointer": "/bad", "rule": "is not a field known here", "code": "extra_forbidden"}]
            return {
                "line": number,
                "status": 422,
                "problem": {"title": "The content is not valid", "status": 422, "errors": errors},
            }
        if dry:
            return {"line": number, "status": 200}
        known = body["idempotency_key"] in self.cases
        case_id = self.cases.setdefault(body["idempotency_key"], f"case-{len(self.cases)}")
        return {"line": number, "status": 200 if known else 201, "case_id": case_id}


def put_in_place(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeIntake], None]:
    """What puts a fake in the place of intake, for everything that files from now on."""
    real = httpx.AsyncClient

    def put(fake: FakeIntake) -> None:
        monkeypatch.setattr("deploy.filing.driver.httpx.AsyncClient", lambda: real(transport=httpx.MockTransport(fake.answer)))

    return put


def write(folder: Path, bodies: list[dict[str, Any]], name: str = "cases.ndjson") -> Path:
    """A file with a line for each body, packed when its name says so."""
    path = folder / name
    content = b"".join(json.dumps(body).encode() + b"\n" for body in bodies)
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def bodies_of(count: int, bad: tuple[int, ...] = ()) -> list[dict[str, Any]]:
    """So many lines; those with these numbers are not valid."""
    return [{"idempotency_key": f"k{n}"} | ({"bad": 1} if n in bad else {}) for n in range(1, count + 1)]
