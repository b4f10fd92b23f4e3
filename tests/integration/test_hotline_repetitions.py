"""The same event again: twenty at once, replayed, and by two doors at the same moment; it has one effect and one answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from services.intake.hotline import feeds
from shared.contracts.commands import Link, Rate, Reopen
from shared.contracts.hotline import EventOutcome
from shared.contracts.receipts import HotlineReceipt
from tests.support.hotline_records import VENDOR, binary
from tests.support.servers import Servers
from tests.support.switchboard import SOURCE, Switchboard, event, open_board, written

TIMES = 20


@pytest.fixture(scope="module")
async def board(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Switchboard]:
    async with open_board(servers, tmp_path_factory.mktemp("board")) as opened:
        yield opened


async def test_twenty_at_once_of_every_kind_have_one_effect_and_the_same_answer(board: Switchboard) -> None:
    ticket = event()
    (opened,) = await board.take(ticket)
    events = [
        event("reopened", ticket=ticket["ticket"]), event("rated", ticket=ticket["ticket"], score=2), event(place="Cầu Rào"),
        event("call", call=f"c-{uuid4().hex}", state="ended"), event("noise"), event("dossier", code="G09.20-20261126-9999998"),
    ]  # fmt: skip

    answers = await asyncio.gather(*[board.take(each) for each in events for _ in range(TIMES)])

    for number, each in enumerate(events):
        told = [answer[0] for answer in answers[number * TIMES : (number + 1) * TIMES]]
        first = "ignored" if each["kind"] == "noise" else "accepted"
        assert Counter(result["outcome"] for result in told) == {first: 1, "duplicate": TIMES - 1}, told
        assert len({result.get("case_id") for result in told}) == 1
        assert {result["event_id"] for result in told} == {each["id"]}
    case_id = opened["case_id"]
    after = event("reopened", ticket=ticket["ticket"])
    await board.take(after)
    assert len(await board.told(Reopen, case_id, 2)) == 2
    assert len(await board.told(Rate, case_id, 1)) == 1
    assert len(await board.query("select from calls where call_id = $1", events[3]["call"])) == 1


async def test_a_captured_call_that_is_replayed_within_its_window_changes_nothing(board: Switchboard) -> None:
    body = written(ticket := event())
    headers = board.signed(body)
    answers = [await board.http.post(f"/v1/hotline/{SOURCE}", content=body, headers=headers) for _ in range(TIMES)]

    results = [answer.json()["results"][0] for answer in answers]
    assert [each["outcome"] for each in results] == ["accepted", *["duplicate"] * (TIMES - 1)]
    assert len({each["case_id"] for each in results}) == 1
    assert len(await board.query("select from tickets where ticket_id = $1", ticket["ticket"])) == 1


async def test_by_webhook_and_by_kafka_at_once_an_event_has_one_effect(board: Switchboard) -> None:
    tickets = [event(place=f"ngã tư {uuid4().hex}") for _ in range(TIMES)]
    totals = await _totals(board)

    async def by_webhook(ticket: dict[str, Any]) -> dict[str, Any]:
        (result,) = await board.take(ticket)
        return result

    async def by_kafka(ticket: dict[str, Any]) -> None:
        await board.produce(written(ticket), binary(VENDOR))

    answers = await asyncio.gather(*[by_webhook(each) for each in tickets], *[by_kafka(each) for each in tickets])

    for ticket, answer in zip(tickets, answers[:TIMES], strict=True):
        assert answer is not None
        (receipt,) = await board.told(HotlineReceipt, f"{SOURCE}/{ticket['id']}", 1)
        assert {EventOutcome(answer["outcome"]), receipt.outcome} == {EventOutcome.ACCEPTED, EventOutcome.DUPLICATE}
        assert str(receipt.case_id) == answer["case_id"]
        rows = await board.query("select case_id::text from tickets where ticket_id = $1", ticket["ticket"])
        assert [row[0] for row in rows] == [answer["case_id"]]
    after = await _totals(board)
    assert [now - then for now, then in zip(after, totals, strict=True)] == [TIMES, TIMES]


async def test_the_same_record_twenty_times_on_the_topic_is_taken_once(board: Switchboard) -> None:
    body = written(ticket := event())
    for _ in range(TIMES):
        await board.produce(body, binary(VENDOR))

    receipts = await board.told(HotlineReceipt, f"{SOURCE}/{ticket['id']}", TIMES)
    assert Counter(each.outcome for each in receipts) == {EventOutcome.ACCEPTED: 1, EventOutcome.DUPLICATE: TIMES - 1}
    assert len({each.case_id for each in receipts}) == 1


async def test_an_event_of_two_doors_asks_for_each_thing_once(board: Switchboard) -> None:
    place = f"chợ {uuid4().hex}"
    (first,) = await board.take(event(place=place))
    second = event(place=place)
    await asyncio.gather(board.take(second), *[board.produce(written(second), binary(VENDOR)) for _ in range(5)])

    await board.told(HotlineReceipt, f"{SOURCE}/{second['id']}", 5)
    (last,) = await board.take(event(place=place))
    links = await board.told(Link, first["case_id"], 2)
    assert len(links) == len({each.other_case_id for each in links}) == 2
    assert str(last["case_id"]) in {str(each.other_case_id) for each in links}
    assert await board.query("select from parked") == []


async def test_nobody_is_answered_before_the_commit(board: Switchboard) -> None:
    async with board.office.app.state.runtime.database.transaction() as other:
        await other.driver.execute("lock table feeds in access exclusive mode")  # so that the transaction cannot come to its end
        waiting = asyncio.create_task(board.take(event()))
        done, _ = await asyncio.wait([waiting], timeout=0.5)
        assert not done
    (result,) = await waiting
    assert result["outcome"] == "accepted"


async def test_what_fails_on_the_way_leaves_nothing_and_can_be_sent_again(
    board: Switchboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = {"events": [event(), event("call", call=f"c-{uuid4().hex}", state="ended"), event("noise")]}
    before = await _everything(board)

    async def failing(*_: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr(feeds, "note", failing)  # the last step before the commit
        answer = await board.post(several)
    assert (answer.status_code, answer.headers["retry-after"].isdigit()) == (503, True)
    assert await _everything(board) == before
    assert [each["outcome"] for each in await board.take(several)] == ["accepted", "accepted", "ignored"]


async def _everything(board: Switchboard) -> list[int]:
    """How many rows there are of what an event can leave behind."""
    tables = ("hotline_events", "hotline_refusals", "submissions", "idempotency", "tickets", "calls")
    (row,) = await board.query("select " + ", ".join(f"(select count(*) from {table})" for table in tables))
    return [*row]


async def _totals(board: Switchboard) -> list[int]:
    rows = await board.query("select accepted, duplicate from feeds where source = $1", SOURCE)
    return [*rows[0]] if rows else [0, 0]
