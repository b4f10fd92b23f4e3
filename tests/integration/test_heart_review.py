"""The heart under hostile records and failures that are nobody's fault: nothing stands still, nothing good is parked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.producer.message_accumulator import BatchBuilder
from fastapi import APIRouter, FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.contracts.envelope import OCTETS, Envelope
from shared.contracts.topics import CASE_PRIVATE
from shared.contracts.words import Lane, Origin
from shared.messaging.consumer import Consumer
from shared.messaging.kafka import make_producer
from shared.messaging.memory import Memory
from shared.messaging.relay import Relay
from shared.observability.metrics import PipelineMetrics, make_registry
from shared.persistence.database import Database
from shared.persistence.errors import is_transient
from shared.service import Runtime, create_service_app
from tests.integration.test_heart import NOW, consuming, seen, step
from tests.support.sample import Outbox, Sample
from tests.support.servers import Keys, Servers
from tests.support.spoiled import spoil_header_names
from tests.support.waiting import eventually


@pytest.fixture
async def sample(servers: Servers, tmp_path: Path) -> AsyncIterator[Sample]:
    made = await Sample.make(servers, Keys.make(tmp_path / "keys"), park_limit=20)
    yield made
    await made.close()


def relay_of(sample: Sample, producer: Any = None) -> Relay:
    make = (lambda: producer) if producer else (lambda: make_producer(sample.settings, "relay"))
    return Relay(sample.store.database, Outbox, make, sample.settings.topic_prefix, lambda: answer(1))


async def answer(value: Any) -> Any:
    return value


async def outbox_is_empty(sample: Sample) -> bool:
    return await sample.query("select 1 from outbox") == []


async def read_dead_letter(sample: Sample) -> Any:
    client = AIOKafkaConsumer(
        f"{sample.topic}.dlq", bootstrap_servers=sample.settings.kafka_bootstrap, auto_offset_reset="earliest"
    )
    await client.start()
    try:
        return await asyncio.wait_for(client.getone(), 15)
    finally:
        await client.stop()


async def park_and_relay(sample: Sample, case_id: UUID) -> Any:
    """Let the consumer park what is on the topic, let the relay send its copy and a fact after it; the copy."""

    async def parked() -> bool:
        return bool(await sample.query("select 1 from parked where case_id = $1", case_id))

    async with consuming(sample, sample.consumer()):
        await eventually("the record is parked", parked)
    async with sample.store.open([uuid4()]) as work:
        (other,) = work.cases
        work.emit(other, step("s1"), occurred_at=NOW, cause=None, origin=Origin.LIVE)
    task = asyncio.create_task(relay_of(sample).run())
    try:
        await eventually("the outbox is empty", lambda: outbox_is_empty(sample))
        return await read_dead_letter(sample)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_copy_of_a_record_with_a_header_without_value_does_not_stop_the_relay(sample: Sample) -> None:
    case_id = uuid4()
    headers = [("ce_type", b"case.step_completed"), ("x-empty", None)]
    await sample.producer.send_and_wait(sample.topic, b"{}", key=str(case_id).encode(), headers=headers)
    copy = await park_and_relay(sample, case_id)
    assert copy.headers[:2] == tuple(headers)


async def test_the_copy_of_a_record_at_the_brokers_limit_does_not_stop_the_relay(sample: Sample) -> None:
    case_id = uuid4()
    await sample.send(case_id, step("s1"), 1, NOW, value=b"{" + b" " * 1_990_000)  # compressed it is small
    copy = await park_and_relay(sample, case_id)
    assert copy.value is None
    assert int(dict(copy.headers)["dlq_left_out"]) > 1_990_000
    ((payload,),) = await sample.query("select length(payload) from parked")
    assert payload == 1_990_001


async def test_a_value_that_the_driver_cannot_send_is_parked_and_does_not_hold_the_partition(sample: Sample) -> None:
    good, bad = uuid4(), uuid4()
    inner = sample.consumer()._handle

    async def handle(work: Any, deliveries: Any) -> None:
        if any(delivery.case_id == bad for delivery in deliveries):
            await work.tx.driver.fetchval("select $1::int", 2**40)
        await inner(work, deliveries)

    await sample.send(bad, step("s1"), 1, NOW)
    await sample.send(good, step("s1"), 1, NOW)
    async with consuming(sample, sample.consumer(handle)):
        await seen(sample, good, "s1")

        async def parked() -> bool:
            return [row[0] for row in await sample.query("select case_id from parked")] == [bad]

        await eventually("the bad one is parked", parked)


async def test_a_record_that_the_client_itself_cannot_read_is_passed_and_its_neighbours_are_not_lost(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [uuid4() for _ in range(60)]
    spoil_header_names(monkeypatch)
    for number, case_id in enumerate(cases):
        await sample.send(case_id, step("s1"), 1, NOW)
        if number == 30:
            await sample.producer.send_and_wait(sample.topic, b"{}", key=str(case_id).encode(), headers=[("x-bad-name", b"")])
    async with consuming(sample, sample.consumer()):

        async def taken() -> bool:
            return len(await sample.query("select 1 from cases where steps = 's1'")) == len(cases)

        await eventually("all good ones are taken", taken)
        rows = await sample.query("select reason, payload from parked")
    assert [tuple(row) for row in rows] == [("bad_header", None)]


async def failure_of(sample: Sample, statement: str, value: object = None) -> Exception:
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)) as raised:
        async with sample.store.database.transaction() as tx:
            await tx.driver.fetchval(statement, *([] if value is None else [value]))
    error: Exception = raised.value
    return error


async def test_only_what_the_record_itself_causes_is_permanent(sample: Sample) -> None:
    assert not is_transient(await failure_of(sample, "select $1::int", 2**40))
    assert not is_transient(await failure_of(sample, "select $1::text", "\ud800"))
    assert not is_transient(await failure_of(sample, "select 1/0"))
    with pytest.raises(DBAPIError) as raised:
        async with sample.store.database.transaction() as tx:
            await tx.connection.execute(text("select cast(:value as integer)"), {"value": 2**40})
    assert not is_transient(raised.value)
    for kind in (
        asyncpg.ReadOnlySQLTransactionError,
        asyncpg.IdleInTransactionSessionTimeoutError,
        asyncpg.InvalidPasswordError,
        asyncpg.InvalidCatalogNameError,
        asyncpg.InvalidCachedStatementError,
        asyncpg.QueryCanceledError,
        asyncpg.ConnectionDoesNotExistError,
        PoolTimeoutError,
    ):
        assert is_transient(kind("away")), kind


async def test_a_tombstone_is_taken_although_an_earlier_record_of_its_case_is_parked(sample: Sample) -> None:
    case_id, taken = uuid4(), []

    async def handle(_: object, deliveries: Any) -> None:
        for delivery in deliveries:
            if delivery.body == b"bad":
                raise ValueError("bad")
            taken.append(delivery.body)

    consumer = Consumer(
        service="sample",
        topic=CASE_PRIVATE,
        prefix=sample.settings.topic_prefix,
        wanted={"private.contact": lambda value: value},
        store=sample.store,
        handle=handle,
        metrics=PipelineMetrics(make_registry()),
        memory=Memory.LATEST,
    )
    envelope = Envelope(str(uuid4()), "private.contact", "/intake", str(case_id), "test", NOW, NOW, Origin.LIVE)
    for value in (b"bad", b"good", None):
        await sample.producer.send_and_wait(
            consumer.name, value, key=f"{case_id}/contact".encode(), headers=envelope.to_headers(OCTETS)
        )
    await sample.send(case_id, step("s1"), 1, NOW)
    async with consuming(sample, consumer, sample.consumer()):
        await eventually("the tombstone is taken", lambda: answer(taken[-2:] == [b"good", None]))
        await seen(sample, case_id, "s1")
    assert [row[0] for row in await sample.query("select reason from parked")] == ["handler_error"]


class StuckProducer:
    """A producer whose broker is away: it accepts records and acknowledges none."""

    def __init__(self) -> None:
        self.batches = 0

    async def start(self) -> None: ...

    async def partitions_for(self, _: str) -> set[int]:
        """One is enough."""
        return {0}

    def create_batch(self) -> BatchBuilder:
        """A real one."""
        return BatchBuilder(1000, 0)

    async def send_batch(self, *_: object, **__: object) -> asyncio.Future[None]:
        """Never acknowledged."""
        return asyncio.get_running_loop().create_future()

    async def flush(self) -> None:
        """Wait for ever."""
        self.batches += 1
        await asyncio.Event().wait()

    async def stop(self) -> None: ...


async def test_a_relay_whose_lock_is_lost_while_it_sends_gives_up_and_starts_again(sample: Sample) -> None:
    async with sample.store.open([uuid4()]) as work:
        (case_id,) = work.cases
        work.emit(case_id, step("s1"), occurred_at=NOW, cause=None, origin=Origin.LIVE, lane=Lane.INTERACTIVE)
    producer = StuckProducer()
    task = asyncio.create_task(relay_of(sample, producer).run())
    try:
        await eventually("it is sending", lambda: answer(producer.batches == 1))
        await sample.query(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database = "
            "(select oid from pg_database where datname = current_database())"
        )
        await eventually("it leads again", lambda: answer(producer.batches == 2))
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def crashing_app(sample: Sample) -> FastAPI:
    router = APIRouter()
    patient = sample.settings.model_copy(update={"answer_seconds": 30.0})  # the pool is to give up, not the deadline
    runtime = Runtime("metrics", patient, Path("unused"))
    database = Database(sample.settings.model_copy(update={"database_pool": 1}), "sample")

    @router.get("/crash")
    async def crash() -> None:
        raise KeyError("a citizen's name")

    @router.get("/data")
    async def data() -> None:
        async with database.transaction() as tx:
            await tx.driver.fetchval("select $1::int", 2**40)

    @router.get("/cancelled")
    async def cancelled() -> None:
        async with database.transaction() as tx:
            await tx.driver.execute("set local statement_timeout = '10ms'")
            await tx.driver.execute("select pg_sleep(1)")

    @router.get("/slow")
    async def slow() -> None:
        async with database.transaction() as tx:
            await tx.driver.execute("select pg_sleep(4)")

    return create_service_app(runtime, router, title="metrics")


async def test_every_failure_is_a_problem_document_and_what_passes_is_503(sample: Sample) -> None:
    transport = httpx.ASGITransport(crashing_app(sample), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://sample", timeout=20) as http:
        paths = ("/crash", "/data", "/cancelled", "/none")
        answers = {path: await http.get(path) for path in paths}
        held, refused = await asyncio.gather(http.get("/slow"), http.get("/slow"))
    answers |= {"/held": held, "/refused": refused}
    codes = {path: each.status_code for path, each in answers.items()}
    assert {codes.pop("/held"), codes.pop("/refused")} == {200, 503}  # one connection for two
    assert codes == {"/crash": 500, "/data": 500, "/cancelled": 503, "/none": 404}
    for path in codes:
        assert answers[path].headers["content-type"] == "application/problem+json"
        assert "citizen" not in answers[path].text
    assert answers["/cancelled"].headers["retry-after"]
