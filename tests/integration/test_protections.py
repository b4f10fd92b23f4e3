"""Protections that no other test would miss. `make prove` switches each off and shows which test goes red."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest
from ormsgpack import unpackb

from services.notification.channels.channel import Outcome, Result
from services.notification.channels.file import FileChannel
from services.notification.main import create_app
from services.notification.sending import Sender
from shared.contracts.topics import CASE_EVENTS, group_of
from shared.contracts.words import Lane, Origin
from shared.messaging.consumer import Consumer
from shared.messaging.kafka import make_producer
from shared.messaging.lag import DownstreamLag
from shared.messaging.relay import Relay
from shared.messaging.subscribe import DrainingListener, commit
from tests.integration.test_heart import NOW, consuming, seen, step
from tests.support.chaos.rest import members
from tests.support.installation import installed
from tests.support.notification import Notification, accepted
from tests.support.sample import Outbox, Sample
from tests.support.servers import Keys, Servers
from tests.support.waiting import eventually


@pytest.fixture
async def sample(servers: Servers, tmp_path: Path) -> AsyncIterator[Sample]:
    made = await Sample.make(servers, Keys.make(tmp_path / "keys"))
    yield made
    await made.close()


async def test_writers_of_one_case_at_the_same_time_allot_each_number_once(sample: Sample) -> None:
    case_id, writers = uuid4(), 30

    async def write() -> None:
        async with sample.store.open([case_id]) as work:
            work.emit(case_id, step("s"), occurred_at=NOW, cause=None, origin=Origin.LIVE)

    await asyncio.gather(*(write() for _ in range(writers)))
    rows = await sample.query("select headers from outbox")
    numbers = [int(dict(unpackb(row[0]))["ce_sequence"]) for row in rows]
    assert sorted(numbers) == list(range(1, writers + 1))


async def test_a_lost_partition_does_not_keep_the_others_offsets_from_being_committed(sample: Sample) -> None:
    for _ in range(40):
        await sample.send(uuid4(), step("s1"), 1, NOW)
    places = [TopicPartition(sample.topic, number) for number in range(12)]
    client = AIOKafkaConsumer(
        bootstrap_servers=sample.settings.kafka_bootstrap, group_id=f"{sample.topic}-lost", auto_offset_reset="earliest",
        enable_auto_commit=False,
    )  # fmt: skip
    await client.start()
    try:
        client.assign(places)
        records: list[ConsumerRecord[Any, Any]] = []

        async def all_read() -> bool:
            for found in (await client.getmany(timeout_ms=200)).values():
                records.extend(found)
            return len(records) == 40

        await eventually("all records are read", all_read)
        kept = sorted({record.partition for record in records})[1:]
        client.assign([TopicPartition(sample.topic, number) for number in kept])
        await commit(client, records)
        for number in kept:
            last = max(record.offset for record in records if record.partition == number)
            assert await client.committed(TopicPartition(sample.topic, number)) == last + 1
    finally:
        await client.stop()


def remembering(consumer: Consumer[Any], taken: set[tuple[int, int]]) -> Consumer[Any]:
    """The consumer, which writes down the places of the records that it is given."""
    inner = consumer.take

    async def take(records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        taken.update((record.partition, record.offset) for record in records)
        await inner(records)

    consumer.take = take  # type: ignore[method-assign]
    return consumer


async def test_a_replica_that_joins_is_given_nothing_of_the_running_batch(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, cases = asyncio.Event(), [uuid4() for _ in range(60)]
    inner, waits = sample.consumer()._handle, DrainingListener.on_partitions_revoked

    async def slow(work: Any, deliveries: Any) -> None:
        await gate.wait()
        await inner(work, deliveries)

    async def on_partitions_revoked(listener: DrainingListener, revoked: set[TopicPartition]) -> None:
        if revoked:  # the batch ends only a while after the rebalance has begun
            asyncio.get_running_loop().call_later(1.5, gate.set)
        await waits(listener, revoked)

    monkeypatch.setattr(DrainingListener, "on_partitions_revoked", on_partitions_revoked)
    for case_id in cases:
        await sample.send(case_id, step("s1"), 1, NOW)
    by_first, by_second = set[tuple[int, int]](), set[tuple[int, int]]()
    first = remembering(sample.consumer(slow), by_first)

    async def works() -> bool:
        return len(by_first) == len(cases)

    async with consuming(sample, first):
        await eventually("the first replica works on a batch", works)
        async with consuming(sample, remembering(sample.consumer(), by_second)):
            for case_id in cases:
                await seen(sample, case_id, "s1")

            async def joined() -> bool:
                client = first.client()
                return client is not None and 0 < len(client.assignment()) < 12

            await eventually("the second replica has its partitions", joined)
            late = [uuid4() for _ in range(30)]
            for case_id in late:
                await sample.send(case_id, step("s1"), 1, NOW)
            for case_id in late:
                await seen(sample, case_id, "s1")
    assert by_first & by_second == set()
    assert by_second


async def test_a_row_leaves_the_outbox_only_when_kafka_has_it(servers: Servers, sample: Sample) -> None:
    async def always() -> int:
        return 1

    async def state() -> None:
        async with sample.store.open([uuid4()]) as work:
            (case_id,) = work.cases
            work.emit(case_id, step("s1"), occurred_at=NOW, cause=None, origin=Origin.LIVE)

    async def sent() -> bool:
        return await sample.query("select 1 from outbox") == []

    relay = Relay(
        sample.store.database, Outbox, lambda: make_producer(sample.settings, "relay"), sample.settings.topic_prefix, always
    )
    task = asyncio.create_task(relay.run())
    try:
        await state()
        await eventually("the relay works", sent)
        servers.kafka.send(signal.SIGSTOP)
        try:
            await state()
            with pytest.raises(AssertionError):
                await eventually("the row is gone", sent, within=2.0)
        finally:
            servers.kafka.send(signal.SIGCONT)
        await eventually("the relay goes on", sent)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    client = AIOKafkaConsumer(bootstrap_servers=sample.settings.kafka_bootstrap)
    await client.start()
    try:
        ends = await client.end_offsets(
            [TopicPartition(f"{sample.settings.topic_prefix}{CASE_EVENTS.name}", n) for n in range(12)]
        )
        assert sum(ends.values()) == 2
    finally:
        await client.stop()


async def test_the_bulk_lane_waits_while_readers_are_behind_and_the_other_lane_does_not(servers: Servers, tmp_path: Path) -> None:
    sample = await Sample.make(servers, Keys.make(tmp_path / "keys"), bulk_lag_limit=5)
    readers, prefix = DownstreamLag(sample.settings, "sample", CASE_EVENTS, ("reader",)), sample.settings.topic_prefix
    relay = Relay(sample.store.database, Outbox, lambda: make_producer(sample.settings, "relay"), prefix, readers.room)
    for _ in range(10):
        await sample.send(uuid4(), step("s1"), 1, NOW)
    async with sample.store.open([uuid4(), uuid4()]) as work:
        for case_id, lane in zip(work.cases, (Lane.BULK, Lane.INTERACTIVE), strict=True):
            work.emit(case_id, step("s1"), occurred_at=NOW, cause=None, origin=Origin.LIVE, lane=lane)

    async def lanes(*expected: Lane) -> bool:
        return [row[0] for row in await sample.query("select lane from outbox")] == [int(lane) for lane in expected]

    task = asyncio.create_task(relay.run())
    client = AIOKafkaConsumer(
        bootstrap_servers=sample.settings.kafka_bootstrap,
        group_id=f"{prefix}{group_of('reader', CASE_EVENTS)}",
        enable_auto_commit=False,
    )
    await client.start()
    try:
        await eventually("only the bulk lane is left", lambda: lanes(Lane.BULK))
        with pytest.raises(AssertionError):
            await eventually("the bulk lane moves", lanes, within=2.5)
        places = [TopicPartition(sample.topic, number) for number in range(12)]
        client.assign(places)
        await client.commit(await client.end_offsets(places))
        await eventually("the readers have caught up and the bulk lane moves", lanes)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.stop()
        await readers.close()
        await sample.close()


@pytest.mark.parametrize("came", [Result.SENT, Result.REFUSED])
async def test_a_sender_that_was_stalled_longer_than_its_lease_states_nothing_again(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, came: Result
) -> None:
    stalled, goes_on, recorded = asyncio.Event(), asyncio.Event(), list[int]()
    send, record = FileChannel.send, Sender._record

    async def send_slowly(channel: FileChannel, messages: Sequence[Any]) -> Any:
        if stalled.is_set():
            return await send(channel, messages)
        stalled.set()
        outcomes = await send(channel, messages) if came is Result.SENT else [Outcome(each.id, came, "x") for each in messages]
        await goes_on.wait()
        return outcomes

    async def counted(sender: Sender, *arguments: Any) -> Any:
        settled = await record(sender, *arguments)
        recorded.append(len(settled))
        return settled

    monkeypatch.setattr(FileChannel, "lease_seconds", 0.5)
    monkeypatch.setattr(FileChannel, "send", send_slowly)
    monkeypatch.setattr(Sender, "_record", counted)
    async with Notification.run(servers, tmp_path) as service, replace(service, app=create_app(service.settings)).started():
        case_id = uuid4()
        await service.state(case_id, accepted(), origin=Origin.REPLAY)
        await service.ledger_becomes(case_id, ("case.accepted", "file", "sent", None))
        goes_on.set()

        async def both_recorded() -> bool:
            return sorted(recorded) == [0, 1] or len(recorded) > 2 or recorded == [1, 1]

        await eventually("both replicas have written down the outcome", both_recorded)
        ((stated,),) = await service.query("select stated from cases where case_id = $1", case_id)
    assert stated == 1
    assert len(service.lines()) == 1


async def test_a_write_to_a_connection_that_was_just_reset_is_a_broken_connection(servers: Servers) -> None:
    host, _, port = servers.kafka.address.partition(":")
    connection = await create_conn(host, int(port))

    class Closed:
        def write(self, _: bytes) -> None:
            raise RuntimeError("unable to perform operation; the handler is closed")  # as uvloop does

        def close(self) -> None:
            inner.close()

    inner, connection._writer = connection._writer, Closed()
    with pytest.raises(KafkaConnectionError):
        await connection.send(MetadataRequest([]))
    assert not connection.connected()


async def test_a_consumer_whose_fetch_loop_has_ended_is_not_taken_for_a_live_one(sample: Sample) -> None:
    consumer = sample.consumer()
    async with consuming(sample, consumer):
        client = consumer.client()
        assert client is not None
        assert not consumer.lost()
        client._fetcher._fetch_task.cancel()

        async def lost() -> bool:
            return consumer.lost()

        await eventually("the consumer is known to be lost", lost)


async def test_a_replica_that_leaves_in_order_has_left_its_group_when_it_has_ended(servers: Servers, tmp_path: Path) -> None:
    async with installed(servers, tmp_path, "metrics") as city:

        async def shared_by(number: int) -> bool:
            return await members(city, "metrics") == number

        await eventually("the first has its partitions", lambda: shared_by(1))
        city.start("metrics", "metrics-2")
        await city.ready("metrics-2")
        await eventually("the second has some of them", lambda: shared_by(2))
        assert await asyncio.to_thread(city.terminate, "metrics-2") == 0
        ended = time.monotonic()
        await eventually("the first has all of them again", lambda: shared_by(1))
        assert time.monotonic() - ended < 5  # a group would give up one that just ended only after 10 s
