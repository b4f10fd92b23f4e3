# ruff: noqa: INP001 - a script that is copied out of here, no module
"""Checks a call centre's webhook against an installation, for the vendor's own CI. Needs Python 3.10 and nothing else.

    HOTLINE_SECRET=whsec_... python3 check_hotline.py --url https://city.example/v1/hotline/SOURCE sample.json ...

Prints a line for each check and ends with 0 when all hold, 1 when one fails, 2 when it was called wrongly.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

LARGEST = 256 * 1024
STALE_SECONDS = 3600
SECONDS = 30
TRIES = 5
LONGEST_PAUSE = 60
OPTIONS = (
    ("header", "", "hmac, bearer: the header with the signature or the secret"),
    ("prefix", None, "hmac, bearer: what stands before it there, such as sha256="),
    ("content", "{body}", "hmac: what is signed, as in the mapping, such as v0:{timestamp}:{body}"),
    ("timestamp-header", "", "hmac: the header with the signed time"),
    ("id-header", "", "hmac: the header with the signed id"),
)
"""Names, defaults and meanings of the mapping's options of authentication."""
HASHES = ("sha1", "sha256", "sha384", "sha512")


@dataclass(frozen=True)
class Signer:
    """How the source signs: its scheme, and what its mapping says of headers. `age` is in seconds; below 0 is the future."""

    scheme: str
    secret: str
    header: str = ""
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str | None = None
    content: str = "{body}"
    timestamp_header: str = ""
    timestamp_format: str = "unix_s"
    id_header: str = ""

    @property
    def signs_time(self) -> bool:
        """Whether an old call can be told from a new one."""
        return self.scheme == "standard_webhooks" or bool(self.timestamp_header)

    def headers(self, body: bytes, age: int = 0) -> dict[str, str]:
        """The headers that prove who sent these bytes."""
        if self.scheme == "bearer":
            return {self.header or "Authorization": ("Bearer " if self.prefix is None else self.prefix) + self.secret}
        if self.scheme == "basic":
            return {"Authorization": "Basic " + base64.b64encode(self.secret.encode()).decode()}
        message_id, at = "msg_" + uuid.uuid4().hex, int(time.time()) - age
        return self._hmac(body, message_id, at) if self.scheme == "hmac" else self._standard(body, message_id, str(at))

    def _standard(self, body: bytes, message_id: str, at: str) -> dict[str, str]:
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        digest = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
        signature = "v1," + base64.b64encode(digest).decode()
        return {"webhook-id": message_id, "webhook-timestamp": at, "webhook-signature": signature}

    def _hmac(self, body: bytes, message_id: str, seconds: int) -> dict[str, str]:
        at = str(seconds * 1000 if self.timestamp_format == "unix_ms" else seconds)
        names = {"timestamp": at, "id": message_id, "body_sha256": hashlib.sha256(body).hexdigest()}
        before, place, after = self.content.partition("{body}")
        signed = before.format(**names).encode() + (body if place else b"") + after.format(**names).encode()
        digest = hmac.new(self.secret.encode(), signed, self.algorithm).digest()
        text = digest.hex() if self.encoding == "hex" else base64.b64encode(digest).decode()
        extra = {self.timestamp_header: at, self.id_header: message_id}
        return {
            self.header or "X-Signature": (self.prefix or "") + text,
            **{name: value for name, value in extra.items() if name},
        }

    def with_wrong_secret(self) -> Signer:
        """Another one who does not know the secret."""
        wrong = base64.b64encode(os.urandom(32)).decode()
        return replace(self, secret={"standard_webhooks": "whsec_" + wrong, "basic": "nobody:" + wrong}.get(self.scheme, wrong))


@dataclass(frozen=True)
class Answer:
    """What the installation said."""

    status: int
    content: Any
    retry_after: int = 0

    @property
    def results(self) -> list[dict[str, Any]]:
        """What became of each event."""
        found = self.content.get("results") if isinstance(self.content, dict) else None
        return found if isinstance(found, list) else []

    def __str__(self) -> str:
        return f"{self.status} {json.dumps(self.content, ensure_ascii=False)[:400]}"


@dataclass(frozen=True)
class Installation:
    """The webhook under test."""

    url: str
    signer: Signer

    def post(self, body: bytes, headers: dict[str, str], dry_run: bool) -> Answer:
        """Post these bytes; tried again while the installation says that it cannot answer now."""
        url = self.url + ("?dry_run=1" if dry_run else "")
        headers = {"Content-Type": kind(body), **headers}
        request = urllib.request.Request(url, data=body, method="POST", headers=headers)  # noqa: S310 - the caller's own address
        for attempt in range(TRIES):
            answer = ask(request)
            if answer.status not in (429, 503):
                break
            time.sleep(min(answer.retry_after or 2**attempt, LONGEST_PAUSE))
        return answer

    def signed(self, body: bytes, dry_run: bool = False) -> Answer:
        """Post these bytes as the vendor does."""
        return self.post(body, self.signer.headers(body), dry_run)


def ask(request: urllib.request.Request) -> Answer:
    """The answer of a server; whatever its status."""
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:  # noqa: S310 - the caller's own address
            return Answer(response.status, parsed(response.read()))
    except urllib.error.HTTPError as error:
        after = error.headers.get("Retry-After", "")
        return Answer(error.code, parsed(error.read()), int(after) if after.isdecimal() else 0)


def parsed(content: bytes) -> Any:
    """A JSON document, or the text as it is."""
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")


def kind(body: bytes) -> str:
    """A document with `specversion` is a CloudEvent in its structured form."""
    document = parsed(body)
    return "application/cloudevents+json" if isinstance(document, dict) and "specversion" in document else "application/json"


def expect(answer: Answer, *statuses: int) -> str | None:
    """The status is one of these."""
    return None if answer.status in statuses else f"expected {' or '.join(map(str, statuses))}, got {answer}"


def dry_run_understands(installation: Installation, body: bytes) -> str | None:
    """A dry run answers what would happen, and refuses nothing."""
    answer = installation.signed(body, dry_run=True)
    refused = [each for each in answer.results if each.get("outcome") == "refused"]
    return expect(answer, 200) or (f"refused: {refused}" if refused or not answer.results else None)


def wrong_secret_is_refused(installation: Installation, body: bytes) -> str | None:
    """A sender who does not know the secret is refused."""
    return expect(installation.post(body, installation.signer.with_wrong_secret().headers(body), dry_run=True), 401)


def no_signature_is_refused(installation: Installation, body: bytes) -> str | None:
    """A sender who does not sign is refused."""
    return expect(installation.post(body, {}, dry_run=True), 401)


def changed_body_is_refused(installation: Installation, body: bytes) -> str | None:
    """One byte changed on the way."""
    return expect(installation.post(body + b" ", installation.signer.headers(body), dry_run=True), 401)


def old_signature_is_refused(installation: Installation, body: bytes) -> str | None:
    """A right signature of an hour ago: somebody kept it and sends it again."""
    return expect(installation.post(body, installation.signer.headers(body, age=STALE_SECONDS), dry_run=True), 401)


def signature_of_the_future_is_refused(installation: Installation, body: bytes) -> str | None:
    """A right signature of a clock that is an hour ahead."""
    return expect(installation.post(body, installation.signer.headers(body, age=-STALE_SECONDS), dry_run=True), 401)


def broken_json_is_refused(installation: Installation, body: bytes) -> str | None:
    """Half a document, signed rightly: a reason, and no failure of the server."""
    return expect(installation.signed(body[: len(body) // 2], dry_run=True), 400, 422)


def large_body_is_refused(installation: Installation, body: bytes) -> str | None:
    """More than 256 KiB."""
    return expect(installation.signed(body + b" " * LARGEST, dry_run=True), 413)


def a_repetition_is_known(installation: Installation, body: bytes) -> str | None:
    """The same event twice: taken once, answered with the same ids. This one is stored."""
    first = installation.signed(body)
    again = installation.signed(body)
    names = [[(each.get("event_id"), each.get("case_id")) for each in answer.results] for answer in (first, again)]
    wrong = expect(first, 200) or expect(again, 200)
    if wrong is None and names[0] != names[1]:
        wrong = f"a repetition got other ids: {names}"
    if wrong is None and any(each["outcome"] not in ("duplicate", "ignored") for each in again.results):
        wrong = f"a repetition was taken again: {again}"
    return wrong


Check = Callable[[Installation, bytes], "str | None"]
"""Gives what is wrong, None when it holds."""


def checks_of(signer: Signer, store: bool) -> list[Check]:
    """The checks that fit the scheme: bearer and basic sign neither the body nor the time."""
    chosen: list[Check] = [dry_run_understands, no_signature_is_refused, wrong_secret_is_refused]
    if signer.scheme in ("standard_webhooks", "hmac"):
        chosen.append(changed_body_is_refused)
    if signer.signs_time:
        chosen += [old_signature_is_refused, signature_of_the_future_is_refused]
    chosen += [broken_json_is_refused, large_body_is_refused]
    return [*chosen, a_repetition_is_known] if store else chosen


def run(installation: Installation, samples: list[Path], store: bool) -> int:
    """Run every check on every sample; how many failed."""
    failed = 0
    for sample in samples:
        body = sample.read_bytes()
        for check in checks_of(installation.signer, store):
            wrong = check(installation, body)
            failed += wrong is not None
            name = check.__name__.replace("_", " ")
            print(f"{'ok  ' if wrong is None else 'FAIL'} {sample.name}: {name}" + (f": {wrong}" if wrong else ""), flush=True)
    return failed


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Checks a call centre's webhook against an installation.")
    parser.add_argument("--url", required=True, help="the webhook, https://.../v1/hotline/SOURCE")
    parser.add_argument("--scheme", default="standard_webhooks", choices=["standard_webhooks", "hmac", "bearer", "basic"])
    parser.add_argument("--secret-file", type=Path, help="else the variable HOTLINE_SECRET; user:password for basic")
    for name, default, words in OPTIONS:
        parser.add_argument(f"--{name}", default=default, help=words)
    parser.add_argument("--algorithm", default="sha256", choices=HASHES, help="hmac: the hash")
    parser.add_argument("--encoding", default="hex", choices=["hex", "base64"], help="hmac: how the signature is written")
    parser.add_argument("--timestamp-format", default="unix_s", choices=["unix_s", "unix_ms"], help="hmac: how time is written")
    parser.add_argument("--no-store", action="store_true", help="only what a dry run can tell; nothing is stored")
    parser.add_argument("samples", nargs="+", type=Path, help="payloads, one JSON document a file")
    return parser.parse_args()


def main() -> int:
    """Run the checks; the exit status."""
    given = arguments()
    secret = given.secret_file.read_text().split() if given.secret_file else os.environ.get("HOTLINE_SECRET", "").split()
    if not secret:
        print("no secret: name --secret-file, or set HOTLINE_SECRET", file=sys.stderr)
        return 2
    options = {each.name: getattr(given, each.name) for each in fields(Signer) if each.name != "secret"}
    signer = Signer(secret=secret[0], **options)
    failed = run(Installation(given.url.rstrip("/"), signer), given.samples, not given.no_store)
    print(f"{failed} checks failed" if failed else "every check holds")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
