"""Messages that go from planning straight to the sender: nothing is lost with the process, and nothing is sent twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer
from uuid_utils.compat import uuid7

from services.notification import repository
from services.notification.channels.file import FileChannel
from services.notification.domain.case import Case, evolve
from shared.contracts.envelope import Envelope
from shared.contracts.events import CaseEvent
from shared.contracts.topics import CASE_EVENTS
from shared.contracts.words import Origin
from shared.messaging.kafka import make_producer
from shared.observability.failpoints import EXIT_STATUS
from tests.support.installation import Installation, installed
from tests.support.notification import OCCURRED_AT, Notification, accepted, entry_about, resolved, returned
from tests.support.servers import Servers
from tests.support.waiting import eventually

SENT = [("case.accepted", "file", "sent", None), ("case.resolved", "file", "sent", None), ("case.returned", "file", "sent", None)]
LEASE = timedelta(seconds=2 * FileChannel.lease_seconds)


async def replay(producer: AIOKafkaProducer, topic: str, case_id: UUID, events: Sequence[CaseEvent]) -> None:
    for sequence, event in enumerate(events, 1):
        envelope = Envelope(
            str(uuid7()), event.type, "/processing", str(case_id), event.agency, OCCURRED_AT, datetime.now(UTC), Origin.REPLAY,
            sequence,
        )  # fmt: skip
        await producer.send(topic, event.model_dump_json().encode(), key=str(case_id).encode(), headers=envelope.to_headers())
    await producer.flush()


def lines_of(city: Installation) -> list[dict[str, Any]]:
    file = city.folder / "messages.ndjson"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


async def test_what_was_planned_by_a_process_that_dies_before_sending_is_sent_once_when_its_lease_is_over(
    servers: Servers, tmp_path: Path
) -> None:
    """Killed between the commit of the plan and the hand-over; a replica that was there all the time sends it, and only then."""
    async with installed(servers, tmp_path, "notification") as city, make_producer(city.kafka, "test") as producer:
        city.kill("notification")
        city.start("notification", MOTCUA_FAILPOINTS="after_commit=exit:1")
        await city.ready("notification")
        case_id = uuid7()
        await replay(producer, f"{city.run}-{CASE_EVENTS.name}", case_id, [accepted(), resolved(), returned()])

        async def dead() -> bool:
            return city.processes["notification"].poll() is not None

        await eventually("the process is dead", dead)
        assert city.processes["notification"].returncode == EXIT_STATUS
        planned = (await city.query("notification", "select count(*) from ledger where status = 'pending'"))[0][0]
        assert planned >= 1
        assert lines_of(city) == []
        for name in ("one", "two"):
            city.start("notification", name)

        async def all_sent() -> bool:
            states = await city.query("notification", "select status from ledger")
            return [row[0] for row in states] == ["sent"] * 3

        await eventually("all is sent", all_sent, within=60)
        lines, waits = lines_of(city), await city.query("notification", "select sent_at - created_at from ledger order by id")
        stated = await city.query("notification", "select stated from cases")
    assert sorted(line["fact"] for line in lines) == ["case.accepted", "case.resolved", "case.returned"]
    assert [row[0] for row in stated] == [3]
    assert sum(row[0] >= LEASE for row in waits) >= planned


async def test_two_replicas_send_each_message_once(servers: Servers, tmp_path: Path) -> None:
    async with installed(servers, tmp_path, "notification") as city, make_producer(city.kafka, "test") as producer:
        city.start("notification", "second")
        await city.ready("second")
        cases = [uuid7() for _ in range(400)]
        for case_id in cases:
            await replay(producer, f"{city.run}-{CASE_EVENTS.name}", case_id, [accepted(), resolved(), returned()])

        async def all_sent() -> bool:
            return list(map(tuple, await city.query("notification", "select status, count(*) from ledger group by 1"))) == [
                ("sent", 1200)
            ]

        await eventually("all is sent", all_sent, within=60)
        lines = lines_of(city)
        ((stated, most),) = await city.query("notification", "select sum(stated), max(stated) from cases")
    assert len(lines) == len({line["id"] for line in lines}) == 1200
    assert (stated, most) == (1200, 3)


async def test_what_is_handed_over_is_claimed_by_nobody(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed, claim_due = list[Any](), repository.claim_due

    async def watched(*arguments: Any, **more: Any) -> Any:
        found = await claim_due(*arguments, **more)
        claimed.extend(found)
        return found

    monkeypatch.setattr(repository, "claim_due", watched)
    async with Notification.run(servers, tmp_path) as service:
        case_id = uuid7()
        await service.state(case_id, accepted(), resolved(), returned(), origin=Origin.REPLAY)
        await service.ledger_becomes(case_id, *SENT)
        assert claimed == []


async def test_what_a_sender_has_no_room_for_is_claimed_at_once(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notification.handover.Handover.has_room", False)
    async with Notification.run(servers, tmp_path) as service:
        case_id = uuid7()
        await service.state(case_id, accepted(), resolved(), returned(), origin=Origin.REPLAY)
        await service.ledger_becomes(case_id, *SENT)
        ((slowest,),) = await service.query("select max(sent_at - created_at) from ledger")
    assert slowest < timedelta(seconds=FileChannel.lease_seconds)


async def test_of_messages_that_are_in_the_ledger_already_only_the_others_are_added(servers: Servers, tmp_path: Path) -> None:
    """COPY fails on the one that is there, and the transaction goes on."""
    async with Notification.run(servers, tmp_path) as service:
        first, second, third = (entry_about(uuid7(), accepted(), evolve(Case(), accepted())) for _ in range(3))
        again = first._replace(id=uuid7())
        async with service.app.state.runtime.database.transaction() as tx:
            assert await repository.add_entries(tx, [first]) == {first.id}
        async with service.app.state.runtime.database.transaction() as tx:
            assert await repository.add_entries(tx, [second, again, third]) == {second.id, third.id}
            assert await repository.add_entries(tx, []) == set()
        found = await service.query("select id from ledger")
    assert {row[0] for row in found} == {first.id, second.id, third.id}
