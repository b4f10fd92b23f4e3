"""The topic against writers that mean harm: each record is refused with its rule, none is parked, its neighbours are taken."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest

from shared.contracts.hotline import EventOutcome
from shared.contracts.receipts import HotlineReceipt
from shared.contracts.topics import HOTLINE_EVENTS
from tests.support.hotline_records import BINARY, DOCUMENTS, OF_VENDORS, VENDOR, Record, binary
from tests.support.servers import Servers
from tests.support.spoiled import spoil_header_names
from tests.support.switchboard import SOURCE, Switchboard, event, open_board, written
from tests.support.waiting import eventually

SEED, NONSENSE = 5, 150


@pytest.fixture(scope="module")
async def board(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Switchboard]:
    async with open_board(servers, tmp_path_factory.mktemp("board")) as opened:
        yield opened


@pytest.mark.parametrize("records", [BINARY, DOCUMENTS, OF_VENDORS], ids=["binary", "structured", "bodies"])
async def test_a_bad_record_is_refused_with_its_rule_and_its_neighbours_are_taken(
    board: Switchboard, monkeypatch: pytest.MonkeyPatch, records: dict[str, Record]
) -> None:
    assert len(records) >= 22
    spoil_header_names(monkeypatch)
    await board.query("delete from hotline_refusals")
    tickets = [event() for _ in range(len(records) + 1)]
    for ticket, record in zip(tickets, records.values(), strict=False):
        await board.produce(written(ticket), binary(VENDOR))
        await board.produce(record.value, record.headers)
    await board.produce(written(tickets[-1]), binary(VENDOR))

    for ticket in tickets:
        (receipt,) = await board.told(HotlineReceipt, f"{SOURCE}/{ticket['id']}", 1)
        assert receipt.outcome is EventOutcome.ACCEPTED
    told = [row[0] for row in await board.query("select faults from hotline_refusals order by id")]
    assert len(told) == len(records)
    for (name, record), faults in zip(records.items(), told, strict=True):
        named = {(each["field"] if record.field is not None else None, each["rule"]) for each in faults}
        assert (record.field, record.rule) in named, f"{name}: {faults}"
    assert await board.query("select from parked") == []


async def test_whatever_bytes_come_the_door_goes_on_and_parks_nothing(board: Switchboard) -> None:
    rng = random.Random(SEED)
    names = ["ce_source", "ce_id", "ce_type", "ce_time", "ce_specversion", "ce_sequence", "content-type", "traceparent", "", "é"]
    words = [VENDOR.encode(), b"/own-contract", b"1.0", b"hotline.call_changed", b"application/cloudevents+json", b"\xff", b""]
    values = [written(event()), b"{}", b"[]", b"null", b"{", b"[" * 5000, b"\x00" * 9]
    before = await _counts(board)
    for _ in range(NONSENSE):
        headers = [(name, _some(rng, words)) for name in rng.choices(names, k=rng.randrange(7))]
        await board.produce(_some(rng, values) if rng.random() < 0.9 else None, headers)
    good = event()
    await board.produce(written(good), binary(VENDOR))

    await board.told(HotlineReceipt, f"{SOURCE}/{good['id']}", 1)

    async def all_told() -> bool:
        return await _counts(board) - before >= NONSENSE

    await eventually("every record is taken or refused", all_told)
    assert await board.query("select from parked") == []


async def test_no_record_of_the_topic_is_among_its_dead_letters(board: Switchboard) -> None:
    sent = await board.query("select count(*) from outbox where topic = $1", HOTLINE_EVENTS.dead_letters)
    assert sent[0][0] == 0


def _some(rng: random.Random, known: list[bytes]) -> bytes:
    return rng.choice(known) if rng.random() < 0.7 else rng.randbytes(rng.randrange(40))


async def _counts(board: Switchboard) -> int:
    """Events that were taken or repeated, and those that were refused."""
    taken, refused = "select sum(accepted + duplicate + ignored) from feeds", "select count(*) from hotline_refusals"
    (row,) = await board.query(f"select coalesce(({taken}), 0) + ({refused})")
    return int(row[0])
