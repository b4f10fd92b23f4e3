"""Whoever asks has an answer in time, by the framework's way and by the short one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter

from shared.service import Runtime, create_service_app
from shared.service.door import Reply, ShortWay, Visit
from shared.settings import ServiceSettings
from tests.support.servers import Keys

ANSWER_SECONDS, PATIENCE_SECONDS = 0.2, 3.0


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys.make(tmp_path)


@pytest.fixture
def transport(keys: Keys) -> httpx.ASGITransport:
    """A service that answers nothing: `GET /hung` through every layer, `POST /short` by the short way."""
    router = APIRouter()

    @router.get("/hung")
    async def hung() -> None:
        await asyncio.Event().wait()

    async def answer(_: Visit) -> Reply:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    settings = ServiceSettings(
        kafka_bootstrap="nowhere:1",
        postgres_url="postgresql://nowhere:1/",
        token_public_key_file=keys.folder / "public.json",
        private_key_file=keys.folder / "key",
        answer_seconds=ANSWER_SECONDS,
    )
    runtime = Runtime("metrics", settings, Path("unused"))
    return httpx.ASGITransport(create_service_app(runtime, router, title="metrics", short=ShortWay("/short", (), 100, answer)))


@pytest.mark.parametrize("asked", [("GET", "/hung"), ("POST", "/short")])
async def test_an_answer_that_does_not_come_in_time_is_503(
    keys: Keys, transport: httpx.ASGITransport, asked: tuple[str, str]
) -> None:
    headers = {"Authorization": f"Bearer {keys.token()}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://sample", headers=headers) as http:
        answer = await asyncio.wait_for(http.request(*asked), PATIENCE_SECONDS)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
