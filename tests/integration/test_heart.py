"""The consumer and the relay on real Kafka and PostgreSQL, with the smallest service."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer

from shared.contracts.events import StepCompleted
from shared.contracts.words import Kind, Lane, Origin
from shared.messaging.consumer import Consumer
from shared.messaging.kafka import make_broker, make_producer
from shared.messaging.relay import Relay
from shared.messaging.subscribe import subscribe
from tests.support.sample import Outbox, Sample
from tests.support.servers import Keys, Servers
from tests.support.waiting import eventually

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def step(name: str) -> StepCompleted:
    return StepCompleted(agency="test", kind=Kind.DOSSIER, step=name)


@pytest.fixture
async def sample(servers: Servers, tmp_path: Path) -> AsyncIterator[Sample]:
    made = await Sample.make(servers, Keys.make(tmp_path / "keys"), park_limit=20)
    yield made
    await made.close()


@contextlib.asynccontextmanager
async def consuming(sample: Sample, *consumers: Consumer[Any]) -> AsyncIterator[None]:
    broker = make_broker(sample.settings, "sample")
    for consumer in consumers:
        subscribe(broker, consumer)
    await broker.start()
    try:
        yield
    finally:
        await broker.stop()


async def seen(sample: Sample, case_id: UUID, expected: str) -> None:
    async def look() -> bool:
        return await sample.steps(case_id) == expected

    await eventually(f"case has {expected}", look)


async def test_every_event_is_taken_once_although_it_is_delivered_twice(sample: Sample) -> None:
    case_id = uuid4()
    for _ in range(2):
        for number in (1, 2, 3):
            await sample.send(case_id, step(f"s{number}"), number, NOW)
    await sample.send(case_id, step("s4"), 4, NOW)
    async with consuming(sample, sample.consumer()):
        await seen(sample, case_id, "s1,s2,s3,s4")


async def test_offsets_are_committed_explicitly_and_a_second_reading_changes_nothing(sample: Sample) -> None:
    case_id = uuid4()
    await sample.send(case_id, step("s1"), 1, NOW)
    consumer = sample.consumer()
    async with consuming(sample, consumer):
        await seen(sample, case_id, "s1")
        client = consumer.client()
        assert client is not None

        async def committed() -> bool:
            return sum([await client.committed(tp) or 0 for tp in client.assignment()]) == 1

        await eventually("the offset is committed", committed)
        await client.seek_to_beginning()
        await sample.send(case_id, step("s2"), 2, NOW)
        await seen(sample, case_id, "s1,s2")


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"value": b"{not json"}, "json_invalid"),
        ({"value": b'{"agency":"test","kind":"dossier"}'}, "step: missing"),
        ({"value": None}, "is null"),
        ({"ce_time": b"\xff\xfe"}, "ce_time: must be UTF-8"),
        ({"ce_id": None}, "ce_id: is missing"),
        ({"ce_sequence": b"minus one"}, "ce_sequence"),
        ({"ce_agency": b"other"}, "ce_agency"),
        ({"ce_type": None}, "ce_type: is missing"),
        ({"value": b"[" * 100_000}, "value"),
    ],
)
async def test_a_bad_record_is_parked_with_its_reason_and_its_neighbours_go_on(
    sample: Sample, changes: dict[str, bytes | None], detail: str
) -> None:
    good, bad = uuid4(), uuid4()
    await sample.send(good, step("s1"), 1, NOW)
    await sample.send(bad, step("s1"), 1, NOW, **changes)
    await sample.send(good, step("s2"), 2, NOW)
    async with consuming(sample, sample.consumer()):
        await seen(sample, good, "s1,s2")

        async def parked() -> list[Any]:
            return await sample.query("select reason, detail, payload, case_id from parked")

        (row,) = await eventually("the bad record is parked", parked)
    assert detail in row[1]
    assert row[2] == changes.get("value", row[2])
    assert row[3] == bad
    (copy,) = await sample.query("select topic from outbox")
    assert copy[0] == "case-events.dlq"


async def test_what_follows_a_parked_record_of_its_case_waits_behind_it(sample: Sample) -> None:
    good, bad = uuid4(), uuid4()
    for number, name in enumerate(("s1", "poison", "s3"), 1):
        await sample.send(bad, step(name), number, NOW)
    await sample.send(good, step("s1"), 1, NOW)
    async with consuming(sample, sample.consumer()):
        await seen(sample, good, "s1")
        await seen(sample, bad, "s1")
        await sample.send(bad, step("s4"), 4, NOW)

        async def parked() -> bool:
            rows = await sample.query("select reason from parked order by position")
            return [row[0] for row in rows] == ["handler_error", "behind", "behind"]

        await eventually("poison and what follows are parked", parked)
    assert await sample.steps(bad) == "s1"


async def test_a_transient_failure_waits_in_the_group_and_parks_nothing(sample: Sample) -> None:
    case_id, failures = uuid4(), iter([ConnectionResetError(), TimeoutError()])
    inner = sample.consumer()._handle

    async def flaky(work: object, deliveries: object) -> None:
        for error in failures:
            raise error
        await inner(work, deliveries)  # type: ignore[arg-type]

    await sample.send(case_id, step("s1"), 1, NOW)
    async with consuming(sample, sample.consumer(flaky)):
        await seen(sample, case_id, "s1")
    assert await sample.query("select * from parked") == []


async def test_a_bad_deploy_stops_at_the_park_limit_and_resumes_after_the_fix(sample: Sample) -> None:
    cases = [uuid4() for _ in range(60)]
    for case_id in cases:
        await sample.send(case_id, step("s1"), 1, NOW)
    inner, broken = sample.consumer()._handle, True

    async def handle(work: object, deliveries: object) -> None:
        if broken:
            raise KeyError("bad deploy")
        await inner(work, deliveries)  # type: ignore[arg-type]

    consumer = sample.consumer(handle)
    async with consuming(sample, consumer):

        async def stopped() -> bool:
            return consumer.park_limit_reached

        await eventually("the consumer stops at its limit", stopped)
        assert len(await sample.query("select * from parked")) <= 20
        broken = False

        async def resumed() -> bool:
            (row,) = await sample.query("select count(*) from cases where steps = 's1'")
            return bool(row[0] >= 40)

        await eventually("the rest is taken", resumed)
    assert not consumer.park_limit_reached


async def test_a_gap_is_remembered_and_the_missing_event_is_still_taken(sample: Sample) -> None:
    case_id = uuid4()
    await sample.send(case_id, step("s1"), 1, NOW)
    await sample.send(case_id, step("s4"), 4, NOW)
    async with consuming(sample, sample.consumer()):
        await seen(sample, case_id, "s1,s4")
        rows = await sample.query("select sequence from missing_events order by 1")
        assert [row[0] for row in rows] == [2, 3]
        for _ in range(2):
            await sample.send(case_id, step("s3"), 3, NOW)
        await seen(sample, case_id, "s1,s4,s3")
        rows = await sample.query("select sequence from missing_events")
        assert [row[0] for row in rows] == [2]


async def read_all(sample: Sample, count: int) -> list[tuple[str, str]]:
    """(key, sequence) of the first `count` records of the topic."""
    client = AIOKafkaConsumer(sample.topic, bootstrap_servers=sample.settings.kafka_bootstrap, auto_offset_reset="earliest")
    await client.start()
    try:
        found: list[tuple[str, str]] = []

        async def look() -> bool:
            for records in (await client.getmany(timeout_ms=200)).values():
                found.extend((record.key.decode(), dict(record.headers)["ce_sequence"].decode()) for record in records)
            return len(found) >= count

        await eventually(f"{count} records", look)
        return found
    finally:
        await client.stop()


async def test_the_relay_keeps_the_order_of_a_case_under_concurrent_writers_and_would_be_leaders(
    sample: Sample,
) -> None:
    cases, each = [uuid4() for _ in range(8)], 25

    async def always() -> int:
        return 1

    relays = [
        Relay(
            sample.store.database,
            Outbox,
            lambda: make_producer(sample.settings, "relay"),
            sample.settings.topic_prefix,
            always,
        )
        for _ in range(3)
    ]
    tasks = [asyncio.create_task(relay.run()) for relay in relays]

    async def write(case_id: UUID, seed: int) -> None:
        rng = random.Random(seed)
        for number in range(each):
            async with sample.store.open([case_id]) as work:
                lane = Lane.BULK if case_id == cases[0] else Lane.INTERACTIVE
                work.emit(case_id, step(f"s{number}"), occurred_at=NOW, cause=None, origin=Origin.LIVE, lane=lane)
                await work.tx.driver.execute("select pg_sleep($1)", rng.random() / 200)

    await asyncio.gather(*(write(case_id, seed) for seed, case_id in enumerate(cases)))
    found = await read_all(sample, len(cases) * each)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    by_case = defaultdict(list)
    for key, sequence in found:
        by_case[key].append(int(sequence))
    assert dict(by_case) == {str(case_id): list(range(1, each + 1)) for case_id in cases}
    assert await sample.query("select * from outbox") == []
