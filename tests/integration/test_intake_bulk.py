"""Bulk uploads of a real intake: a dry run, and keys that come again while they are being committed."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.intake import AGENCY, Office, open_office
from tests.support.servers import Servers

BODY: dict[str, Any] = {"agency": AGENCY, "kind": "dossier", "procedure": "1.001806", "channel": "online"}


@pytest.fixture(scope="module")
async def office(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with open_office(servers, tmp_path_factory.mktemp("bulk"), intake_bulk_group=50) as opened:
        yield opened


@pytest.fixture
async def officer(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    async with office.client() as client:
        yield client


def lines(name: str, count: int, **more: Any) -> bytes:
    return "\n".join(json.dumps({**BODY, "idempotency_key": f"{name}-{number}", **more}) for number in range(count)).encode()


async def upload(officer: httpx.AsyncClient, content: bytes, **params: str) -> list[dict[str, Any]]:
    answer = await officer.post("/v1/cases/bulk", content=content, params=params)
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_a_dry_run_of_a_bulk_upload_files_nothing(office: Office, officer: httpx.AsyncClient) -> None:
    before = await office.count("idempotency")
    content = lines("dry", 100) + b"\nnot json\n" + lines("dry", 1, agency="another")
    told = await upload(officer, content, dry_run="1")
    assert Counter(each["status"] for each in told) == {200: 100, 422: 1, 403: 1}
    assert not [each for each in told if "case_id" in each]
    assert await office.count("idempotency") == before
    assert Counter(each["status"] for each in await upload(officer, lines("dry", 100))) == {201: 100}


async def test_uploads_of_the_same_lines_at_the_same_time_open_each_case_once(office: Office, officer: httpx.AsyncClient) -> None:
    """Groups of fifty, two transactions at a time: keys meet within a group, across groups and across uploads."""
    content = lines("same", 400)
    told = await asyncio.gather(*(upload(officer, content) for _ in range(4)))
    statuses = Counter(each["status"] for some in told for each in some)
    assert statuses == {201: 400, 200: 1200}
    assert len({tuple(each["case_id"] for each in some) for some in told}) == 1
    assert await office.count("cases", {each["case_id"] for each in told[0]}) == 400
