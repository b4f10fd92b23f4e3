"""Erasure on real Kafka and PostgreSQL: what intake forgets, what it tells, and that a quiet topic is clean in time."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from deploy.erasure.topic import Found, read_case
from services.intake.forgetting import clear_digests
from shared.contracts.topics import CASE_PRIVATE
from shared.messaging.topics_admin import apply_topics, check_topics
from shared.security.key_file import derived, read_key_file
from shared.security.tokens import Role
from shared.settings import KafkaSettings
from tests.support.intake import AGENCY, Office, open_office
from tests.support.servers import Servers
from tests.support.waiting import eventually

BOUND = 4.0
CLEANING = 90.0
"""The bound, and the broker's own pause between two rounds of cleaning (15 s), with room for a busy machine."""
PERSON = {"name": "Trần Thị Hạt Dẻ", "email": "hat.de@example.vn", "phone": "0987654321", "id_number": "031185000123"}
BODY: dict[str, Any] = {
    "agency": AGENCY, "kind": "dossier", "procedure": "1.001806", "channel": "counter", "applicant": PERSON,
    "note": "Con tôi bị bệnh tim",
}  # fmt: skip
KEPT = "select (select count(*) from applicants where case_id = $1), (select count(*) from persons where case_id = $1)"


@pytest.fixture(scope="module")
async def office(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """Nobody reads here: once a fact is on the topic, the bulk lane stands still."""
    async with open_office(servers, tmp_path_factory.mktemp("erasure"), erasure_seconds=BOUND, bulk_lag_limit=0) as running:
        yield running


async def file(office: Office) -> str:
    async with office.client(Role.COUNTER) as http:
        answer = await http.post("/v1/cases", json=BODY, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case_id"])


async def erase(office: Office, case_id: str, agency: str | None = None, **params: str) -> Any:
    async with office.client(Role.ADMIN, agency) as http:
        return await http.delete(f"/v1/cases/{case_id}/applicant", params={"reason": "person_asked"} | params)


async def query(office: Office, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
    async with office.app.state.runtime.database.transaction() as tx:
        return [tuple(row) for row in await tx.driver.fetch(statement, *arguments)]


async def on_topic(office: Office, case_id: str, values: int, tombstones: int) -> Found:
    async def look() -> Found | None:
        found = await read_case(office.settings, UUID(case_id))
        if (len(found.values), found.tombstones) != (values, tombstones):
            raise LookupError(found)
        return found

    answer = await eventually(f"{values} values and {tombstones} tombstones of the case", look, within=CLEANING, every=0.5)
    assert answer is not None
    return answer


async def test_what_was_erased_leaves_a_quiet_topic_within_the_bound(office: Office) -> None:
    erased, kept = await file(office), await file(office)
    await on_topic(office, erased, 2, 0)

    answer = await erase(office, erased)
    assert answer.status_code == 200, answer.text
    assert answer.json()["keys"] == [f"{erased}/{what}" for what in ("contact", "note", "erased")]
    assert await query(office, KEPT, UUID(erased)) == [(0, 0)]

    await on_topic(office, erased, 0, 3)  # nothing but the pulse is written meanwhile
    await on_topic(office, kept, 2, 0)
    assert (await query(office, KEPT, UUID(kept)))[0][0] == 1


async def test_an_erasure_is_done_once_and_may_be_asked_for_again(office: Office) -> None:
    case_id = await file(office)
    rows = [(await erase(office, case_id)).json()["rows"] for _ in range(3)]

    assert rows[0] > 1
    assert rows[1:] == [0, 0] or rows[1] <= 3  # tombstones that were not sent yet are put anew
    logged = await query(
        office, "select action, purpose, outcome, role, agency from access_log where case_id = $1", UUID(case_id)
    )
    assert logged == [("erase", "person_asked", "erased", "admin", AGENCY)] * 3


async def test_of_an_erased_case_no_digest_is_left_and_its_key_still_finds_it(office: Office) -> None:
    async with office.client(Role.COUNTER) as http:
        kept, gone = [str(uuid4()) for _ in range(2)]
        cases = {key: (await http.post("/v1/cases", json=BODY, headers={"Idempotency-Key": key})).json() for key in (kept, gone)}
        await erase(office, cases[gone]["case_id"])
        await clear_digests(office.app.state.runtime.database)
        digests = dict(await query(office, "select key, digest from idempotency where key = any($1)", [kept, gone]))
        assert (len(digests[kept]), digests[gone]) == (32, b"")
        again = await http.post("/v1/cases", json=BODY | {"note": "Con tôi khỏe"}, headers={"Idempotency-Key": gone})
        assert (again.status_code, again.json()["case_id"]) == (200, cases[gone]["case_id"])
        other = await http.post("/v1/cases", json=BODY | {"note": "Con tôi khỏe"}, headers={"Idempotency-Key": kept})
        assert other.status_code == 409


async def test_only_an_administrator_of_the_agency_erases_and_says_why(office: Office) -> None:
    case_id = await file(office)
    async with office.client(Role.OFFICER) as http:
        assert (await http.delete(f"/v1/cases/{case_id}/applicant", params={"reason": "ordered"})).status_code == 403
    assert (await erase(office, case_id, "so-khac")).status_code == 404
    assert (await erase(office, str(uuid4()))).status_code == 404
    assert (await erase(office, case_id, reason="vì tôi thích")).status_code == 422
    assert (await query(office, KEPT, UUID(case_id)))[0][0] == 1
    outcomes = await query(office, "select outcome, asker_agency from access_log where case_id = $1", UUID(case_id))
    assert outcomes == [("other_agency", "so-khac")]


async def test_what_waits_in_the_outbox_is_never_sent(office: Office) -> None:
    """The bulk lane stands still: its contact would come after the tombstone."""
    await on_topic(office, await file(office), 2, 0)
    async with office.client(Role.COUNTER) as http:
        line = {**BODY, "idempotency_key": str(uuid4())}
        answer = await http.post("/v1/cases/bulk", json=line)
    case_id = answer.json()["case_id"]
    assert await waiting(office, case_id) == 2
    assert (await erase(office, case_id)).status_code == 200

    found = await on_topic(office, case_id, 0, 3)
    assert not found.values
    assert await waiting(office, case_id) == 0


async def test_a_rotation_that_holds_the_applicant_brings_nothing_back(office: Office) -> None:
    """It publishes the same value under another key in the bulk lane, and commits after the erasure was asked for."""
    case_id = await file(office)
    await on_topic(office, case_id, 2, 0)
    async with office.app.state.runtime.database.transaction() as tx:
        sealed = await tx.driver.fetchval("select ciphertext from applicants where case_id = $1 for update", UUID(case_id))
        erasing = asyncio.create_task(erase(office, case_id))
        locked = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like 'delete from applicants%'"
        await eventually("the erasure waits for the rotation", lambda: first(office, locked))
        await tx.driver.execute(
            "insert into outbox (lane, topic, key, headers, payload) values (1, $1, $2, '', $3)",
            CASE_PRIVATE.name, f"{case_id}/contact".encode(), sealed,
        )  # fmt: skip

    assert (await erasing).status_code == 200
    assert await waiting(office, case_id, "and payload is not null") == 0


async def test_values_of_version_1_are_erased_as_well(office: Office) -> None:
    case_id = await file(office)
    (master, *_), nonce = read_key_file(office.settings.private_key_file).keys, os.urandom(12)
    value = b"\x01" + nonce + AESGCM(derived(master, b"encrypt")).encrypt(nonce, b'{"name":"x"}', case_id.encode())
    await query(office, "update applicants set ciphertext = $2, note = null where case_id = $1", UUID(case_id), value)
    name = f"{office.settings.topic_prefix}{CASE_PRIVATE.name}"
    await office.producer.send_and_wait(name, value, key=f"{case_id}/contact".encode(), headers=[("ce_type", b"private.contact")])
    await on_topic(office, case_id, 3, 0)
    assert (await erase(office, case_id)).status_code == 200

    await on_topic(office, case_id, 0, 3)


async def test_the_service_says_what_it_holds(office: Office) -> None:
    case_id = await file(office)
    async with office.client(Role.ADMIN, None) as http:
        path = f"/v1/cases/{case_id}/holdings"
        assert (await http.get(path)).json()["held"]["applicants"] == 1
        assert (await http.get(path)).json()["held"]["persons"] == 1
        await erase(office, case_id)

        async def gone() -> bool:
            said = (await http.get(path)).json()
            return bool(said["erased"]) and not any(said["held"].values())

        await eventually("nothing is held", gone)
    async with office.client(Role.ADMIN) as http:
        assert (await http.get(path)).status_code == 403


async def test_topics_that_exist_get_the_settings_of_the_contract(servers: Servers, tmp_path: Path) -> None:
    run = f"s{secrets.token_hex(4)}-"
    before = KafkaSettings(kafka_bootstrap=servers.kafka.address, topic_prefix=run)
    after = before.model_copy(update={"erasure_seconds": 10.0})
    await apply_topics(before)
    assert await check_topics(before) == []
    name = f"{run}{CASE_PRIVATE.name}"
    await set_on(servers, name, {"cleanup.policy": "compact", "retention.bytes": "123456", "max.compaction.lag.ms": "86400000"})

    async def taken() -> bool:
        return (await settings_of(servers, name))["retention.bytes"] == "123456"

    await eventually("the broker has the settings", taken)
    assert await check_topics(after) != []

    assert await apply_topics(after) == []
    assert await check_topics(after) == []
    assert (await settings_of(servers, name))["retention.bytes"] == "123456"


async def set_on(servers: Servers, name: str, settings: dict[str, str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.kafka.address)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, settings)])
    finally:
        await admin.close()


async def settings_of(servers: Servers, name: str) -> dict[str, str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.kafka.address)
    await admin.start()
    try:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
        return {entry[0]: entry[1] for answer in answers for resource in answer.resources for entry in resource[4]}
    finally:
        await admin.close()


async def first(office: Office, statement: str) -> Any:
    return (await query(office, statement))[0][0]


async def waiting(office: Office, case_id: str, more: str = "") -> int:
    """Private records of a case that are still to be sent."""
    statement = f"select count(*) from outbox where topic = $1 and substring(key from 1 for 37) = $2 {more}"
    return int((await query(office, statement, CASE_PRIVATE.name, f"{case_id}/".encode()))[0][0])
