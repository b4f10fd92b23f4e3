"""Who reads, how far they have come, and when a city has come to rest."""

from __future__ import annotations

import contextlib

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.contracts.topics import CASE_COMMANDS, CASE_EVENTS, group_of
from tests.support.chaos.history import Offsets, ends, places
from tests.support.installation import SERVICES, Installation
from tests.support.waiting import eventually

REST_SECONDS = 90.0
GROUPS = [(group_of(service, CASE_EVENTS), CASE_EVENTS) for service in SERVICES] + [
    (group_of("processing", CASE_COMMANDS), CASE_COMMANDS)
]
ANSWER_MILLISECONDS = 3_000


async def members(city: Installation, service: str) -> int | None:
    """How many replicas share a service's work on case events, as Kafka sees it; None while it does not say."""
    admin = AIOKafkaAdminClient(bootstrap_servers=city.bootstrap, request_timeout_ms=ANSWER_MILLISECONDS)
    try:
        await admin.start()
        (answer,) = await admin.describe_consumer_groups([f"{city.run}-{group_of(service, CASE_EVENTS)}"])
        ((_, _, _, _, _, found, *_),) = answer.groups
        return len(found)
    except (KafkaError, OSError, TimeoutError, ValueError):
        return None
    finally:
        with contextlib.suppress(KafkaError, OSError):
            await admin.close()


async def quiet(city: Installation, agency: str) -> None:
    """Wait until no outbox holds anything, no message waits, and every group has committed all there is; twice in a row."""
    admin, before = AIOKafkaAdminClient(bootstrap_servers=city.bootstrap), Offsets()
    await admin.start()

    async def look() -> bool:
        nonlocal before
        for service in SERVICES:
            assert not await city.query(service, "select 1 from outbox limit 1"), f"outbox of {service}"
        waiting = "select status from ledger where status in ('waiting', 'pending') limit 1"
        assert not await city.query("notification", waiting), "ledger"
        end = await ends(city, CASE_EVENTS, CASE_COMMANDS)
        for group, topic in GROUPS:
            done = await admin.list_consumer_group_offsets(f"{city.run}-{group}")
            behind = {
                place.partition: end[place] - max(done[place].offset if place in done else 0, 0) for place in places(city, topic)
            }
            assert not any(behind.values()), f"{group} is behind: {behind}"
        last, before = before, end
        assert last == end, "twice in a row"
        return True

    try:
        await eventually(f"{agency} has come to rest", look, within=REST_SECONDS, every=0.2)
    finally:
        await admin.close()
