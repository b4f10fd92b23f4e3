"""A webhook as intake's, for what plays the vendor: it proves signatures with the product's own code and remembers events."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from shared.clock import real_time
from shared.hotline.authentication import Authentication, StandardWebhooks
from shared.hotline.signing import SignatureError, verify

LARGEST = 256 * 1024
STANDARD = StandardWebhooks(scheme="standard_webhooks")


@dataclass(slots=True)
class Webhook:
    """What came in; `verified` bodies were signed rightly. `lenient` names the faults that this one does not see."""

    secrets: list[str]
    authentication: Authentication
    lenient: frozenset[str]
    away: int
    """How many requests are answered by 503 first."""
    requests: list[tuple[dict[str, str], bytes, bool]] = field(default_factory=list)
    verified: list[bytes] = field(default_factory=list)
    stored: set[str] = field(default_factory=set)
    url: str = ""

    def answer(self, headers: dict[str, str], body: bytes, *, dry_run: bool) -> tuple[int, dict[str, Any]]:
        """The status and the document."""
        self.requests.append((headers, body, dry_run))
        if self.away:
            self.away -= 1
            return 503, {"title": "Away", "status": 503}
        if len(body) > LARGEST and "large" not in self.lenient:
            return 413, {"title": "Too large", "status": 413}
        try:
            verify(self.authentication, self.secrets, headers, body, real_time())
        except SignatureError as error:
            if error.reason not in self.lenient:
                return (400 if error.malformed else 401), {"title": "Bad signature", "reason": error.reason}
        self.verified.append(body)
        try:
            document = json.loads(body)
        except ValueError:
            return 422, {"title": "No JSON", "errors": [{"pointer": "", "rule": "is no JSON"}]}
        own = document.get("id") if isinstance(document, dict) else None
        event_id = own or hashlib.sha256(body).hexdigest()
        outcome = "duplicate" if event_id in self.stored and "repetition" not in self.lenient else "accepted"
        if not dry_run:
            self.stored.add(event_id)
        return 200, {"results": [{"event_id": event_id, "outcome": outcome}]}


@contextmanager
def webhook(
    secrets: list[str], authentication: Authentication = STANDARD, *, lenient: frozenset[str] = frozenset(), away: int = 0
) -> Iterator[Webhook]:
    """One that listens on a port of this machine."""
    door = Webhook(secrets, authentication, lenient, away)
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(door)) as server:
        door.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield door
        finally:
            server.shutdown()
            thread.join()


def _handler(door: Webhook) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, document = door.answer(dict(self.headers.items()), body, dry_run="dry_run=1" in self.path)
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing: the test looks at what came in."""

    return Handler
