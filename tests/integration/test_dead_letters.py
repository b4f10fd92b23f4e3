"""Dead letters on real Kafka and PostgreSQL: what is parked, replayed in case order, discarded, and read again from the start."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.messaging.consumer import Consumer
from shared.messaging.delivery import Decoder
from shared.messaging.recent import LEAST
from shared.messaging.replay import NotFirstError, Replay, Report, SettledError, UnknownLetterError
from tests.integration.test_heart import consuming, seen
from tests.support.dead_letters import BY, NOW, Mendable, counted, parked, send_steps, step, until_parked
from tests.support.sample import Sample
from tests.support.servers import Keys, Servers
from tests.support.waiting import eventually

READ = LEAST + 15


@pytest.fixture
async def sample(servers: Servers, tmp_path: Path) -> AsyncIterator[Sample]:
    made = await Sample.make(servers, Keys.make(tmp_path / "keys"), park_limit=200)
    yield made
    await made.close()


async def everything(sample: Sample) -> list[list[Any]]:
    """All that a second reading could change."""
    tables = ("cases", "parked", "outbox", "inbox", "missing_events")
    return [sorted(map(str, await sample.query(f"select * from {table}"))) for table in tables]


async def read_again_from_the_start(sample: Sample, consumer: Consumer[Any], partition_key: UUID) -> None:
    """Put the running consumer back to offset 0, and wait until it has come to the end a second time."""
    client = consumer.client()
    assert client is not None
    marker = uuid4()
    before = await everything(sample)
    await client.seek_to_beginning()
    await sample.send(marker, step("marker"), 1, NOW)
    await seen(sample, marker, "marker")

    async def at_the_end() -> bool:
        places = client.assignment()
        return all([(client.highwater(place) or 0) <= (await client.committed(place) or 0) for place in places])

    await eventually("everything was read again", at_the_end)
    await sample.query("delete from cases where case_id = $1", marker)
    assert await everything(sample) == before, partition_key


async def test_neighbours_of_poison_are_done_within_two_seconds_and_the_poison_is_taken_after_the_fix(sample: Sample) -> None:
    bad, good = uuid4(), [uuid4() for _ in range(50)]
    handler = Mendable("s2")
    consumer = sample.consumer(handler)
    async with consuming(sample, consumer):
        await send_steps(sample, uuid4(), "warm")
        await eventually("it takes records", lambda: sample.query("select 1 from cases"))
        await asyncio.gather(*(send_steps(sample, each, "s1") for each in good[:25]))
        await send_steps(sample, bad, "s1", "s2", "s3")
        await asyncio.gather(*(send_steps(sample, each, "s1") for each in good[25:]))

        async def done() -> bool:
            ((number,),) = await sample.query("select count(*) from cases where steps = 's1'")
            return bool(number == len(good) + 1)

        await eventually("the neighbours are done", done, within=2.0)
        await until_parked(sample, 2, within=2.0)
        replay = Replay(sample.store, [consumer])
        report = await replay.replay_case(bad, BY)
        assert (report.replayed, [(each.reason, each.detail, each.behind) for each in report.stuck]) == (
            0,
            [("handler_error", "KeyError", 1)],
        )
        handler.refused.clear()
        assert await replay.replay_case(bad, BY) == Report(replayed=2)
        assert await sample.steps(bad) == "s1,s2,s3"
        assert await replay.replay_case(bad, BY) == Report()
        assert await sample.steps(bad) == "s1,s2,s3"
        assert await counted(sample, bad) == 0
        await send_steps(sample, bad, "s4", first=4)
        await seen(sample, bad, "s1,s2,s3,s4")
    assert {tuple(row) for row in await sample.query("select state, settled_by from parked")} == {("replayed", BY)}


async def test_a_record_that_could_not_be_read_is_read_again_by_the_mended_decoder(sample: Sample) -> None:
    case_id = uuid4()
    await sample.send(case_id, step("s1"), 1, NOW)
    await sample.send(case_id, step("s2"), 2, NOW, value=b'{"agency":"test","kind":"dossier","stepp":"s2"}')
    await sample.send(case_id, step("s3"), 3, NOW)
    async with consuming(sample, sample.consumer()):
        await until_parked(sample, 2)
    mended = sample.consumer()
    plain = mended._decoder._wanted[b"case.step_completed"]
    mended._decoder = Decoder({"case.step_completed": lambda value: plain((value or b"").replace(b"stepp", b"step"))})
    (first, _) = await parked(sample, "id")
    assert await Replay(sample.store, [mended]).replay_one(first[0], BY) == Report(replayed=2)
    assert await sample.steps(case_id) == "s1,s2,s3"


async def test_a_replay_goes_up_to_the_next_fault_and_what_follows_it_stays_behind(sample: Sample) -> None:
    case_id, handler = uuid4(), Mendable("s2", "s4")
    await send_steps(sample, case_id, "s1", "s2", "s3", "s4", "s5")
    consumer = sample.consumer(handler)
    async with consuming(sample, consumer):
        await until_parked(sample, 4)
        handler.refused = {"s4"}
        ids = await parked(sample, "id")
        report = await Replay(sample.store, [consumer]).replay_one(ids[3][0], BY)
        assert report.replayed == 2
        assert [(each.id, each.reason, each.behind) for each in report.stuck] == [(ids[2][0], "handler_error", 1)]
        assert await sample.steps(case_id) == "s1,s2,s3"
        assert await parked(sample) == [("handler_error",), ("behind",)]
        assert await counted(sample, case_id) == 2
        await send_steps(sample, case_id, "s6", first=6)
        await until_parked(sample, 3)


async def test_the_order_of_a_case_holds_while_two_replicas_replay_it_and_new_records_come(sample: Sample) -> None:
    case_id, handler = uuid4(), Mendable("s2")
    names = [f"s{number}" for number in range(1, 61)]
    await send_steps(sample, case_id, *names[:20])
    consumer = sample.consumer(handler)
    async with consuming(sample, consumer):
        await until_parked(sample, 19)
        handler.refused.clear()
        handler.slow = 0.005
        replays = [Replay(sample.store, [consumer]), Replay(sample.store, [sample.consumer(handler)])]
        reports = asyncio.gather(*(replay.replay_case(case_id, BY) for replay in replays))
        await send_steps(sample, case_id, *names[20:], first=21)
        replayed = sum(report.replayed for report in await reports)
        await seen(sample, case_id, ",".join(names))
    assert replayed >= 19
    assert await parked(sample) == []
    assert await counted(sample, case_id) == 0


async def test_a_discarded_record_lets_what_waits_behind_it_go_on_and_is_no_gap(sample: Sample) -> None:
    case_id, handler = uuid4(), Mendable("s2")
    await send_steps(sample, case_id, "s1", "s2", "s3", "s4")
    consumer = sample.consumer(handler)
    async with consuming(sample, consumer):
        await until_parked(sample, 3)
        ids = [row[0] for row in await parked(sample, "id")]
        replay = Replay(sample.store, [consumer])
        with pytest.raises(NotFirstError) as refused:
            await replay.discard(ids[1], "not_needed", BY)
        assert refused.value.first == ids[0]
        assert await replay.discard(ids[0], "sent_by_mistake", BY) == Report(replayed=2)
        assert await replay.discard(ids[0], "another_reason", BY) == Report()
        with pytest.raises(SettledError):
            await replay.replay_one(ids[0], BY)
        with pytest.raises(SettledError):
            await replay.discard(ids[1], "too_late", BY)
        with pytest.raises(UnknownLetterError):
            await replay.discard(uuid4(), "unknown", BY)
        await send_steps(sample, case_id, "s5", first=5)
        await seen(sample, case_id, "s1,s3,s4,s5")
    (row,) = await sample.query("select settled_reason, settled_by, settled_at from parked where state = 'discarded'")
    assert tuple(row)[:2] == ("sent_by_mistake", BY)
    assert row[2] is not None
    assert await sample.query("select * from missing_events") == []
    assert await counted(sample, case_id) == 0


async def test_offsets_put_back_to_zero_change_nothing_about_parked_replayed_and_discarded_records(sample: Sample) -> None:
    still, replayed, discarded, last, plain = (uuid4() for _ in range(5))
    handler = Mendable("s2")
    for case_id in (still, replayed, discarded, plain):
        await send_steps(sample, case_id, "s1", "other" if case_id == plain else "s2", "s3")
    await send_steps(sample, last, "s1", "s2")
    await sample.send(last, step("s3"), 3, NOW, ce_time=b"\xff")
    consumer = sample.consumer(handler)
    replay = Replay(sample.store, [consumer])
    async with consuming(sample, consumer):
        await until_parked(sample, 8)
        for case_id in (discarded, last):
            for _ in range(2 if case_id == last else 1):
                rows = await sample.query(
                    "select id from parked where state = 'parked' and case_id = $1 order by position", case_id
                )
                await replay.discard(rows[0][0], "not_needed", BY)
        handler.refused.clear()
        await replay.replay_case(replayed, BY)
        await read_again_from_the_start(sample, consumer, replayed)
        assert await sample.steps(replayed) == "s1,s2,s3"
        assert await sample.steps(discarded) == "s1,s3"
        assert await sample.steps(last) == "s1"
        assert await sample.steps(still) == "s1"
        assert await replay.replay_all(BY) == Report(replayed=2, after=still)
        assert await sample.steps(still) == "s1,s2,s3"


async def test_everything_is_replayed_case_by_case_and_one_at_fault_does_not_stop_the_next(sample: Sample) -> None:
    cases = [uuid4() for _ in range(12)]
    handler = Mendable("s1", "never")
    for number, case_id in enumerate(cases):
        await send_steps(sample, case_id, "never" if number == 5 else "s1", "s2")
    consumer = sample.consumer(handler)
    async with consuming(sample, consumer):
        await until_parked(sample, 24)
    handler.refused = {"never"}
    report = await Replay(sample.store, [consumer]).replay_all(BY)
    assert report.replayed == 22
    assert [each.case_id for each in report.stuck] == [cases[5]]
    ((number,),) = await sample.query("select count(*) from cases where steps = 's1,s2' and parked = 0")
    assert number == 11


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_is_poison_and_whenever_it_is_replayed_every_case_ends_as_if_nothing_had_been(
    sample: Sample, seed: int
) -> None:
    rng = random.Random(seed)
    names = {uuid4(): [f"c{case}n{number}" for number in range(12)] for case in range(6)}
    handler = Mendable(*(name for each in names.values() for name in each if rng.random() < 0.3))
    consumer = sample.consumer(handler)
    replay = Replay(sample.store, [consumer])

    order = [case_id for case_id in names for _ in names[case_id]]
    rng.shuffle(order)
    sent = dict.fromkeys(names, 0)

    async def send(cases: list[UUID]) -> None:
        for case_id in cases:
            sent[case_id] += 1
            await sample.send(case_id, step(names[case_id][sent[case_id] - 1]), sent[case_id], NOW)

    async def mend() -> None:
        while handler.refused:
            handler.refused.remove(rng.choice(sorted(handler.refused)))
            await (replay.replay_all(BY) if rng.random() < 0.5 else replay.replay_case(rng.choice(list(names)), BY))

    async with consuming(sample, consumer):
        await send(order[:36])

        async def half() -> bool:
            taken = await sample.query("select steps from cases where steps is not null")
            return bool(sum(row[0].count(",") + 1 for row in taken) + len(await parked(sample)) == 36)

        await eventually("half of it is taken or parked", half)
        await asyncio.gather(send(order[36:]), mend())

        async def settled() -> bool:
            await replay.replay_all(BY)
            return {case_id: await sample.steps(case_id) for case_id in names} == {k: ",".join(v) for k, v in names.items()}

        await eventually("every case has all its steps in order", settled)
    assert await parked(sample) == []
    assert await sample.query("select 1 from cases where parked <> 0") == []
    assert await sample.query("select 1 from missing_events") == []
    assert len(await sample.query("select 1 from parked where state = 'replayed'")) > len(names)


async def test_a_quiet_consumer_stops_when_most_of_what_it_reads_is_poison_and_goes_on_after_the_fix(sample: Sample) -> None:
    handler = Mendable("s1")
    consumer = sample.consumer(handler)
    await asyncio.gather(*(send_steps(sample, uuid4(), "s1") for _ in range(READ)))
    async with consuming(sample, consumer):

        async def stopped() -> bool:
            return consumer.park_limit_reached

        await eventually("it stops", stopped)
        assert len(await parked(sample)) == LEAST
        handler.refused.clear()

        async def taken() -> bool:
            return len(await sample.query("select 1 from cases where steps = 's1'")) == READ - LEAST

        await eventually("it goes on", taken)
        assert not consumer.park_limit_reached
        assert (await Replay(sample.store, [consumer]).replay_all(BY)).replayed == LEAST
        ((number,),) = await sample.query("select count(*) from cases where steps = 's1' and parked = 0")
        assert number == READ


async def test_a_transient_failure_of_a_replay_leaves_the_record_parked_as_it_was(sample: Sample) -> None:
    case_id, handler = uuid4(), Mendable("s1")
    await send_steps(sample, case_id, "s1")
    consumer = sample.consumer(handler)
    async with consuming(sample, consumer):
        await until_parked(sample, 1)

    async def away(*_: object) -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await Replay(sample.store, [sample.consumer(away)]).replay_case(case_id, BY)
    assert await parked(sample, "reason", "detail") == [("handler_error", "KeyError")]
    assert await counted(sample, case_id) == 1
