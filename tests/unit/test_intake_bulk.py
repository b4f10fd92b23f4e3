"""Bulk answers: one a line, in order, written while later lines are still being read, and never too many in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.intake.bulk import LINES_AT_ONCE, PARTS_IN_FLIGHT, SilentError, Take, answer_lines
from services.intake.domain.filing import Filer
from services.intake.domain.lines import Line
from services.intake.group_commit import GroupCommit, GroupLimits
from services.intake.handlers import Desk
from services.intake.metrics import IntakeMetrics
from services.intake.opening import NewCase, Opening, Outcome
from services.intake.routes.bulk import make_check, make_take
from shared.catalogue import load_catalogue
from shared.contracts.words import Lane
from shared.security.key_ring import KeyRing

FILER = Filer("portal", "integrator", "ldtbxh-haiphong")
BODY: dict[str, Any] = {"agency": "ldtbxh-haiphong", "kind": "dossier", "procedure": "1.001806", "channel": "online"}


async def chunked(content: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def answers(content: bytes, take: Take) -> list[dict[str, Any]]:
    written = b"".join([part async for part in answer_lines(chunked(content, 32_000), take, silence=5)])
    return [json.loads(line) for line in written.splitlines()]


def make_desk(memory: dict[str, NewCase], groups: list[int]) -> Desk:
    async def commit(cases: Sequence[NewCase]) -> list[Opening]:
        groups.append(len(cases))
        await asyncio.sleep(0)
        if any(new.key == "poison" for new in cases):
            raise ValueError("poison")
        openings = []
        for new in cases:
            first = memory.setdefault(new.key, new)
            same = Outcome.KNOWN if first.digest == new.digest else Outcome.CONFLICT
            openings.append(Opening(first.case_id, Outcome.OPENED if first is new else same))
        return openings

    lanes = {lane: GroupCommit(commit, lambda _: False, GroupLimits(most=500)) for lane in Lane}
    clock = datetime(2026, 3, 2, tzinfo=UTC)
    return Desk(load_catalogue(), lambda: clock, KeyRing([bytes(32)]), IntakeMetrics(CollectorRegistry()), lanes)


def line(key: str, **more: Any) -> bytes:
    return json.dumps({**BODY, "idempotency_key": key, **more}).encode()


async def test_each_line_gets_its_own_answer_in_order_and_no_fault_stops_a_neighbour() -> None:
    lines = [
        line("a"), b"", b"not json", line("b", channel="pigeon"), line("c", agency="other"), line("a"),
        line("a", channel="post"), b"x" * 70_000, line("poison"), line("d"),
    ]  # fmt: skip
    memory: dict[str, NewCase] = {}
    told = await answers(b"\n".join(lines), make_take(make_desk(memory, []), FILER))
    assert [(answer["line"], answer["status"]) for answer in told] == [
        (1, 201), (3, 422), (4, 422), (5, 403), (6, 200), (7, 409), (8, 413), (9, 500), (10, 201),
    ]  # fmt: skip
    assert told[0]["case_id"] == told[4]["case_id"] == str(memory["a"].case_id)
    assert told[2]["problem"]["errors"][0]["pointer"] == "/channel"
    assert told[7]["problem"]["type"] == "urn:motcua:problem:internal"
    assert told[8]["case_id"] == str(memory["d"].case_id)


async def test_long_lines_are_checked_a_few_at_a_time() -> None:
    parts: list[int] = []

    async def take(lines: Sequence[Line]) -> asyncio.Future[bytes]:
        parts.append(sum(len(line.content or b"") for line in lines))
        return ready(lines)

    await answers(b"\n".join(b"x" * size for size in [60_000] * 5 + [5_000] * 20 + [10] * 40), take)
    assert parts[:5] == [60_000] * 5
    assert max(parts[5:]) <= 20_000
    assert sum(parts) == 400_400


async def test_of_very_many_faults_a_hundred_are_told_and_how_many_more() -> None:
    lines = [line("a", **{f"f{n}": 1 for n in range(count)}) for count in (100, 101, 4000)]
    lines.append(line("a", documents=["?"] * 12_000))
    told = await answers(b"\n".join(lines), make_take(make_desk({}, []), FILER))
    assert [(len(each["problem"]["errors"]), each["problem"].get("detail")) for each in told] == [
        (100, None), (100, "1 more faults are not listed"), (100, "3900 more faults are not listed"),
        (1, None),
    ]  # fmt: skip


async def test_a_long_upload_is_committed_in_groups() -> None:
    groups: list[int] = []
    content = b"\n".join(line(f"k-{number}") for number in range(3000))
    told = await answers(content, make_take(make_desk({}, groups), FILER))
    assert [answer["status"] for answer in told] == [201] * 3000
    assert sum(groups) == 3000
    assert max(groups) <= 500
    assert len(groups) < 200


def ready(lines: Sequence[Line]) -> asyncio.Future[bytes]:
    done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    done.set_result(b"".join(b'{"line":%d}\n' % line.number for line in lines))
    return done


async def test_a_client_that_reads_no_answers_is_not_read_further() -> None:
    taken = 0

    async def take(lines: Sequence[Line]) -> asyncio.Future[bytes]:
        nonlocal taken
        taken += len(lines)
        return ready(lines)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"{}\n" * 100

    stream = answer_lines(endless(), take, silence=5)
    assert await anext(stream)
    for _ in range(400):
        await asyncio.sleep(0)
    assert taken <= (PARTS_IN_FLIGHT + 3) * LINES_AT_ONCE
    await stream.aclose()  # type: ignore[attr-defined]


async def test_an_answer_does_not_wait_for_the_next_line() -> None:
    more = asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        yield line("a") + b"\n"
        await more.wait()
        yield line("b")

    stream = answer_lines(chunks(), make_take(make_desk({}, []), FILER), silence=5)
    assert json.loads(await anext(stream))["line"] == 1
    more.set()
    assert json.loads(await anext(stream))["line"] == 2


async def test_answers_that_are_there_are_not_held_back_by_one_that_is_not() -> None:
    pending: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def take(lines: Sequence[Line]) -> asyncio.Future[bytes]:
        return pending if lines[0].number == 3 else ready(lines)

    stream = answer_lines(chunked(b"a\nb\nc\nd\n", size=4), take, silence=5)
    assert await anext(stream) == b'{"line":1}\n{"line":2}\n'
    seen = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    pending.set_result(b'{"line":3}\n')
    assert b'"line":3' in await seen


async def test_others_get_their_turn_while_a_large_chunk_is_taken() -> None:
    most = 0

    async def take(lines: Sequence[Line]) -> asyncio.Future[bytes]:
        nonlocal most
        most = max(most, len(lines))
        return ready(lines)

    async def one_chunk() -> AsyncIterator[bytes]:
        yield b"{}\n" * 1000

    said = b"".join([part async for part in answer_lines(one_chunk(), take, silence=5)])
    assert [json.loads(line)["line"] for line in said.splitlines()] == list(range(1, 1001))
    assert most == LINES_AT_ONCE


async def test_a_silent_client_is_ended_after_its_last_answer() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield line("a") + b"\n"
        await asyncio.Event().wait()

    stream = answer_lines(chunks(), make_take(make_desk({}, []), FILER), silence=0.05)
    assert json.loads(await anext(stream))["status"] == 201
    with pytest.raises(SilentError):
        await anext(stream)


async def test_a_dry_run_says_of_each_line_what_would_be_refused_and_files_nothing() -> None:
    memory: dict[str, NewCase] = {}
    desk = make_desk(memory, [])
    lines = [line("a"), b"not json", line("c", agency="other"), b"x" * 70_000, line("a"), line("d", channel="pigeon")]
    told = await answers(b"\n".join(lines), make_check(desk, FILER))
    assert [(answer["line"], answer["status"]) for answer in told] == [(1, 200), (2, 422), (3, 403), (4, 413), (5, 200), (6, 422)]
    assert "case_id" not in told[0]
    assert memory == {}
    assert not [sample for family in desk.metrics.submissions.collect() for sample in family.samples]
