"""Parked records of topics without an order: commands hold back nobody, and of private values only the newest counts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from prometheus_client import CollectorRegistry

from shared.contracts.envelope import OCTETS, Envelope
from shared.contracts.topics import CASE_COMMANDS, CASE_PRIVATE
from shared.contracts.words import Origin
from shared.messaging.consumer import Consumer
from shared.messaging.delivery import Delivery
from shared.messaging.memory import Memory
from shared.messaging.replay import Replay, Report
from shared.observability.metrics import PipelineMetrics
from shared.persistence.work import Work
from tests.integration.test_heart import consuming, seen
from tests.support.dead_letters import BY, NOW, counted, parked, until_parked
from tests.support.sample import Sample, Steps
from tests.support.servers import Keys, Servers


@pytest.fixture
async def sample(servers: Servers, tmp_path: Path) -> AsyncIterator[Sample]:
    made = await Sample.make(servers, Keys.make(tmp_path / "keys"), park_limit=200)
    yield made
    await made.close()


class Commands:
    """Commands of strangers: each is a word that is added to its case's steps; `bad` cannot be read until mended."""

    def __init__(self, sample: Sample) -> None:
        self.sample, self.mended = sample, False
        self.consumer: Consumer[Steps] = Consumer(
            service="sample",
            topic=CASE_COMMANDS,
            prefix=sample.settings.topic_prefix,
            wanted={"say": self.decode},
            store=sample.store,
            handle=self.run,
            metrics=PipelineMetrics(CollectorRegistry()),
            memory=Memory.INBOX,
        )

    def decode(self, value: bytes | None) -> str:
        word = (value or b"").decode()
        if word.startswith("bad") and not self.mended:
            raise ValueError("word: is bad")
        return word

    async def run(self, work: Work[Any], deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            if delivery.body.startswith("cursed") and not self.mended:
                raise KeyError("cursed")
            state = work.cases[delivery.envelope.case_id].state
            state.steps = f"{state.steps},{delivery.body}" if state.steps else delivery.body

    async def send(self, case_id: UUID, *words: str) -> None:
        for word in words:
            envelope = Envelope(str(uuid4()), "say", "/stranger", str(case_id), "test", NOW, NOW, Origin.LIVE)
            await self.sample.producer.send_and_wait(
                self.consumer.name, word.encode(), key=str(case_id).encode(), headers=envelope.to_headers()
            )


async def test_a_command_that_could_not_be_read_holds_back_nobody_and_is_kept_by_its_place_alone(sample: Sample) -> None:
    case_id, commands = uuid4(), Commands(sample)
    await commands.send(case_id, "bad1", "good1", "cursed", "good2", "bad2")
    async with consuming(sample, commands.consumer):
        await until_parked(sample, 4)
        assert await sample.steps(case_id) == "good1"
        assert await parked(sample) == [("bad_body",), ("handler_error",), ("behind",), ("bad_body",)]
        assert await parked(sample, "payload") == [(None,), (b"cursed",), (b"good2",), (None,)]
        commands.mended = True
        replay = Replay(sample.store, [commands.consumer])
        done = await replay.replay_all(BY)
        assert (done.replayed, [each.detail for each in done.stuck]) == (2, ["word: is bad"] * 2)
        assert await sample.steps(case_id) == "good1,cursed,good2"
        assert await counted(sample, case_id) == 0
        for letter in [each.id for each in done.stuck]:
            assert (await replay.replay_one(letter, BY)).replayed == 0
            await replay.discard(letter, "not_ours", BY)
        await commands.send(case_id, "bad1")
        await seen(sample, case_id, "good1,cursed,good2,bad1")


async def test_unreadable_commands_of_strangers_never_stop_the_consumer(sample: Sample) -> None:
    case_id, commands = uuid4(), Commands(sample)
    await commands.send(case_id, *["bad"] * 130, "good")
    async with consuming(sample, commands.consumer):  # its limit is 100
        await seen(sample, case_id, "good")
        await until_parked(sample, 130)
    assert not commands.consumer.park_limit_reached


async def test_a_discarded_command_never_runs_although_it_is_read_again_and_understood(sample: Sample) -> None:
    case_id, commands = uuid4(), Commands(sample)
    await commands.send(case_id, "bad", "good")
    async with consuming(sample, commands.consumer):
        await until_parked(sample, 1)
        await seen(sample, case_id, "good")
        ((letter,),) = await parked(sample, "id")
        assert await Replay(sample.store, [commands.consumer]).discard(letter, "not_ours", BY) == Report()
        commands.mended = True
        client = commands.consumer.client()
        assert client is not None
        await client.seek_to_beginning()
        await commands.send(case_id, "after")
        await seen(sample, case_id, "good,after")


async def test_a_parked_private_value_is_given_up_and_erased_when_a_newer_one_of_its_key_is_taken(sample: Sample) -> None:
    first, second = uuid4(), uuid4()
    taken: list[bytes | None] = []
    broken = True

    async def handle(_: object, deliveries: Sequence[Delivery]) -> None:
        if broken and any(delivery.body == b"bad" for delivery in deliveries):
            raise KeyError("bad")
        taken.extend(delivery.body for delivery in deliveries)

    consumer = Consumer(
        service="sample",
        topic=CASE_PRIVATE,
        prefix=sample.settings.topic_prefix,
        wanted={"private.contact": lambda value: value},
        store=sample.store,
        handle=handle,
        metrics=PipelineMetrics(CollectorRegistry()),
        memory=Memory.LATEST,
    )

    async def send(case_id: UUID, *values: bytes | None) -> None:
        envelope = Envelope(str(uuid4()), "private.contact", "/intake", str(case_id), "test", NOW, NOW, Origin.LIVE)
        for value in values:
            await sample.producer.send_and_wait(
                consumer.name, value, key=f"{case_id}/contact".encode(), headers=envelope.to_headers(OCTETS)
            )

    async with consuming(sample, consumer):
        await send(first, b"bad")
        await send(second, b"bad")
        await until_parked(sample, 2)
        await send(first, None)
        await until_parked(sample, 1)
        assert [
            tuple(row) for row in await sample.query("select settled_reason, payload from parked where settled_by is not null")
        ] == [("superseded", None)]
        broken = False
        assert (await Replay(sample.store, [consumer]).replay_all(BY)).replayed == 1
    assert taken == [None, b"bad"]
    assert await sample.query("select 1 from parked where payload is not null") == []
