"""The hotline's door on Kafka: as good as the webhook, and nothing of it is parked but places."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from services.intake.hotline.taking import Taking
from services.intake.hotline.understanding import arrive_from_kafka
from shared.contracts.hotline import EventOutcome
from shared.contracts.receipts import HotlineReceipt
from shared.contracts.topics import HOTLINE_EVENTS
from tests.support.servers import Servers
from tests.support.switchboard import NORMALISED, SOURCE, Switchboard, event, open_board, written


@pytest.fixture(scope="module")
async def board(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Switchboard]:
    async with open_board(servers, tmp_path_factory.mktemp("board")) as opened:
        yield opened


def binary(source: str, **more: str) -> list[tuple[str, bytes]]:
    """The headers of a CloudEvent in binary mode."""
    given = {"ce_specversion": "1.0", "ce_source": source, "content-type": "application/json"} | more
    return [(name, value.encode()) for name, value in given.items()]


async def test_kafka_is_a_door_as_good_as_the_webhook(board: Switchboard) -> None:
    ticket, repeated, wrong = event(), event(), {"id": f"w-{uuid4().hex}", "kind": "ticket"}
    (known,) = await board.take(repeated)
    for payload in (ticket, repeated, wrong):
        await board.produce(written(payload), binary(f"/{SOURCE}"))

    (accepted,) = await board.told(HotlineReceipt, f"{SOURCE}/{ticket['id']}", 1)
    (duplicate,) = await board.told(HotlineReceipt, f"{SOURCE}/{repeated['id']}", 1)
    (refused,) = await board.told(HotlineReceipt, f"{SOURCE}/{wrong['id']}", 1)
    assert (accepted.outcome, duplicate.outcome, refused.outcome) == (
        EventOutcome.ACCEPTED, EventOutcome.DUPLICATE, EventOutcome.REFUSED,
    )  # fmt: skip
    assert await board.office.count("submissions", {str(accepted.case_id)}) == 1
    assert str(duplicate.case_id) == known["case_id"]
    assert {(each.field, each.rule) for each in refused.faults} >= {("at", "missing")}


async def test_our_own_contract_comes_binary_structured_or_by_webhook(board: Switchboard) -> None:
    ids = [uuid4().hex for _ in range(3)]
    at = datetime.now(UTC).isoformat()
    data = [{"ticket_id": f"n-{each}", "content": "Cây đổ", "classification": "other"} for each in ids]
    documents = [
        {"specversion": "1.0", "id": each, "source": f"/{NORMALISED}", "type": "hotline.ticket_opened",
         "time": at, "data": body}
        for each, body in zip(ids, data, strict=True)
    ]  # fmt: skip
    of_first = {"ce_id": ids[0], "ce_type": "hotline.ticket_opened", "ce_time": at}
    await board.produce(written(data[0]), binary(f"/{NORMALISED}", **of_first))
    await board.produce(written(documents[1]), [("content-type", b"application/cloudevents+json; charset=utf-8")])
    (third,) = await board.take(documents[2], NORMALISED)

    receipts = [(await board.told(HotlineReceipt, f"{NORMALISED}/{each}", 1))[0] for each in ids[:2]]
    assert [each.outcome for each in receipts] == [EventOutcome.ACCEPTED] * 2, receipts
    assert await board.office.count("submissions", {*(str(each.case_id) for each in receipts), third["case_id"]}) == 3


async def test_what_nobody_knows_on_the_topic_is_refused_and_not_parked(board: Switchboard) -> None:
    before = len([each for each in board.heard if each.key == b"unknown/"])
    bad = [
        (None, []), (b"\x00", binary("/nobody")), (b"{}", [*binary("/x"), ("ce_source", b"/y")]),
        (b"[]", [("content-type", b"application/cloudevents+json")]), (b"{}", [("ce_source", b"\xff")]),
    ]  # fmt: skip
    for value, headers in bad:
        await board.produce(value, headers)

    receipts = await board.told(HotlineReceipt, "unknown/", before + len(bad))
    assert {each.outcome for each in receipts} == {EventOutcome.REFUSED}
    assert {(each.faults[0].field, each.faults[0].rule) for each in receipts} == {
        ("source", "missing"), ("source", "unknown_source"), ("source", "repeated_name"), ("source", "not_text"),
    }  # fmt: skip
    assert await board.query("select from parked") == []


async def test_a_failure_of_our_own_parks_the_place_and_nothing_else(board: Switchboard, monkeypatch: pytest.MonkeyPatch) -> None:
    poison, good, secret = event(), event(), f"riêng tư {uuid4().hex}"
    take = Taking.take

    async def failing(self: Taking, work: Any, arrivals: Any, **more: Any) -> Any:
        if any(poison["id"].encode() in arrival.payload for arrival in arrivals):
            raise RuntimeError(secret)
        return await take(self, work, arrivals, **more)

    monkeypatch.setattr(Taking, "take", failing)
    await board.produce(written(poison | {"text": secret}), binary(f"/{SOURCE}", ce_subject="0900000000"))
    await board.produce(written(good), binary(f"/{SOURCE}"))

    await board.told(HotlineReceipt, f"{SOURCE}/{good['id']}", 1)
    (row,) = await board.query("select topic, key, headers, payload, reason, detail from parked")
    assert tuple(row) == (HOTLINE_EVENTS.name, None, b"\x90", None, "handler_error", "RuntimeError")


async def test_a_record_that_is_read_again_is_refused_once(board: Switchboard) -> None:
    """As after a crash between the commit here and that of the offset."""
    desk, wrong = board.office.app.state.hotline, {"id": f"w-{uuid4().hex}", "kind": "ticket"}
    attributes = {"source": f"/{SOURCE}", "specversion": "1.0"}
    several = written({"events": [wrong, event("rated", ticket="nobody's")]})
    once = arrive_from_kafka(desk.sources, several, attributes)._replace(place=f"0:{uuid4().int}:1")
    other = once._replace(place=f"0:{uuid4().int}:1")
    before = await refused_of(board)
    for arrivals in ([once], [once, other], [other, once]):
        async with desk.store.open(()) as work:
            answers = await desk.taking.take(work, arrivals)
        assert {each.outcome for taken in answers for each in taken} == {EventOutcome.REFUSED}

    assert await refused_of(board) - before == 4
    kept = await board.query("select payload is not null, place from hotline_refusals where event_id = $1", wrong["id"])
    assert sorted(tuple(row) for row in kept) == sorted((True, f"{arrival.place}:0") for arrival in (once, other))
    last = {"id": f"w-{uuid4().hex}", "kind": "ticket"}
    await board.produce(written(last), binary(f"/{SOURCE}"))
    await board.told(HotlineReceipt, f"{SOURCE}/{last['id']}", 1)
    assert len(await board.told(HotlineReceipt, f"{SOURCE}/{wrong['id']}", 2)) == 2


async def refused_of(board: Switchboard) -> int:
    rows = await board.query("select refused from feeds where source = $1", SOURCE)
    return sum(row[0] for row in rows)
