"""Dossier codes from real processes: no duplicate, no gap, no accepted case without one, whatever dies meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from services.processing.domain.code import check_code, parse_pattern
from shared.contracts.commands import Accept
from shared.contracts.envelope import Envelope
from shared.contracts.events import CaseSubmitted
from shared.contracts.topics import CASE_COMMANDS, CASE_EVENTS
from shared.contracts.words import Channel, Kind, Origin, Status
from shared.messaging.kafka import make_producer
from tests.support.installation import Installation, installed
from tests.support.office import Office, running_office
from tests.support.servers import Servers
from tests.support.waiting import eventually

PATTERNS = {
    "ldtbxh-haiphong": "000.00.07.H24",
    "ldtbxh-branch": "000.00.07.H24",
    "bo-ldtbxh": "G09.20-{YYYYMMDD}-{serial:7}",
    "ttphvhcc-haiphong": "H24.007.00-{YYMMDD}-24{serial:4}",
}
"""Two agencies with one identifier, and one of each later form."""
AGENCIES = tuple(PATTERNS)
PER_WAY = 50


@pytest.fixture
async def office(servers: Servers, tmp_path: Path) -> AsyncIterator[Office]:
    async with running_office(servers, tmp_path) as running:
        yield running


async def submit(producer: AIOKafkaProducer, prefix: str, cases: Sequence[tuple[UUID, str]]) -> None:
    """State `case.submitted` of each case, as intake does."""
    now = datetime.now(UTC)
    for case_id, agency in cases:
        event = CaseSubmitted(agency=agency, kind=Kind.DOSSIER, procedure="1.001806", channel=Channel.ONLINE, filed_at=now)
        envelope = Envelope(str(uuid4()), event.type, "/intake", str(case_id), agency, now, now, Origin.LIVE, 1)
        value = event.model_dump_json().encode()
        await producer.send(f"{prefix}{CASE_EVENTS.name}", value, key=str(case_id).encode(), headers=envelope.to_headers())
    await producer.flush()


async def accept_by_command(producer: AIOKafkaProducer, prefix: str, cases: Sequence[tuple[UUID, str]]) -> None:
    """Accept each case as an officers' system does, over Kafka."""
    for case_id, agency in cases:
        now = datetime.now(UTC)
        envelope = Envelope(str(uuid4()), Accept.type, "/desk", str(case_id), agency, now, now, Origin.LIVE)
        await producer.send(f"{prefix}{CASE_COMMANDS.name}", b"{}", key=str(case_id).encode(), headers=envelope.to_headers())
    await producer.flush()


async def accept_over_http(city: Installation, case_id: UUID, first: asyncio.Event, lost: list[UUID]) -> str:
    """Accept one case and give its code, asking again with the same key until there is an answer."""
    url, headers = city.url("processing", f"/v1/cases/{case_id}/commands"), city.headers() | {"Idempotency-Key": str(case_id)}

    async def ask() -> str:
        try:
            answer = await city.http.post(url, json={"type": "accept"}, headers=headers)
        except httpx.TransportError:
            lost.append(case_id)
            raise
        assert answer.status_code == 200, answer.text
        first.set()
        return str(answer.json()["code"])

    return await eventually("an acceptance is answered", ask, within=90, every=0.3)


async def test_fifty_acceptances_at_once_each_way_and_a_kill_lose_no_code(servers: Servers, tmp_path: Path) -> None:
    cases = [(uuid4(), AGENCIES[number % len(AGENCIES)]) for number in range(2 * PER_WAY)]
    over_http, over_kafka = cases[:PER_WAY], cases[PER_WAY:]
    async with installed(servers, tmp_path, "processing", extra={"MOTCUA_CODE_PATTERNS": json.dumps(PATTERNS)}) as city:
        city.http = httpx.AsyncClient(timeout=20, limits=httpx.Limits(max_connections=PER_WAY))
        prefix, producer = city.kafka.topic_prefix, make_producer(city.kafka, "desk")
        await producer.start()
        try:
            await submit(producer, prefix, cases)
            await eventually("every case is known", lambda: known(city, Status.REGISTERED, len(cases)), within=60)
            first, lost = asyncio.Event(), list[UUID]()
            asking = [asyncio.ensure_future(accept_over_http(city, case_id, first, lost)) for case_id, _ in over_http]
            sending = asyncio.ensure_future(accept_by_command(producer, prefix, over_kafka))
            await first.wait()
            city.kill("processing")
            city.start("processing")
            answers = dict(zip([case_id for case_id, _ in over_http], await asyncio.gather(*asking), strict=True))
            await sending
            await eventually("every case is accepted", lambda: known(city, Status.ACCEPTED, len(cases)), within=90)
        finally:
            await producer.stop()
        assert lost, "the kill came too late: every acceptance was answered"
        await check_codes(city, answers)


async def known(city: Installation, status: Status, count: int) -> bool:
    """Whether that many cases have this status."""
    return bool(len(await city.query("processing", "select 1 from cases where status = $1", int(status))) == count)


async def check_codes(city: Installation, answers: dict[UUID, str]) -> None:
    """One code for each case, in table, history and answers alike; in each identifier's day the serials 1, 2, 3 ..."""
    rows = await city.query("processing", "select case_id, agency, code, accepted_at from cases")
    assert all(row["code"] for row in rows)
    assert len({row["code"] for row in rows}) == len(rows)
    serials: defaultdict[tuple[str, date], list[int]] = defaultdict(list)
    for row in rows:
        pattern, day = parse_pattern(PATTERNS[row["agency"]]), (row["accepted_at"] + timedelta(hours=7)).date()
        assert check_code(row["code"], [pattern]) == row["code"]
        serial = int(row["code"].rpartition("-")[2][len(pattern.owner) :])
        assert pattern.code(day, serial) == row["code"]
        serials[pattern.identifier, day].append(serial)
    for found in serials.values():
        assert sorted(found) == list(range(1, len(found) + 1))
    allotted = await city.query("processing", "select prefix, day, last from serials")
    assert {(row["prefix"], row["day"]): row["last"] for row in allotted} == {key: len(found) for key, found in serials.items()}
    facts = await city.query("processing", "select case_id, body from history where type = 'case.accepted'")
    stated = {row["case_id"]: json.loads(row["body"])["code"] for row in facts}
    assert len(facts) == len(rows)
    assert stated == {row["case_id"]: row["code"] for row in rows}
    assert answers.items() <= stated.items()


async def test_the_serial_grows_past_four_digits(office: Office) -> None:
    at = datetime.now(UTC)
    assert (await accepted_code(office, at)).endswith("-0001")
    await office.query("update serials set last = 9998")
    codes = [await accepted_code(office, at) for _ in range(3)]
    assert [code.rpartition("-")[2] for code in codes] == ["9999", "10000", "10001"]
    assert [check_code(code) for code in codes] == codes


async def test_each_local_day_counts_from_one(office: Office) -> None:
    """Midnight in Viet Nam is 17:00 in UTC."""
    midnight = datetime(2020, 12, 17, 17, 0, tzinfo=UTC)
    moments = [midnight - timedelta(seconds=1), midnight - timedelta(microseconds=1), midnight, midnight + timedelta(hours=23)]
    codes = [await accepted_code(office, at, Origin.REPLAY) for at in moments]
    assert [code.removeprefix("000.00.07.H24-") for code in codes] == [
        "201217-0001", "201217-0002", "201218-0001", "201218-0002",
    ]  # fmt: skip


async def accepted_code(office: Office, at: datetime, origin: Origin = Origin.LIVE) -> str:
    """File a case and accept it at a moment; its code."""
    case_id = uuid4()
    await office.submit(case_id, at, origin)
    await office.command(case_id, Accept(), at, origin)
    [(envelope, body)] = await office.facts(case_id, 1)
    assert envelope.type == "case.accepted", body
    return str(json.loads(body)["code"])
