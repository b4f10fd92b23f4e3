"""How large batches become: of records that are read, and of rows of the bulk lane that are sent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from shared.messaging import reading
from shared.messaging.reading import MANY, Reader
from shared.messaging.relay import BATCH, BULK_BATCH, Relay
from tests.support.sample import Outbox

PLACE = TopicPartition("t", 0)


class Client:
    """Gives out so many records at each poll; what was asked for at most is remembered."""

    def __init__(self, *counts: int) -> None:
        self.counts, self.asked = list(counts), list[int]()

    async def getmany(self, *, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[int]]:
        self.asked.append(max_records)
        count = self.counts.pop(0) if self.counts else 0
        return {PLACE: list(range(count))} if count else {}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROUND_SECONDS", 0.001)


async def read(client: Client) -> int:
    found: Any = await Reader("g").read(client)
    return len(found)


async def test_a_few_records_are_taken_at_once() -> None:
    client = Client(MANY - 1, 50)
    assert await read(client) == MANY - 1
    assert client.asked == [1000]


async def test_where_many_come_more_is_waited_for_until_the_batch_is_full() -> None:
    client = Client(400, 0, 400, 200, 7)
    assert await read(client) == 1000
    assert client.asked == [1000, 600, 600, 200]


async def test_the_wait_for_more_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "GATHER_SECONDS", 0.02)
    client = Client(MANY)
    assert await read(client) == MANY
    assert 1 < len(client.asked) <= 21


@pytest.mark.parametrize(("room", "most"), [(0, 0), (1, BULK_BATCH), (600, 600), (5000, BATCH)])
async def test_the_bulk_lane_sends_what_its_readers_have_room_for(room: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[int] = []

    async def bulk_room() -> int:
        return room

    async def send_lane(_self: Relay, _connection: Any, _producer: Any, _lane: Any, limit: int) -> int:
        limits.append(limit)
        return 0

    async def fetchval(_statement: str) -> bool:
        return True

    monkeypatch.setattr(Relay, "_send_lane", send_lane)
    relay = Relay(SimpleNamespace(), Outbox, SimpleNamespace, "", bulk_room)  # type: ignore[arg-type]  # nothing is reached
    await relay._relay(SimpleNamespace(fetchval=fetchval), SimpleNamespace())
    assert limits == [BATCH, *([most] if most else [])]
