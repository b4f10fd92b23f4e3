"""The webhook against senders that mean harm: refused with a reason, never 5xx, in bounded memory, and others are served."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.clock import real_time
from shared.hotline.authentication import Authentication, Basic, Bearer, Hmac
from shared.hotline.signing import sign
from shared.security.tokens import Role
from tests.support.hotline_malformed import BODIES, PROOFS, UNREADABLE, Headers
from tests.support.installation import Installation, installed
from tests.support.raw_http import Raw, ask, request
from tests.support.servers import Servers
from tests.support.switchboard import AUTHENTICATION, MANY, Folders, event, make_secret, mapping, written

MOST_GROWTH = 64_000_000
"""Bytes by which the process may grow under many large bodies at once."""
SIGNED_AT = Hmac(
    scheme="hmac", header="X-Signature", prefix="sha256=", content="{timestamp}.{id}.{body}", timestamp_header="X-Timestamp",
    id_header="X-Id",
)  # fmt: skip


class Scheme(NamedTuple):
    """How a source proves who it is, and the header in which it does."""

    authentication: Authentication
    words: str
    header: str

    @property
    def source(self) -> str:
        """The source that does so."""
        return "by-" + self.authentication.scheme.replace("_", "-")


SCHEMES: dict[str, Scheme] = {
    each.authentication.scheme: each
    for each in (
        Scheme(AUTHENTICATION, "{scheme: standard_webhooks}", "webhook-signature"),
        Scheme(SIGNED_AT, json.dumps(SIGNED_AT.model_dump()), "X-Signature"),
        Scheme(Bearer(scheme="bearer"), "{scheme: bearer}", "Authorization"),
        Scheme(Basic(scheme="basic"), "{scheme: basic}", "Authorization"),
    )
}
TIMED = {"standard_webhooks": ("webhook-timestamp", "webhook-id"), "hmac": ("X-Timestamp", "X-Id")}


class Town(NamedTuple):
    """A running intake, and the call centres that it knows."""

    city: Installation
    folders: Folders

    def headers(self, scheme: Scheme, body: bytes, ago: float = 0.0, message_id: str = "") -> dict[str, str]:
        """The headers of a body that was signed so many seconds ago."""
        at, secret = real_time() - timedelta(seconds=ago), self.folders.live[scheme.source]
        return sign(scheme.authentication, secret, body, message_id or uuid4().hex, at)

    def post(self, scheme: Scheme, body: bytes, headers: Headers) -> Raw:
        """Send a body with these headers and no others."""
        given = [(b"Host", b"x"), *headers, (b"Content-Length", b"%d" % len(body))]
        return ask(self.city.ports["intake"], request("POST", f"/v1/hotline/{scheme.source}", given, body))

    def rightly(self, scheme: Scheme, body: bytes) -> Raw:
        """Send a body with its right proof."""
        return self.post(scheme, body, raw(self.headers(scheme, body)))

    async def kept(self) -> list[int]:
        """How much is in the tables of the doors."""
        tables = ("hotline_events", "hotline_refusals", "cases", "tickets", "calls")
        counts = ", ".join(f"(select count(*) from {table})" for table in tables)
        return [*(await self.city.query("intake", f"select {counts}"))[0]]


def raw(headers: dict[str, str]) -> Headers:
    """Headers as they are written."""
    return [(name.encode(), value.encode()) for name, value in headers.items()]


@pytest.fixture(scope="module")
async def town(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("hostile")
    folders = Folders(folder / "hotline")
    for scheme in SCHEMES.values():
        folders.add(scheme.source, mapping(scheme.source).replace("{scheme: standard_webhooks}", scheme.words))
        if scheme.authentication.scheme == "basic":
            folders.live[scheme.source] = f"vendor:{make_secret()}"
            (folder / "hotline" / "secrets" / scheme.source).write_text(folders.live[scheme.source])
    extra = {f"MOTCUA_{name.upper()}": str(path) for name, path in folders.settings.items()}
    extra |= {f"MOTCUA_HOTLINE_UNPROVEN_{name}PER_MINUTE": str(MANY) for name in ("", "TOTAL_")}
    async with installed(servers, folder, "intake", extra=extra) as city:
        yield Town(city, folders)


def test_a_right_proof_is_let_in(town: Town) -> None:
    for scheme in SCHEMES.values():
        answer = town.rightly(scheme, written(event()))
        assert answer.status == 200, (scheme.source, answer)


def assert_not_let_in(answer: Raw) -> None:
    """401 or 400, with a reason."""
    assert answer.status in {400, 401}, answer
    problem = answer.problem
    assert problem["type"] in {"urn:motcua:problem:bad-signature", "urn:motcua:problem:not-http"}
    assert problem["title"]
    assert "reason" in problem or problem["type"].endswith("not-http")


@pytest.mark.parametrize("name", SCHEMES)
async def test_a_proof_that_proves_nothing_is_refused_with_a_reason_and_costs_nothing(town: Town, name: str) -> None:
    scheme, before = SCHEMES[name], await town.kept()
    body = written(event())
    good = town.headers(scheme, body)
    others = [(key, value) for key, value in raw(good) if key != scheme.header.encode()]
    proof = good[scheme.header].encode()
    assert len(PROOFS) >= 22
    for what, change in PROOFS.items():
        changed = change(proof)
        answer = town.post(scheme, body, others + ([] if changed is None else [(scheme.header.encode(), changed)]))
        assert answer.status in {400, 401}, f"{what}: {answer}"
        assert_not_let_in(answer)
    for other in SCHEMES.values():
        if other is not scheme:
            assert_not_let_in(town.post(scheme, body, raw(town.headers(other, body))))
    for unreadable, _, _ in UNREADABLE.values():  # nothing is parsed for who proves nothing
        assert town.post(scheme, unreadable, []).status == 401
    assert await town.kept() == before


BAD_TIMES = {
    b"": 401, b"yesterday": 400, b"-1": 400, b"1.5": 400, b"1e9": 400, b"0x10": 400, b"9" * 16: 400, b"NaN": 400,
    b"\xd9\xa3": 400, b"2026-11-26T03:00:00Z": 400, b"1": 401, b"99999999999": 401, b"1 1": 400, b"+1": 400, b"1_0": 400,
}  # fmt: skip
BAD_IDS = [b"", b"another", b"a b", b"a\tb", b"x" * 300, b"\xc3\xa9", b"\xff", b"a, b"]


@pytest.mark.parametrize("name", TIMED)
async def test_a_time_or_an_id_that_was_not_signed_is_refused(town: Town, name: str) -> None:
    scheme, before = SCHEMES[name], await town.kept()
    body = written(event())
    good = town.headers(scheme, body)
    time_header, id_header = (header.encode() for header in TIMED[name])
    without_time = [each for each in raw(good) if each[0] != time_header]
    without_id = [each for each in raw(good) if each[0] != id_header]
    for value, status in BAD_TIMES.items():
        answer = town.post(scheme, body, [*without_time, (time_header, value)])
        assert (answer.status, answer.problem["reason"].partition("_")[0]) == (status, "timestamp"), (value, answer)
    for value in BAD_IDS:
        assert_not_let_in(town.post(scheme, body, [*without_id, (id_header, value)]))
    for missing in (without_time, without_id):
        assert_not_let_in(town.post(scheme, body, missing))
    for twice in ((time_header, good[time_header.decode()].encode()), (id_header, good[id_header.decode()].encode())):
        assert_not_let_in(town.post(scheme, body, [*raw(good), twice]))
    for ago, reason in ((301, "timestamp_too_old"), (-301, "timestamp_in_future")):
        answer = town.post(scheme, body, raw(town.headers(scheme, body, ago)))
        assert (answer.status, answer.problem["reason"]) == (401, reason)
    for changed in (body + b" ", body[:-1], b"", body.replace(b"ticket", b"Ticket", 1)):
        assert town.post(scheme, changed, raw(good)).problem["reason"] == "signature_wrong"
    assert await town.kept() == before


@pytest.mark.parametrize("name", SCHEMES)
def test_a_body_that_is_not_understood_is_refused_with_its_rule_whoever_sends_it(town: Town, name: str) -> None:
    scheme = SCHEMES[name]
    assert len(BODIES) >= 22
    for what, (body, status, rule) in BODIES.items():
        answer = town.rightly(scheme, body)
        assert answer.status == status, f"{what}: {answer}"
        problem = answer.problem
        assert rule in {problem.get("reason"), *(each["rule"] for each in problem.get("errors", ()))}, f"{what}: {problem}"
        assert len(answer.body) < 20_000
    assert town.rightly(scheme, written(event())).status == 200


def test_a_body_too_large_packed_or_framed_in_two_ways_is_refused(town: Town) -> None:
    for scheme in SCHEMES.values():
        for size in (262_145, 1_100_000):
            body = b" " * size
            assert town.rightly(scheme, body).status == 413
        packed = gzip.compress(b" " * 10_000_000)
        headers = raw(town.headers(scheme, packed))
        assert town.post(scheme, packed, [*headers, (b"Content-Encoding", b"gzip")]).status == 415
        body = written(event())
        for more in ((b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"0"), (b"Content-Length", b"-1")):
            assert town.post(scheme, body, [*raw(town.headers(scheme, body)), more]).status == 400


async def test_what_an_integrator_asks_for_is_never_a_failure_of_ours(town: Town) -> None:
    headers = town.city.headers(Role.ADMIN)
    sources = ["by-basic", "nobody", "%00", "%ED%A0%80", "a" * 3000, "..%2f..", "%F0%9F%92%A9"]
    cursors = [
        "", "x", "%00", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z%20%00", "2026-01-01T00:00:00%20x", "2026-01-01%20x",
        "0001-01-01T00:00:00Z%20x", "9999-12-31T23:59:59Z%20x", "2026-01-01T00:00:00-23:59%20x",
    ]  # fmt: skip
    async with httpx.AsyncClient(headers=headers) as http:
        for source in sources:
            for cursor in cursors:
                answer = await http.get(town.city.url("intake", f"/v1/hotline/{source}/log?limit=5&cursor={cursor}"))
                assert answer.status_code in {200, 404, 414, 422}, (source, cursor, answer.text)
            answer = await http.post(town.city.url("intake", f"/v1/hotline/{source}/replay"))
            assert answer.status_code in {200, 404}, (source, answer.text)


NAMES = [
    b"webhook-id", b"webhook-timestamp", b"webhook-signature", b"X-Signature", b"X-Timestamp", b"X-Id", b"Authorization",
    b"Content-Type", b"Content-Length", b"Transfer-Encoding", b"Content-Encoding", b"Expect", b"ce-id", b"ce-specversion",
    b"X-Forwarded-For", b"Connection",
]  # fmt: skip
VALUES = [
    b"", b"0", b"-1", b"9" * 30, b"v1,", b"v1," + b"A" * 43 + b"=", b"sha256=00", b"Bearer", b"Basic Og==", b"chunked", b"gzip",
    b"application/cloudevents+json", b"application/json; charset=utf-16", b"\xff\xfe", b"\x00", b"a\tb", b"1, 2",
]  # fmt: skip
FIELD = st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES) | st.binary(max_size=60))


@given(
    scheme=st.sampled_from(list(SCHEMES.values())),
    path=st.sampled_from(["", "/log", "/replay", "?dry_run=1", "?dry_run=%00", "/../..", "%2e"]),
    method=st.sampled_from(["POST", "GET", "PUT", "OPTIONS", "HEAD"]),
    fields=st.lists(FIELD, max_size=5),
    signed=st.booleans(),
    body=st.sampled_from([each.body for each in BODIES.values()]) | st.binary(max_size=100),
)
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_head_and_no_body_makes_a_5xx(
    town: Town, scheme: Scheme, path: str, method: str, fields: Headers, signed: bool, body: bytes
) -> None:
    headers = [(b"Host", b"x"), *(raw(town.headers(scheme, body)) if signed else []), *fields]
    headers.append((b"Content-Length", b"%d" % len(body)))
    answer = ask(town.city.ports["intake"], request(method, f"/v1/hotline/{scheme.source}{path}", headers, body), patience=0.5)
    assert answer.status < 500
    assert method == "HEAD" or answer.fits


def resident(city: Installation) -> int:
    """Bytes of memory that the process has now."""
    status = Path(f"/proc/{city.processes['intake'].pid}/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


async def test_memory_is_bounded_and_others_are_served_while_large_bodies_come(town: Town) -> None:
    scheme, before, most = SCHEMES["standard_webhooks"], resident(town.city), 0
    many = written({"events": [event("noise") for _ in range(900)]})
    large = [b" " * 1_100_000, b"[" * 260_000, b'{"a":' * 50_000, b"9" * 262_000, many]
    url = town.city.url("intake", f"/v1/hotline/{scheme.source}")

    async def send(http: httpx.AsyncClient, body: bytes, *, rightly: bool) -> int:
        headers = town.headers(scheme, body) if rightly else {}
        try:
            return (await http.post(url, content=body, headers=headers)).status_code
        except httpx.TransportError:  # what is still being sent may reset the answer away
            return 0

    async with httpx.AsyncClient(timeout=60) as http:
        sending = [send(http, body, rightly=rightly) for body in large for rightly in (True, False) for _ in range(12)]
        running = asyncio.gather(*sending)
        while not running.done():
            body = written(event())
            answer = await town.city.http.post(url, content=body, headers=town.headers(scheme, body))
            assert answer.status_code == 200, answer.text
            most = max(most, resident(town.city))
            await asyncio.sleep(0.02)
        answers = await running
    print(f"grew by {(most - before) / 1e6:.0f} MB at most")
    assert set(answers) <= {0, 200, 400, 401, 413}
    assert most - before < MOST_GROWTH


async def test_nothing_of_this_is_an_error_in_the_log_and_nothing_is_parked(town: Town) -> None:
    lines: list[dict[str, Any]] = [json.loads(line) for line in town.city.log_of("intake").read_text().splitlines()]
    assert [line for line in lines if line["level"] == "error" and "aiokafka" not in line.get("logger", "")] == []
    assert await town.city.query("intake", "select from parked") == []
