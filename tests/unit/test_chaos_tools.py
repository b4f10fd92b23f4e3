"""The tools of the chaos runs do what they are trusted for: the same seed, real breaks, and a checker that notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.local.ports import HOST, take_port
from shared.contracts.commands import Accept, Resolve
from shared.contracts.words import Outcome
from tests.support.chaos.checker import Verdict, _lives, _streams
from tests.support.chaos.history import Fact, Published
from tests.support.chaos.load import Load, Planned
from tests.support.chaos.proxy import Proxy
from tests.support.chaos.run import most_within_a_second
from tests.support.chaos.schedule import TARGETS, Kind, make_schedule
from tests.support.installation import Installation
from tests.support.waiting import eventually

CASE = "01a21403-25d2-77c3-8084-f067ff63ec31"


def test_the_same_seed_gives_the_same_schedule_and_another_gives_another() -> None:
    assert make_schedule(3, 4, 10, 6) == make_schedule(3, 4, 10, 6)
    assert make_schedule(3, 4, 10, 6) != make_schedule(4, 4, 10, 6)
    assert [str(fault) for fault in make_schedule(8, 2, 3, 1)] == [
        " 1.0 s: stop metrics, 0.7 s",
        " 1.5 s: zombie processing, 30.0 s",
    ]


async def test_the_same_seed_gives_the_same_cases_and_another_gives_others(tmp_path: Path) -> None:
    city = Installation(tmp_path, "nowhere:1", "postgresql://nowhere:1/")

    def planned(seed: int) -> list[Planned]:
        load = Load(city, "chaos-unit", seed, 1, 0)
        return [load._plan() for _ in range(50)]

    assert planned(3) == planned(3)
    assert planned(3) != planned(4)


def test_the_busiest_second_is_found() -> None:
    assert most_within_a_second([]) == 0
    assert most_within_a_second([0.0, 0.5, 0.9, 1.2, 1.4, 9.0]) == 4
    assert most_within_a_second([0.0, 1.0, 2.0]) == 1


def test_forty_neighbouring_seeds_use_every_kind_on_every_target() -> None:
    drawn = {(fault.kind, fault.target) for seed in range(100, 140) for fault in make_schedule(seed, 4, 10, 6)}
    assert {kind for kind, _ in drawn} == set(Kind)
    assert {target for _, target in drawn} == {target for targets in TARGETS.values() for target in targets}


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    port = take_port()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(100):
            writer.write(piece)
        writer.close()

    async with await asyncio.start_server(answer, HOST, port):
        yield port


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    made = Proxy(take_port(avoid=frozenset({echo})), echo)
    made.start()
    yield made
    made.stop()


async def test_a_proxy_passes_holds_back_and_resets(proxy: Proxy) -> None:
    reader, writer = await asyncio.open_connection(HOST, proxy.port)
    writer.write(b"one")
    assert await reader.readexactly(3) == b"one"
    proxy.hold()

    async def held() -> bool:
        return not proxy._flows.is_set()

    await eventually("the proxy holds", held)
    writer.write(b"two")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.readexactly(3), 0.2)
    proxy.release()
    assert await reader.readexactly(3) == b"two"
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    writer.close()


async def test_a_proxy_whose_target_is_away_ends_the_connection_at_once(proxy: Proxy) -> None:
    proxy.target = take_port()
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await (await asyncio.open_connection(HOST, proxy.port))[0].readexactly(1)


FACTS = (
    Fact("a", "case.submitted", "intake", 1, None),
    Fact("b", "case.accepted", "processing", 1, "k:1"),
    Fact("c", "case.resolved", "processing", 2, "k:2"),
)


@pytest.fixture
def load(tmp_path: Path) -> Load:
    made = Load(Installation(tmp_path, "nowhere:1", "postgresql://nowhere:1/"), "chaos-unit", 1, 0, 0)
    made.cases = [Planned("k", (Accept(), Resolve(outcome=Outcome.GRANTED)), True, False, CASE, True)]
    return made


def judged(load: Load, *facts: Fact) -> Verdict:
    published, verdict = Published(), Verdict()
    published.cases[CASE] = list(facts)
    _streams(verdict, published)
    _lives(verdict, load, published)
    return verdict


async def test_a_whole_life_is_clean_also_with_a_repetition_in_transport(load: Load) -> None:
    assert judged(load, *FACTS).clean
    assert judged(load, *FACTS, FACTS[1]).clean


@pytest.mark.parametrize("left_out", range(3))
async def test_a_fact_that_is_not_there_is_lost(load: Load, left_out: int) -> None:
    assert judged(load, *(fact for number, fact in enumerate(FACTS) if number != left_out)).lost


async def test_a_fact_stated_twice_is_doubled(load: Load) -> None:
    again = Fact("d", "case.resolved", "processing", 3, "k:2")
    same_number = Fact("d", "case.resolved", "processing", 2, "k:2")
    assert judged(load, *FACTS, again).doubled
    assert judged(load, *FACTS, same_number).doubled


async def test_facts_in_the_wrong_order_are_wrong(load: Load) -> None:
    assert judged(load, FACTS[0], FACTS[2], FACTS[1]).wrong
