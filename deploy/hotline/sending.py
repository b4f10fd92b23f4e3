"""Plays the vendor: signs a payload as the mapping says and posts it, once more while intake says that it cannot answer now."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from deploy.errors import CommandError
from shared.clock import Clock, real_time
from shared.hotline.authentication import Authentication
from shared.hotline.signing import sign

SECONDS: Final = 30.0
TRIES, RETRY_SECONDS = 5, 1.0
JSON, CLOUD_EVENT = "application/json", "application/cloudevents+json"

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Vendor:
    """Where a source's webhook is, and how it signs; without a secret nothing is signed."""

    url: str
    authentication: Authentication
    secret: str | None
    dry_run: bool = False
    clock: Clock = real_time
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=SECONDS))

    def send(self, payloads: Iterable[bytes]) -> list[Answer]:
        """What was answered to each: its number, the status, and `results`, or the `problem`.

        Raises:
            CommandError: Nobody answers, or intake stays unable to.
        """
        return [{"number": number, **self._send(payload)} for number, payload in enumerate(payloads, 1)]

    def _send(self, payload: bytes) -> Answer:
        message_id = f"msg_{uuid.uuid4().hex}"  # the same when it is tried again
        answer = self._post(payload, message_id)
        for _ in range(TRIES - 1):
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(RETRY_SECONDS)
            answer = self._post(payload, message_id)
        else:
            raise CommandError(f"{self.url} says again and again that it cannot answer now: run `motcua status`")
        return {"status": answer.status_code, **_content(answer)}

    def _post(self, payload: bytes, message_id: str) -> httpx.Response:
        headers = {"Content-Type": _content_type(payload)}
        if self.secret is not None:
            headers |= sign(self.authentication, self.secret, payload, message_id, self.clock())
        params = {"dry_run": "1"} if self.dry_run else None
        try:
            return self.http.post(self.url, content=payload, headers=headers, params=params)
        except httpx.HTTPError as error:
            raise CommandError(f"{self.url} does not answer ({type(error).__name__})") from None


def outcomes(answers: Iterable[Answer]) -> dict[str, int]:
    """How many events had each outcome; a request that was refused as a whole counts by its status."""
    counted: Counter[str] = Counter()
    for answer in answers:
        results = answer.get("results")
        counted.update([f"status {answer['status']}"] if results is None else [each["outcome"] for each in results])
    return dict(counted)


def all_taken(answers: Iterable[Answer]) -> bool:
    """Whether every event was taken, was known already, or means nothing to us."""
    return all(
        httpx.codes.is_success(answer["status"]) and all(each["outcome"] != "refused" for each in answer.get("results", ()))
        for answer in answers
    )


def _content(answer: httpx.Response) -> Answer:
    try:
        content = answer.json()
    except ValueError:
        content = None
    if answer.is_success and isinstance(content, dict) and isinstance(content.get("results"), list):
        return {"results": content["results"]}
    return {"problem": content if isinstance(content, dict) else {"title": f"status {answer.status_code}"}}


def _content_type(payload: bytes) -> str:
    """A document with `specversion` is a CloudEvent in its structured form."""
    document = json.loads(payload)
    return CLOUD_EVENT if isinstance(document, dict) and "specversion" in document else JSON
