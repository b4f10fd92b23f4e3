"""What is kept of events: the log, refused payloads for a day, and the mappings and secrets that are in force."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.intake.hotline import payloads
from services.intake.hotline.arrivals import Arrival, Door, Taken
from services.intake.hotline.log import _READ
from services.intake.hotline.taking import Taking
from services.intake.hotline.understanding import refused
from shared.contracts.commands import Rate
from shared.contracts.hotline import EventOutcome
from shared.security.tokens import Role
from tests.support.servers import Servers
from tests.support.switchboard import OTHER, SOURCE, Switchboard, event, keys_of, mapping, open_board


@pytest.fixture(scope="module")
async def board(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Switchboard]:
    async with open_board(servers, tmp_path_factory.mktemp("board")) as opened:
        yield opened


async def test_the_log_says_what_became_of_each_event_and_nothing_personal(board: Switchboard) -> None:
    await board.query("delete from hotline_events")
    await board.query("delete from hotline_refusals")
    ticket, noise = event(text="Chuyện riêng của tôi"), event("noise")
    await board.take(ticket)
    await board.take(noise)
    assert (await board.post({"id": "wrong", "kind": "ticket", "name": "Nguyễn Thị Riêng"})).status_code == 422

    page = await board.log(limit=2)
    rest = await board.log(limit=2, cursor=page["next"])

    entries: list[dict[str, Any]] = page["items"] + rest["items"]
    wrong, ignored, accepted = entries
    assert rest["next"] is None
    assert (wrong["outcome"], wrong["event_id"], wrong["door"], wrong["replayable"]) == ("refused", "wrong", "webhook", True)
    assert {(each["field"], each["rule"], each["line"]) for each in wrong["faults"]} >= {("at", "missing", 8)}
    assert (ignored["event_id"], ignored["outcome"], ignored["note"]) == (noise["id"], "ignored", "not_needed")
    assert (accepted["event_id"], accepted["outcome"], accepted["type"]) == (ticket["id"], "accepted", "hotline.ticket_opened")
    assert [each["outcome"] for each in (await board.log(outcome="ignored"))["items"]] == ["ignored"]
    shown = json.dumps([page, rest], ensure_ascii=False)
    assert not [word for word in (ticket["text"], ticket["name"], ticket["phone"], "Riêng") if word in shown]


async def test_an_integrator_sees_the_events_of_its_own_agency_only(board: Switchboard) -> None:
    await board.take(event(), OTHER)
    assert (await board.log(OTHER))["items"] == []
    async with board.office.client(Role.INTEGRATOR, "other-agency") as client:
        assert (await client.get(f"/v1/hotline/{OTHER}/log")).json()["items"] != []
        assert (await client.post(f"/v1/hotline/{SOURCE}/replay")).status_code == 404
    async with board.office.client(Role.OFFICER) as client:
        assert (await client.get(f"/v1/hotline/{SOURCE}/log")).status_code == 403
        assert (await client.post(f"/v1/hotline/{SOURCE}/replay")).status_code == 403


async def test_what_was_refused_is_tried_again_under_a_better_mapping(board: Switchboard) -> None:
    await board.query("update hotline_refusals set payload = null")
    ticket = event()
    (opened,) = await board.take(ticket)
    rated = {"id": uuid4().hex, "kind": "rated", "at": ticket["at"], "ticket": ticket["ticket"], "stars": 5}
    assert (await board.post(rated)).status_code == 422
    assert [each["outcome"] for each in await board.replay()] == ["refused"]

    await use(board, mapping(score="stars"))
    try:
        (taken,) = await board.replay()
        assert (taken["event_id"], taken["outcome"], taken["case_id"]) == (rated["id"], "accepted", opened["case_id"])
        assert await board.told(Rate, opened["case_id"], 1) == [Rate(score=5)]
        assert await board.replay() == []
        assert await board.query("select from hotline_refusals where payload is not null") == []
        assert len(await board.query("select from hotline_refusals where event_id = $1", rated["id"])) == 1
    finally:
        await use(board, mapping())


async def test_a_payload_that_fails_for_good_hinders_no_other(board: Switchboard, monkeypatch: pytest.MonkeyPatch) -> None:
    await board.query("update hotline_refusals set payload = null")
    ticket = event()
    await board.take(ticket)
    ids = [uuid4().hex for _ in range(3)]
    for each in ids:
        rated = {"id": each, "kind": "rated", "at": ticket["at"], "ticket": ticket["ticket"], "stars": 5}
        assert (await board.post(rated)).status_code == 422
    take = Taking.take

    async def failing(self: Taking, work: Any, arrivals: Any, **more: Any) -> Any:
        if any(ids[0].encode() in arrival.payload for arrival in arrivals):
            raise ZeroDivisionError
        return await take(self, work, arrivals, **more)

    await use(board, mapping(score="stars"))
    try:
        monkeypatch.setattr(Taking, "take", failing)
        assert [(each["event_id"], each["outcome"]) for each in await board.replay()] == [(each, "accepted") for each in ids[1:]]
        monkeypatch.undo()
        assert [(each["event_id"], each["outcome"]) for each in await board.replay()] == [(ids[0], "accepted")]
    finally:
        await use(board, mapping())


async def test_of_one_source_so_many_refused_payloads_are_kept_and_none_that_is_too_large(
    board: Switchboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    await board.query("delete from hotline_refusals")
    monkeypatch.setattr(payloads, "MOST_SEALED", 3)
    keys, bad = keys_of(board.office), [refused("id", "missing")]
    small = Arrival(SOURCE, Door.KAFKA, bad, b"{}", {})
    arrivals = [small._replace(payload=b"x" * 262_145), *[small] * 4, small._replace(source=OTHER)]
    answers = [[Taken(None, EventOutcome.REFUSED, wrong=bad[0].wrong)] for _ in arrivals]
    database = board.office.app.state.runtime.database
    for _ in range(2):
        async with database.transaction() as tx:
            assert await payloads.keep_refused(tx, keys, arrivals, answers) == set()

    rows = await board.query("select source, payload is not null from hotline_refusals order by id")
    assert [tuple(row) for row in rows] == [
        (SOURCE, False), *[(SOURCE, True)] * 3, (SOURCE, False), (OTHER, True), *[(SOURCE, False)] * 5, (OTHER, True),
    ]  # fmt: skip


async def test_refused_events_are_found_without_reading_the_others(board: Switchboard) -> None:
    async with board.office.app.state.runtime.database.transaction() as tx:
        plan = await tx.driver.fetch(f"explain (analyze, format text) {_READ}", SOURCE, None, "refused", None, None, 100)
    lines = [row[0] for row in plan]
    assert [line for line in lines if "hotline_refusals" in line], lines
    assert [line for line in lines if "hotline_events" in line and "never executed" not in line] == [], lines


async def use(board: Switchboard, text: str) -> None:
    """Write the mapping of the source, and wait until it is in force or told to be of no use."""
    sources = board.office.app.state.hotline.sources
    (board.folders.folder / "mappings" / f"{SOURCE}.yaml").write_text(text, encoding="utf-8")
    sources.refresh()


async def test_a_broken_mapping_changes_nothing_and_is_told(board: Switchboard) -> None:
    file = f"hotline/{SOURCE}"
    await use(board, mapping().replace("kind:", "kinds:"))
    try:
        assert board.valid(file) == 0
        assert (await board.take(event()))[0]["outcome"] == "accepted"
    finally:
        await use(board, mapping())
    assert board.valid(file) == 1


async def test_two_secrets_count_while_they_are_exchanged(board: Switchboard) -> None:
    file, old = board.folders.folder / "secrets" / SOURCE, board.folders.live[SOURCE]
    sources = board.office.app.state.hotline.sources
    try:
        board.folders.add(text=mapping())
        new = board.folders.live[SOURCE]
        file.write_text(f"{new}\n{old}\n")
        sources.refresh()
        for secret in (old, new):
            board.folders.live[SOURCE] = secret
            assert (await board.take(event("noise")))[0]["outcome"] == "ignored"
        file.write_text(f"{new}\n")
        sources.refresh()
        board.folders.live[SOURCE] = old
        assert (await board.post(event("noise"))).json()["reason"] == "signature_wrong"
    finally:
        file.write_text(f"{old}\n")
        board.folders.live[SOURCE] = old
        sources.refresh()


async def test_refused_payloads_are_sealed_and_gone_within_a_day(board: Switchboard) -> None:
    secret = f"Chuyện riêng {uuid4().hex}"
    assert (await board.post({"id": "sealed-1", "text": secret})).status_code == 422
    (row,) = await board.query("select id, payload, received_at from hotline_refusals where event_id = 'sealed-1'")
    assert secret.encode() not in row[1]
    assert secret.encode() in keys_of(board.office).open(row[1], row[0], "hotline")

    await board.query("update hotline_refusals set received_at = received_at - $1::interval", timedelta(hours=23, minutes=55))
    await run(board, "erase refused payloads")
    assert await board.query("select from hotline_refusals where payload is not null") == []
    assert await board.query("select from hotline_refusals where event_id = 'sealed-1'") != []
    for table in ("hotline_events", "hotline_refusals"):
        await board.query(f"update {table} set received_at = received_at - interval '14 days'")
    await run(board, "forget old hotline events")
    assert await board.query("select from hotline_refusals") == await board.query("select from hotline_events") == []


async def run(board: Switchboard, name: str) -> None:
    """Run a job now."""
    (job,) = [each for each in board.office.app.state.runtime.jobs if each.name == name]
    await job.run()
