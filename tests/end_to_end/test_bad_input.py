"""Whatever is sent, a service answers 4xx with a problem that names the field and the rule; never 5xx, never a traceback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.security.tokens import Role
from tests.support.installation import SERVICES, Installation, installed
from tests.support.servers import Servers

GOOD = {"agency": "so-test", "kind": "dossier", "procedure": "1.001806", "channel": "counter"}
SLOW = 1.5


@pytest.fixture(scope="module")
async def city(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    async with installed(servers, tmp_path_factory.mktemp("bad"), extra={"MOTCUA_SENDER_SECONDS": str(SLOW)}) as running:
        yield running


def is_problem(status: int, body: bytes, content_type: str) -> bool:
    """A 4xx with problem+json of our own types."""
    problem = json.loads(body)
    return (
        400 <= status < 500 and content_type == "application/problem+json" and problem["type"].startswith("urn:motcua:problem:")
    )


def posts(city: Installation) -> list[tuple[str, str, Role]]:
    """Every route that takes a body."""
    case = uuid4()
    return [
        (city.url("intake", "/v1/cases"), "POST", Role.COUNTER),
        (city.url("processing", f"/v1/cases/{case}/commands"), "POST", Role.OFFICER),
        (city.url("processing", "/v1/agencies/so-test/clock"), "PUT", Role.IMPORTER),
    ]


BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"\xff\xfe{}",
    b"[" * 50_000,
    b'{"a":' * 20_000,
    b'{"agency": NaN}',
    b'{"agency": 1e999}',
    b'{"agency": "so-test\\u0000"}',
    json.dumps({**GOOD, "unknown": 1}).encode(),
    json.dumps({**GOOD, "kind": "ticket"}).encode(),
    json.dumps({**GOOD, "procedure": "9.999999"}).encode(),
    json.dumps({**GOOD, "channel": "hotline"}).encode(),
    json.dumps({**GOOD, "filed_at": "yesterday"}).encode(),
    json.dumps({**GOOD, "filed_at": "2999-01-01T00:00:00Z"}).encode(),
    json.dumps({**GOOD, "documents": ["x"] * 10_000}).encode(),
    json.dumps({"type": "fly"}).encode(),
    json.dumps({"type": "resolve", "outcome": "granted", "colour": "red"}).encode(),
    json.dumps({"type": "resolve"}).encode(),
    json.dumps({"mode": "historical"}).encode(),
    json.dumps({"mode": "sideways", "at": 5}).encode(),
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_a_malformed_body_is_a_4xx_problem_everywhere(city: Installation, body: bytes) -> None:
    for url, method, role in posts(city):
        headers = {**city.headers(role), "Idempotency-Key": str(uuid4()), "Content-Type": "application/json"}
        answer = await city.http.request(method, url, content=body, headers=headers)
        assert is_problem(answer.status_code, answer.content, answer.headers["content-type"]), (url, answer.text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from([*GOOD, "type", "outcome", "applicant", "documents", "filed_at", "origin", "mode", "at", "occurred_at"])


@given(changes=st.dictionaries(FIELDS, JSON, min_size=1, max_size=3))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_change_of_a_good_body_is_answered_below_500(city: Installation, changes: dict[str, Any]) -> None:
    for url, method, role in posts(city):
        headers = {**city.headers(role), "Idempotency-Key": str(uuid4())}
        answer = httpx.request(method, url, content=json.dumps(GOOD | changes), headers=headers)
        assert answer.status_code < 500, (url, changes, answer.text)


@pytest.mark.parametrize(
    "headers",
    [
        {"Idempotency-Key": ""},
        {"Idempotency-Key": "x" * 300},
        {"Idempotency-Key": "with space"},
        {"Idempotency-Key": "k", "Authorization": "Bearer"},
        {"Idempotency-Key": "k", "Authorization": "Basic Zm9vOmJhcg=="},
        {"Idempotency-Key": "k", "Authorization": "Bearer a.b.c"},
        {"Idempotency-Key": "k", "Authorization": "Bearer " + "x" * 5000},
        {"Idempotency-Key": "k", "Authorization": "Bearer \xff"},
    ],
)
async def test_malformed_headers_are_4xx_problems(city: Installation, headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in ({**city.headers(Role.COUNTER)} | headers).items()]
    answer = await city.http.post(city.url("intake", "/v1/cases"), json=GOOD, headers=raw)
    assert is_problem(answer.status_code, answer.content, answer.headers["content-type"]), answer.text


@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("intake", "/v1/cases/not-a-uuid/status"),
        ("intake", "/v1/cases/by-code/%00/status"),
        ("intake", "/v1/procedures?limit=minus"),
        ("processing", "/v1/cases?cursor=nonsense"),
        ("processing", "/v1/cases?limit=100000"),
        ("processing", "/v1/cases?status=eleven"),
        ("processing", "/v1/cases/not-a-uuid/history"),
        ("notification", "/v1/messages?case_id=7"),
        ("notification", "/v1/messages"),
        ("metrics", "/v1/figures"),
        ("metrics", "/v1/figures?agency=so-test&as_of=soon"),
        ("metrics", "/v1/turnaround?agency=so-test&window=ever"),
    ],
)
async def test_malformed_paths_and_questions_are_4xx_problems(city: Installation, service: str, path: str) -> None:
    answer = await city.http.get(city.url(service, path), headers=city.headers())
    assert is_problem(answer.status_code, answer.content, answer.headers["content-type"]), answer.text


@pytest.mark.parametrize("service", SERVICES)
async def test_an_unknown_path_and_a_wrong_method_are_problems(city: Installation, service: str) -> None:
    for method, path in (("GET", "/nothing"), ("DELETE", "/metrics"), ("PATCH", "/v1/cases")):
        answer = await city.http.request(method, city.url(service, path), headers=city.headers())
        assert is_problem(answer.status_code, answer.content, answer.headers["content-type"]), (path, answer.text)


async def test_a_body_over_1_mb_is_413_with_and_without_a_length(city: Installation) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield b" " * 10_000

    for content in (b" " * 1_100_000, chunks()):
        headers = {**city.headers(Role.COUNTER), "Idempotency-Key": "large"}
        answer = await city.http.post(city.url("intake", "/v1/cases"), content=content, headers=headers)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_sender_that_dawdles_is_cut(city: Installation) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", city.ports["intake"])
    token = city.headers(Role.COUNTER)["Authorization"]
    head = f"POST /v1/cases HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nIdempotency-Key: slow\r\nContent-Length: 500\r\n\r\n"
    writer.write(head.encode() + b'{"agency"')
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(), SLOW * 10)
    assert answer.startswith(b"HTTP/1.1 408")
    writer.close()


async def test_no_service_has_logged_a_traceback(city: Installation) -> None:
    for service in SERVICES:
        lines = city.log_of(service).read_text().splitlines()
        assert not [line for line in lines if "Traceback" in line or not line.startswith("{")]
        assert not [line for line in lines if json.loads(line)["level"] == "error" and "aiokafka" not in line]
