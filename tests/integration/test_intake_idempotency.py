"""Idempotency for good: two replicas, a kill between commit and answer, and keys that are forgotten only when they are old."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import ValidationError

from services.intake import forgetting
from services.intake.settings import IntakeSettings
from shared.persistence.database import Database
from shared.security.tokens import Role
from tests.support.installation import Installation, installed
from tests.support.servers import Servers
from tests.support.waiting import eventually

AGENCY = "ldtbxh-haiphong"
BODY: dict[str, Any] = {"agency": AGENCY, "kind": "dossier", "procedure": "1.001806", "channel": "counter"}
FIRST, SECOND = "intake", "intake-2"


@pytest.fixture(scope="module")
async def city(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    async with installed(servers, tmp_path_factory.mktemp("idempotency"), "intake") as running:
        running.start("intake", SECOND)
        await running.ready()
        yield running


async def post(city: Installation, replica: str, key: str, role: Role = Role.OFFICER, **more: Any) -> httpx.Response:
    headers = city.headers(role, AGENCY, **{"Idempotency-Key": key})
    return await city.http.post(city.url(replica, "/v1/cases"), json={**BODY, **more}, headers=headers)


async def cases_of(city: Installation, key: str) -> int:
    """How many cases there are of a key, with and without the key's own row."""
    rows = await city.query("intake", "select case_id from idempotency where key = $1", key)
    return len(await city.query("intake", "select 1 from cases where case_id = any($1::uuid[])", [row[0] for row in rows]))


async def test_twenty_equal_requests_at_two_replicas_open_one_case_and_get_equal_answers(city: Installation) -> None:
    for _ in range(5):
        key = str(uuid4())
        before = (await city.query("intake", "select count(*) from cases"))[0][0]
        answers = await asyncio.gather(*(post(city, (FIRST, SECOND)[number % 2], key) for number in range(20)))
        assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 19}
        assert len({answer.content for answer in answers}) == 1
        assert len({answer.headers["location"] for answer in answers}) == 1
        assert (await city.query("intake", "select count(*) from cases"))[0][0] == before + 1
        assert await cases_of(city, key) == 1


async def test_of_two_contents_under_one_key_at_once_one_is_filed_and_the_other_refused(city: Installation) -> None:
    key = str(uuid4())
    answers = await asyncio.gather(*(post(city, (FIRST, SECOND)[n % 2], key, counter=f"quay-{n % 2}") for n in range(20)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 9, 409: 10}


async def test_a_client_that_never_saw_its_answer_gets_it_after_a_kill(city: Installation) -> None:
    key, doomed = str(uuid4()), "doomed"
    city.start("intake", doomed, MOTCUA_FAILPOINTS="after_commit=sleep:0.9999999:60")
    await city.ready(doomed)
    asked = asyncio.create_task(post(city, doomed, key))
    await eventually("the case is committed", lambda: cases_of(city, key))
    city.kill(doomed)
    with pytest.raises(httpx.TransportError):
        await asked
    city.start("intake", doomed)
    await city.ready(doomed)
    answers = [await post(city, replica, key) for replica in (doomed, FIRST, SECOND)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len({answer.content for answer in answers}) == 1
    assert await cases_of(city, key) == 1


async def test_who_sends_a_filing_again_when_it_is_too_late_gets_its_case(city: Installation) -> None:
    at = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    key = str(uuid4())
    first = await post(city, FIRST, key, Role.IMPORTER, filed_at=at)
    again, unknown = await post(city, SECOND, key, filed_at=at), await post(city, SECOND, str(uuid4()), filed_at=at)
    assert (first.status_code, again.status_code, unknown.status_code) == (201, 200, 403)
    assert again.content == first.content


async def forget(city: Installation, days: int) -> int:
    settings = IntakeSettings(
        kafka_bootstrap=city.bootstrap, postgres_url=city.postgres, database_prefix=f"{city.run}_",
        token_public_key_file=city.keys.folder / "public.json", private_key_file=city.keys.folder / "key",
    )  # fmt: skip
    database = Database(settings, "intake")
    try:
        return await forgetting.forget_keys(database, timedelta(days=days))
    finally:
        await database.close()


async def test_old_keys_of_live_cases_are_forgotten_and_those_of_imports_never(
    city: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "BLOCKS_AT_ONCE", 1)
    keys = {name: str(uuid4()) for name in ("old", "young", "imported")}
    bodies = {name: (await post(city, FIRST, key, Role.IMPORTER, **_origin(name))).json() for name, key in keys.items()}
    for name, days in (("old", 8), ("young", 6), ("imported", 4000)):
        statement = "update idempotency set created_at = now() - make_interval(days => $2::int) where case_id = $1 returning 1"
        assert await city.query("intake", statement, UUID(bodies[name]["case_id"]), days)
    assert await forget(city, 7) == 1
    assert await forget(city, 7) == 0
    left = await city.query("intake", "select key from idempotency where key = any($1)", list(keys.values()))
    assert {row[0] for row in left} == {keys["young"], keys["imported"]}
    again = {name: await post(city, SECOND, key, Role.IMPORTER, **_origin(name)) for name, key in keys.items()}
    assert {name: answer.status_code for name, answer in again.items()} == {"old": 201, "young": 200, "imported": 200}


def _origin(name: str) -> dict[str, str]:
    return {"origin": "import", "filed_at": "2019-05-06T08:00:00+07:00"} if name == "imported" else {}


def test_keys_are_kept_for_a_week_at_least(city: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in city.environment.items():
        if name.startswith("MOTCUA_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("MOTCUA_IDEMPOTENCY_DAYS", "6")
    with pytest.raises(ValidationError, match="greater than or equal to 7"):
        IntakeSettings()
