"""The public look-up tells nothing by what it refuses, and how often it may be asked is limited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import event

from tests.support.intake import MANY, Office, open_office
from tests.support.servers import Servers

EACH, ALL = 5, 40
HIDDEN_ID, HIDDEN_CODE = uuid4(), "000.00.07.H24-201217-999999"
"""A case of which facts were heard before its filing: known, and not public."""


@pytest.fixture(scope="module")
async def office(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with open_office(servers, tmp_path_factory.mktemp("lookup"), trusted_proxies="127.0.0.1") as running:
        async with running.app.state.runtime.database.transaction() as tx:
            await tx.driver.execute("insert into cases (case_id, code) values ($1, $2)", HIDDEN_ID, HIDDEN_CODE)
        yield running


@pytest.fixture
async def anybody(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    async with office.client(None) as client:
        yield client


@pytest.fixture
def statements(office: Office) -> Iterator[list[str]]:
    """What is asked of the database, in order."""
    told, engine = list[str](), office.app.state.runtime.database.engine.sync_engine

    def note(*given: object) -> None:
        told.append(str(given[2]))

    event.listen(engine, "before_cursor_execute", note)
    yield told
    event.remove(engine, "before_cursor_execute", note)


def shown(answer: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    """An answer but for its date."""
    return answer.status_code, {name: value for name, value in answer.headers.items() if name != "date"}, answer.content


IDS = [str(uuid4()), str(HIDDEN_ID), "nonsense", "00000000-0000-0000-0000-000000000000", "x" * 3000, "%00", "%FF", "%C3%A9"]
CODES = [
    "000.00.07.H24-201217-000001",
    HIDDEN_CODE,
    "",
    "a%00b",
    "%FF",
    "a/b",
    "a" * 64,
    "a" * 3000,
    "-",
    "'",
    "%ED%A0%80",
]


@pytest.mark.parametrize("paths", [IDS, [f"by-code/{code}" for code in CODES]], ids=["id", "code"])
async def test_unknown_malformed_and_hidden_cases_get_one_answer_after_the_same_work(
    anybody: httpx.AsyncClient, statements: list[str], paths: list[str]
) -> None:
    answers, works = [], []
    for path in paths:
        asked = []
        for _ in range(3):  # jobs of the service ask the same database now and then: they only add
            statements.clear()
            answers.append(shown(await anybody.get(f"/v1/cases/{path}/status")))
            asked.append(tuple(statements))
        works.append(min(asked, key=len))
    assert answers[0][0] == 404
    assert [number for number, answer in enumerate(answers) if answer != answers[0]] == []
    assert [path for path, work in zip(paths, works, strict=True) if work != works[0]] == []
    assert len([each for each in works[0] if each.startswith("SELECT")]) == 1


async def test_an_id_and_a_code_that_are_unknown_get_the_same_answer(anybody: httpx.AsyncClient) -> None:
    assert shown(await anybody.get(f"/v1/cases/{IDS[0]}/status")) == shown(
        await anybody.get(f"/v1/cases/by-code/{CODES[0]}/status")
    )


@pytest.fixture(scope="module")
async def strict(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    limits = {"lookup_per_minute": EACH, "lookup_total_per_minute": ALL, "trusted_proxies": "127.0.0.1"}
    async with open_office(servers, tmp_path_factory.mktemp("strict"), **limits) as running:
        yield running


async def series(office: Office, whose: str) -> float:
    return float(office.app.state.runtime.registry.get_sample_value("motcua_intake_refused_lookups_total", {"whose": whose}) or 0)


async def test_who_asks_too_often_is_told_when_to_come_back_whatever_it_asks(strict: Office) -> None:
    before = await series(strict, "client")
    paths = [str(uuid4()), "nonsense", "by-code/H24-1"]
    async with strict.client(None) as client:
        answers = [
            await client.get(f"/v1/cases/{paths[turn % 3]}/status", headers={"X-Forwarded-For": "203.0.113.7"})
            for turn in range(EACH + 3)
        ]
        assert [answer.status_code for answer in answers] == [404] * EACH + [429] * 3
        for answer in answers[EACH:]:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["type"] == "urn:motcua:problem:too-many"
            assert 1 <= int(answer.headers["retry-after"]) <= 60 / EACH
        assert await series(strict, "client") - before == 3
        other = await client.get(f"/v1/cases/{uuid4()}/status", headers={"X-Forwarded-For": "203.0.113.8"})
        assert other.status_code == 404
        forged = await client.get(f"/v1/cases/{uuid4()}/status", headers={"X-Forwarded-For": "198.51.100.9, 203.0.113.7"})
        assert forged.status_code == 429
        assert (await client.get("/v1/procedures", headers={"X-Forwarded-For": "203.0.113.7"})).status_code == 200


async def test_many_addresses_together_have_a_limit_too(strict: Office) -> None:
    before = await series(strict, "service")
    async with strict.client(None) as client:
        codes = [
            (await client.get(f"/v1/cases/{uuid4()}/status", headers={"X-Forwarded-For": f"198.51.100.{number}"})).status_code
            for number in range(2 * ALL)
        ]
    assert set(codes) == {404, 429}
    assert codes.count(404) <= ALL + 2  # a place or two came free meanwhile
    assert await series(strict, "service") - before == codes.count(429)


async def test_no_header_buys_further_look_ups_where_no_proxy_is_trusted(servers: Servers, tmp_path: Path) -> None:
    async with (
        open_office(servers, tmp_path, lookup_per_minute=EACH, lookup_total_per_minute=MANY) as office,
        office.client(None) as client,
    ):
        codes = [
            (await client.get(f"/v1/cases/{uuid4()}/status", headers={"X-Forwarded-For": f"203.0.113.{turn}"})).status_code
            for turn in range(EACH + 2)
        ]
    assert codes == [404] * EACH + [429] * 2
