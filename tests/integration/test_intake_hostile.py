"""Intake against senders that mean harm: refused with a reason, never 5xx, in bounded memory, and others are served meanwhile."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.security.tokens import Role
from tests.support.installation import Installation, installed
from tests.support.raw_http import Raw, ask, request
from tests.support.servers import Servers

SENDER_SECONDS = 1.0
GOOD: dict[str, Any] = {"agency": "so-test", "kind": "dossier", "procedure": "1.001806", "channel": "counter"}
MOST_GROWTH = 64_000_000
"""Bytes by which the process may grow under everything below at once."""


@pytest.fixture(scope="module")
async def city(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    extra = {"MOTCUA_SENDER_SECONDS": str(SENDER_SECONDS)}
    async with installed(servers, tmp_path_factory.mktemp("hostile"), "intake", extra=extra) as running:
        await filed(running)
        yield running


async def filed(city: Installation) -> httpx.Response:
    """An honest case."""
    headers = city.headers(Role.COUNTER, "so-test") | {"Idempotency-Key": str(uuid4())}
    answer = await city.http.post(city.url("intake", "/v1/cases"), json=GOOD, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer


def honest(city: Installation, **more: str) -> list[tuple[bytes, bytes]]:
    """Headers that would be let in."""
    token = city.headers(Role.COUNTER, "so-test")["Authorization"]
    return [
        (name.encode(), value.encode())
        for name, value in ({"Host": "x", "Authorization": token, "Idempotency-Key": str(uuid4())} | more).items()
    ]


def posted(city: Installation, body: bytes, *more: tuple[bytes, bytes], path: str = "/v1/cases") -> Raw:
    headers = [*honest(city), *more, (b"Content-Length", b"%d" % len(body))]
    return ask(city.ports["intake"], request("POST", path, headers, body))


def resident(city: Installation) -> int:
    """Bytes of memory that the process has now."""
    status = Path(f"/proc/{city.processes['intake'].pid}/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


NAMES = [
    b"Authorization", b"Idempotency-Key", b"Content-Type", b"Content-Length", b"Transfer-Encoding", b"Content-Encoding",
    b"Expect", b"Connection", b"Upgrade", b"Host", b"Accept-Encoding", b"X-Forwarded-For", b"Range", b"Trailer", b"Cookie",
    b"HTTP2-Settings",
]  # fmt: skip
VALUES = [
    b"", b"0", b"5", b"-1", b"+5", b"0x10", b"5, 6", b"9" * 30, b"chunked", b"gzip, chunked", b"chunked, identity", b"gzip",
    b"100-continue", b"upgrade", b"websocket", b"h2c", b"close", b"keep-alive", b"application/json; charset=utf-16",
    b"multipart/form-data; boundary=", b"Bearer", b"Bearer \xff\xfe", b"Bearer " + b"." * 2000, b"\xc3\x28", b"bytes=0-",
    b"a\tb", b"\x00", b"a\r\n b",
]  # fmt: skip
FIELD = st.tuples(
    st.sampled_from(NAMES) | st.binary(min_size=1, max_size=12),
    st.sampled_from(VALUES) | st.binary(max_size=60),
)
BODIES = [
    b"", b"{", json.dumps(GOOD).encode(), b"5\r\nabcde\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n", gzip.compress(b"{}", mtime=0),
    b"\xff" * 20,
]  # fmt: skip
PATHS = [
    "/v1/cases", "/v1/cases/bulk", f"/v1/cases/{UUID(int=7)}/status", "/v1/cases/by-code/%00/status", "/v1/procedures?limit=-1",
    "/v1/reasons", "*", "//", "/%", "/\xff", "http://x/v1/cases", "/v1/cases?" + "a=b&" * 200, "/" + "../" * 20, "/metrics",
    "/health/live",
]  # fmt: skip
METHODS = ["POST", "GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "CONNECT", "PRI", "post", "Ă"]


@given(
    start=st.tuples(st.sampled_from(METHODS), st.sampled_from(PATHS)),
    fields=st.lists(FIELD, max_size=5),
    with_token=st.booleans(),
    body=st.sampled_from(BODIES) | st.binary(max_size=100),
    exact=st.booleans(),
)
@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_header_makes_a_5xx(
    city: Installation,
    start: tuple[str, str],
    fields: list[tuple[bytes, bytes]],
    with_token: bool,
    body: bytes,
    exact: bool,
) -> None:
    headers = (honest(city) if with_token else []) + fields
    if exact:
        headers.append((b"Content-Length", b"%d" % len(body)))
    answer = ask(city.ports["intake"], request(*start, headers, body), patience=0.3)
    assert answer.status < 500
    assert start[0] == "HEAD" or answer.fits
    assert httpx.get(city.url("intake", "/health/live")).status_code == 200


LENGTH = b"%d" % len(json.dumps(GOOD))
TWO_READINGS = [
    [(b"Content-Length", LENGTH), (b"Transfer-Encoding", b"chunked")],
    [(b"Content-Length", LENGTH), (b"Content-Length", b"0")],
    [(b"Content-Length", LENGTH + b", 0")],
    [(b"Content-Length", b"-1")],
    [(b"Content-Length", b"+" + LENGTH)],
    [(b"Content-Length", b"9" * 30)],
    [(b"Transfer-Encoding", b"chunked"), (b"Transfer-Encoding", b"identity")],
    [(b"Transfer-Encoding", b"xchunked")],
    [(b"Content-Length ", LENGTH)],
    [(b"X", b"a\rContent-Length: 0"), (b"Content-Length", LENGTH)],
]


@pytest.mark.parametrize("headers", TWO_READINGS, ids=range(len(TWO_READINGS)))
def test_a_request_that_two_servers_may_read_differently_is_refused(
    city: Installation, headers: list[tuple[bytes, bytes]]
) -> None:
    answer = ask(city.ports["intake"], request("POST", "/v1/cases", honest(city) + headers, json.dumps(GOOD).encode()))
    assert answer.status == 400
    assert answer.problem["type"] == "urn:motcua:problem:not-http"


def with_name(raw: bytes) -> bytes:
    """A good body whose applicant has this as a name, as it is written."""
    return json.dumps(GOOD | {"applicant": {"name": "?"}}).encode().replace(b'"?"', raw)


AMBIGUOUS = {
    "name twice": b'{"agency": "so-other", ' + json.dumps(GOOD).encode()[1:],
    "same value twice": b'{"channel": "counter", ' + json.dumps(GOOD).encode()[1:],
    "name twice, once escaped": b'{"\\u0061gency": "so-other", ' + json.dumps(GOOD).encode()[1:],
    "name twice, once spaced": b'{"agency" \t: "so-other", ' + json.dumps(GOOD).encode()[1:],
    "name twice inside": with_name(b'"A", "name": "B"'),
    "object twice": json.dumps(GOOD).encode()[:-1] + b', "applicant": {"name": "A"}, "applicant": {"name": "B"}}',
    "NaN": with_name(b"NaN"),
    "infinity": with_name(b"-Infinity"),
    "NaN in a field that is not known": json.dumps(GOOD).encode()[:-1] + b', "x": NaN}',
}
UNREADABLE = {
    "lone surrogate": with_name(b'"\\ud800"'),
    "surrogates the wrong way": with_name(b'"\\udc00\\ud800"'),
    "invalid UTF-8": with_name(b'"\xff\xfe"'),
    "overlong UTF-8": with_name(b'"\xc0\xaf"'),
    "surrogate in UTF-8": with_name(b'"\xed\xa0\x80"'),
    "NUL": with_name(b'"a\\u0000b"'),
    "raw control character": with_name(b'"a\nb"'),
    "UTF-16": json.dumps(GOOD).encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
    "something behind": json.dumps(GOOD).encode() + b"{}",
    "comment": b"/* */" + json.dumps(GOOD).encode(),
    "single quotes": b"{'agency': 'so-test'}",
    "trailing comma": json.dumps(GOOD).encode()[:-1] + b",}",
    "deep lists": with_name(b"[" * 30_000),
    "deep lists that end": with_name(b"[" * 20_000 + b"]" * 20_000),
    "deep objects": with_name(b'{"a":' * 10_000),
    "a number of 60,000 digits": with_name(b"9" * 60_000),
    "an exponent": with_name(b"1e999999999"),
    "ten thousand names": json.dumps(GOOD | {f"x{number}": 1 for number in range(5000)}).encode(),
    "a long name": json.dumps(GOOD | {"x" * 60_000: 1}).encode(),
}


@pytest.mark.parametrize("body", [*AMBIGUOUS.values(), *UNREADABLE.values()], ids=[*AMBIGUOUS, *UNREADABLE])
def test_a_body_that_cannot_be_read_in_one_way_is_refused_with_a_reason(city: Installation, body: bytes) -> None:
    answer = posted(city, body)
    assert answer.status == 422
    assert all(fault["rule"] and "pointer" in fault for fault in answer.problem["errors"])
    assert len(answer.body) < 2_000_000


async def test_a_name_given_twice_is_said_so(city: Installation) -> None:
    faults = posted(city, AMBIGUOUS["name twice"]).problem["errors"]
    assert faults == [{"pointer": "", "rule": "must give each name once", "code": "given_twice"}]


async def test_a_bad_line_of_a_bulk_upload_costs_its_neighbours_nothing(city: Installation) -> None:
    bad = [body for body in (*AMBIGUOUS.values(), *UNREADABLE.values()) if b"\n" not in body]
    good = [json.dumps(GOOD | {"idempotency_key": str(uuid4())}).encode() for _ in range(len(bad) + 1)]
    keyed = [body.replace(b"{", b'{"idempotency_key": "%d", ' % number, 1) for number, body in enumerate(bad)]
    lines = [good[0], *(line for pair in zip(keyed, good[1:], strict=True) for line in pair)]
    answer = await city.http.post(
        city.url("intake", "/v1/cases/bulk"), content=b"\n".join(lines), headers=city.headers(Role.COUNTER, "so-test")
    )
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert [each["line"] for each in told] == list(range(1, len(lines) + 1))
    assert [each["status"] for each in told[::2]] == [201] * len(good)
    assert {each["status"] for each in told[1::2]} == {422}
    assert all(each["problem"]["errors"] for each in told[1::2])


BOMB = gzip.compress(b" " * 200_000_000, 1)


@pytest.mark.parametrize("path", ["/v1/cases", "/v1/cases/bulk", "/v1/nothing"])
@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip", "deflate", "br", "zstd", "identity, gzip", "nonsense"])
def test_a_packed_body_is_refused_and_not_unpacked(city: Installation, path: str, coding: str) -> None:
    body = zlib.compress(b"{}") if coding == "deflate" else BOMB[:200_000]
    answer = posted(city, body, (b"Content-Encoding", coding.encode()), path=path)
    assert answer.status == 415
    assert answer.problem["type"] == "urn:motcua:problem:encoded"


def test_a_body_that_says_it_is_not_packed_is_taken(city: Installation) -> None:
    assert posted(city, json.dumps(GOOD).encode(), (b"Content-Encoding", b"identity")).status == 201


def test_who_waits_for_100_continue_gets_it_only_for_a_body_that_may_come(city: Installation) -> None:
    expecting = [*honest(city), (b"Expect", b"100-continue")]
    small = ask(city.ports["intake"], request("POST", "/v1/cases", [*expecting, (b"Content-Length", b"2")], b"{}"))
    assert (small.interim, small.status) == (True, 422)
    nobody = [(b"Host", b"x"), (b"Expect", b"100-continue"), (b"Content-Length", b"10000000")]
    assert ask(city.ports["intake"], request("POST", "/v1/cases", nobody)).status == 401


def test_an_endless_head_is_refused_by_the_real_process(city: Installation) -> None:
    answer = ask(city.ports["intake"], b"GET / HTTP/1.1\r\nX: " + b"a" * 1_000_000)
    assert answer.status in {431, 0}  # what is still being sent may reset the answer away
    assert not answer.silent


async def flood(city: Installation, head: bytes, body: Iterator[bytes]) -> int:
    """Send a body as long as it is taken; the status of the answer, 0 when the connection was reset."""
    reader, writer = await asyncio.open_connection("127.0.0.1", city.ports["intake"])
    try:
        writer.write(head)
        for piece in body:
            writer.write(piece)
            await writer.drain()
        first = await asyncio.wait_for(reader.readline(), 30)
        return int(first.split()[1]) if first else 0
    except ConnectionError:
        return 0
    finally:
        writer.close()


def head_of(city: Installation, path: str, *more: tuple[bytes, bytes]) -> bytes:
    return request("POST", path, [*honest(city), *more])


async def test_memory_is_bounded_and_others_are_served_while_everything_comes_at_once(city: Installation) -> None:
    before, most, slowest = resident(city), 0, 0.0
    ten, chunk = 10_000_000, b"%x\r\n%b\r\n" % (50_000, b" " * 50_000)
    declared, chunked = (b"Content-Length", b"%d" % ten), (b"Transfer-Encoding", b"chunked")
    slow = head_of(city, "/v1/cases", (b"Content-Length", b"60000"))
    attacks = [
        *(flood(city, head_of(city, "/v1/cases", declared), iter([b" " * 100_000] * 100)) for _ in range(20)),
        *(flood(city, head_of(city, "/v1/cases", chunked), iter([chunk] * 200)) for _ in range(20)),
        *(flood(city, head_of(city, "/v1/cases/bulk", chunked), iter([*[chunk] * 600, b"0\r\n\r\n"])) for _ in range(4)),
        *(flood(city, slow, iter([b'{"a":' * 10_000])) for _ in range(100)),
        *(flood(city, b"GET / HTTP/1.1\r\n", iter([b"X: " + b"a" * 50_000 + b"\r\n"] * 200)) for _ in range(20)),
        *(flood(city, head_of(city, "/v1/cases", (b"Content-Length", b"60005")), iter([b"[" * 60_005])) for _ in range(40)),
    ]
    running = asyncio.gather(*attacks)
    while not running.done():
        began = time.monotonic()
        await filed(city)
        slowest = max(slowest, time.monotonic() - began)
        most = max(most, resident(city))
        await asyncio.sleep(0.02)
    answers = await running
    assert set(answers[:40]) <= {413, 0}
    assert answers[40:44] == [200] * 4  # the line is refused, the upload goes on
    assert set(answers[44:144]) == {408}
    assert set(answers[144:164]) <= {431, 0}
    assert set(answers[164:]) == {422}
    print(
        f"grew by {(most - before) / 1e6:.0f} MB at most, {(resident(city) - before) / 1e6:.0f} MB after; slowest {slowest:.2f} s"
    )
    assert most - before < MOST_GROWTH
    assert slowest < 5


def test_nothing_of_this_is_an_error_in_the_log(city: Installation) -> None:
    lines = [json.loads(line) for line in city.log_of("intake").read_text().splitlines()]
    assert [line for line in lines if line["level"] == "error" and "aiokafka" not in line.get("logger", "")] == []
