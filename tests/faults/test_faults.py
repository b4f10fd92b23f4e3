"""A few faults on real processes: after each, everything comes out exactly, without hands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from deploy.history.send import expected_of, send, settle
from deploy.history.services import Services
from deploy.replay.driver import past_of
from deploy.replay.model import make_year
from deploy.replay.scenario import load_scenario
from shared.contracts.events import CaseDueSoon, CaseEscalated, CaseOverdue
from shared.contracts.topics import CASE_COMMANDS, CASE_EVENTS, PARTITIONS, group_of
from tests.support.installation import SERVICES, Installation, installed
from tests.support.servers import Servers, frozen
from tests.support.waiting import eventually

pytestmark = pytest.mark.faults
RECEIVED, RESOLVED = 600, 580


@pytest.fixture(scope="module")
async def city(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    async with installed(servers, tmp_path_factory.mktemp("faults")) as running:
        yield running


async def send_year_during(city: Installation, agency: str, fault: Any) -> dict[str, Any]:
    """Send a year of 600 dossiers; once processing has begun with it, do `fault`; the figures at the end."""
    past = past_of(make_year(load_scenario(), RECEIVED, RESOLVED, 11, agency))
    async with city.as_importer() as services:
        sending = asyncio.create_task(_send_and_settle(services, past))

        async def under_way() -> bool:
            rows = await city.query("processing", "select count(*) from cases where agency = $1 and status > 1", agency)
            return bool(rows[0][0] > 20)

        await eventually("the year is under way", under_way)
        await fault()
        figures: dict[str, Any] = await asyncio.wait_for(sending, 150)
        assert (figures["received"], figures["resolved"], figures["open"]) == (RECEIVED, RESOLVED, RECEIVED - RESOLVED)
        await exactly_once(city, agency, expected_of(past))
        return figures


async def _send_and_settle(services: Services, past: Any) -> dict[str, Any]:
    await send(services, past, lambda *_: None)
    return await settle(services, past, lambda *_: None)


async def exactly_once(city: Installation, agency: str, expected: dict[str, int]) -> None:
    """Every case has its facts 1…n without a gap, one message per fact that notifies, nothing parked."""
    history = await city.query(
        "processing",
        "select count(*), max(sequence), count(distinct sequence), count(*) filter (where type = any($2)) as of_time, "
        "count(distinct (type, body)) filter (where type = any($2)) as different from history h join cases c using (case_id) "
        "where c.agency = $1 and type <> 'case.submitted' group by case_id",
        agency,
        [event.type for event in (CaseDueSoon, CaseOverdue, CaseEscalated)],
    )
    assert len(history) == RECEIVED
    assert all(count == last == distinct for count, last, distinct, *_ in history)
    assert sum(row["count"] - row["of_time"] for row in history) == sum(expected.values())
    assert all(row["of_time"] == row["different"] for row in history), "what time makes of a case is stated once"
    notified = expected["received"] + expected["resolved"] + expected["returned"]

    async def told() -> bool:
        rows = await city.query(
            "notification", "select count(*), count(distinct fact_id) from ledger where agency = $1 and status = 'sent'", agency
        )
        return tuple(rows[0]) == (notified, notified)

    await eventually("one message per fact", told, within=60)
    for service in SERVICES:
        parked = await city.query(service, "select reason, detail from parked")
        assert parked == [], service
    assert await city.query("metrics", "select * from missing_events") == []


@pytest.mark.parametrize("service", SERVICES)
async def test_kill_9_of_a_service_loses_nothing_and_doubles_nothing(city: Installation, service: str) -> None:
    async def fault() -> None:
        city.kill(service)
        city.start(service)
        await city.ready(service)

    await send_year_during(city, f"so-kill-{service}", fault)


async def test_a_restart_of_kafka_is_waited_out(city: Installation, servers: Servers) -> None:
    async def fault() -> None:
        await asyncio.to_thread(servers.kafka.kill)

        async def said() -> bool:
            reasons = (await city.http.get(city.url("metrics", "/health/ready"))).json()["reasons"]
            return any(reason.startswith("Kafka") for reason in reasons)

        await eventually("metrics says that Kafka is away", said)
        await asyncio.to_thread(servers.kafka.start)

    await send_year_during(city, "so-kafka", fault)


async def test_a_restart_of_postgresql_is_waited_out_with_503_and_metrics_still_answer(
    city: Installation, servers: Servers
) -> None:
    async def fault() -> None:
        await asyncio.to_thread(servers.postgres.kill)
        headers = city.headers() | {"Idempotency-Key": "while-away"}
        body = {"agency": "so-away", "kind": "dossier", "procedure": "1.001806", "channel": "counter"}
        answer = await city.http.post(city.url("intake", "/v1/cases"), headers=headers, json=body)
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert (await city.http.get(city.url("metrics", "/metrics"))).status_code == 200
        assert (await city.http.get(city.url("metrics", "/health/ready"))).status_code == 503
        await asyncio.to_thread(servers.postgres.start)

    await send_year_during(city, "so-postgres", fault)


async def test_a_hung_postgresql_is_503_within_3_seconds_and_metrics_still_answer(city: Installation, servers: Servers) -> None:
    """SIGSTOP: the server is there and never answers, which no refused connection tells."""
    body = {"agency": "so-hung", "kind": "dossier", "procedure": "1.001806", "channel": "counter"}
    headers = city.headers() | {"Idempotency-Key": "while-hung"}
    asked = {
        "intake": ("POST", "/v1/cases", body),
        "processing": ("GET", "/v1/cases?agency=so-hung", None),
        "notification": ("GET", f"/v1/messages?case_id={uuid4()}", None),
        "metrics": ("GET", "/v1/figures?agency=so-hung", None),
    }
    assert servers.postgres.pid
    with frozen(servers.postgres.pid):
        for _ in range(2):
            for name, (method, path, content) in asked.items():
                answer = await city.http.request(method, city.url(name, path), json=content, headers=headers)
                assert (answer.status_code, answer.headers.get("retry-after")) == (503, "2"), (name, answer.text)
                assert answer.elapsed.total_seconds() < 3
                assert (await city.http.get(city.url(name, "/metrics"))).status_code == 200

    async def recovered() -> bool:
        answers = [
            await city.http.request(method, city.url(name, path), json=content, headers=headers)
            for name, (method, path, content) in asked.items()
        ]
        return [answer.status_code for answer in answers] in ([201, 200, 200, 200], [200, 200, 200, 200])

    await eventually("all answer again", recovered)
    rows = await city.query("intake", "select count(*) from submissions where agency = 'so-hung'")
    assert rows[0][0] == 1


async def test_every_record_delivered_twice_changes_nothing(city: Installation) -> None:
    async with city.as_importer() as services:
        past = past_of(make_year(load_scenario(), 150, 140, 5, "so-twice"))
        before = await _send_and_settle(services, past)
        await quiet(city)
        messages = await city.query("notification", "select count(*) from ledger")
        for service in SERVICES:
            assert city.terminate(service) == 0
        ends = {group: await reset(city, group) for group in groups(city)}
        for service in SERVICES:
            city.start(service)
        await city.ready()
        await quiet(city)
        assert all([await committed(city, group) >= end > 0 for group, end in ends.items()])
        after = await services.figures("so-twice")
        assert after | {"clock": None} == before | {"clock": None}  # a live agency's clock is the time of the question
    assert await city.query("notification", "select count(*) from ledger") == messages


async def quiet(city: Installation) -> None:
    """Wait until no message waits to be sent, no outbox holds anything, and every group has read its topic to the end."""

    async def look() -> bool:
        waiting = [await city.query(service, "select 1 from outbox limit 1") for service in SERVICES]
        waiting.append(await city.query("notification", "select 1 from ledger where status in ('waiting', 'pending') limit 1"))
        return not any(waiting) and all([await committed(city, group) >= await end_of(city, group) for group in groups(city)])

    await eventually("the city is quiet", look, within=90, every=0.3)


def groups(city: Installation) -> list[str]:
    """Every group that reads case events or commands."""
    names = [group_of(service, CASE_EVENTS) for service in SERVICES] + [group_of("processing", CASE_COMMANDS)]
    return [f"{city.run}-{name}" for name in names]


def _places(city: Installation, group: str) -> list[TopicPartition]:
    topic = CASE_COMMANDS if group.endswith(CASE_COMMANDS.name) else CASE_EVENTS
    return [TopicPartition(f"{city.run}-{topic.name}", number) for number in range(PARTITIONS)]


async def reset(city: Installation, group: str) -> int:
    """Set a stopped group's offsets to 0; the number of records it must read again."""
    client = AIOKafkaConsumer(bootstrap_servers=city.bootstrap, group_id=group, enable_auto_commit=False)
    await client.start()
    try:
        places = _places(city, group)
        client.assign(places)
        ends = await client.end_offsets(places)
        await client.commit({place: OffsetAndMetadata(0, "") for place in places})
        return sum(ends.values())
    finally:
        await client.stop()


async def end_of(city: Installation, group: str) -> int:
    """How many records the group's topic holds."""
    client = AIOKafkaConsumer(bootstrap_servers=city.bootstrap)
    await client.start()
    try:
        places = _places(city, group)
        client.assign(places)
        client.pause(*places)
        return sum((await client.end_offsets(places)).values())
    finally:
        await client.stop()


async def committed(city: Installation, group: str) -> int:
    """How many records a group has committed."""
    client = AIOKafkaConsumer(bootstrap_servers=city.bootstrap, group_id=group, enable_auto_commit=False)
    await client.start()
    try:
        places = _places(city, group)
        client.assign(places)
        return sum([await client.committed(place) or 0 for place in places])
    finally:
        await client.stop()


async def test_a_service_starts_before_its_servers_are_there_and_waits(servers: Servers, city: Installation) -> None:
    assert city.terminate("metrics") == 0
    await asyncio.to_thread(servers.kafka.kill)
    await asyncio.to_thread(servers.postgres.kill)
    city.start("metrics")

    async def waits() -> Any:
        live = await city.http.get(city.url("metrics", "/health/live"))
        ready = await city.http.get(city.url("metrics", "/health/ready"))
        return live.status_code == 200 and ready.status_code == 503 and ready.json()["reasons"]

    reasons = await eventually("it lives and says what it waits for", waits)
    assert any("PostgreSQL" in reason for reason in reasons)
    await asyncio.to_thread(servers.postgres.start)
    await asyncio.to_thread(servers.kafka.start)
    await city.ready()
