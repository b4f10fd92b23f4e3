"""A source plugged in by a file speaks at the webhook, skips a number, and goes silent: what the metrics service says of it."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.hotline.reading import read_mapping
from shared.hotline.signing import sign
from tests.support.installation import Installation, installed
from tests.support.servers import Servers
from tests.support.waiting import eventually

SOURCE, AGENCY = "nguon-thu", "tong-dai-haiphong"
SILENCE_SECONDS = 60
MAPPING = f"""
source: {SOURCE}
title: {{vi: "Nguồn thử", en: "A source of the tests"}}
agency: {AGENCY}
authentication: {{scheme: standard_webhooks}}
id: id
time: {{expression: at, format: rfc3339}}
sequence: {{expression: number, scope: exchange}}
kind: {{expression: kind, table: {{call: call, hour: count}}}}
call: {{call_id: call, state: {{expression: state, table: {{new: created, up: answered, down: ended}}}}}}
count: {{hour_at: {{expression: hour, format: rfc3339}}, events: events}}
expected_silence: {{otherwise_minutes: {SILENCE_SECONDS // 60}}}
"""
LAST = f'motcua_feed_last_event_timestamp_seconds{{source="{SOURCE}"}}'
EXPECTED = f'motcua_feed_expected_silence_seconds{{source="{SOURCE}"}}'
MISSING = f'motcua_feed_missing_events{{source="{SOURCE}"}}'
ANSWERED = f'motcua_hotline_calls_total{{outcome="answered",source="{SOURCE}"}}'


@dataclass(slots=True)
class Vendor:
    """Sends events as the source does."""

    town: Installation
    secret: str
    number: int = 0

    async def say(self, kind: str, at: datetime, **content: Any) -> None:
        """One event, signed, with the next number."""
        self.number += 1
        event = {"id": secrets.token_hex(8), "kind": kind, "at": at.isoformat(), "number": self.number, "exchange": "pbx-1"}
        body = json.dumps(event | content).encode()
        mapping = read_mapping(MAPPING, "mapping")
        headers = sign(mapping.authentication, self.secret, body, secrets.token_hex(8), datetime.now(UTC))
        url = self.town.url("intake", f"/v1/hotline/{SOURCE}")
        answer = await self.town.http.post(url, content=body, headers={"content-type": "application/json", **headers})
        assert (answer.status_code, answer.json()["results"][0]["outcome"]) == (200, "accepted"), answer.text

    async def feed(self) -> dict[str, Any]:
        """What the metrics service says of it."""
        answer = await self.town.get("metrics", "/v1/feeds", agency=AGENCY)
        (found,) = answer["feeds"]
        return dict(found)


@pytest.fixture
async def vendor(servers: Servers, tmp_path: Path) -> AsyncIterator[Vendor]:
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    for folder, name, content in (("mappings", f"{SOURCE}.yaml", MAPPING), ("secrets", SOURCE, secret)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(content)
    extra = {
        "MOTCUA_HOTLINE_DIR": str(tmp_path / "mappings"), "MOTCUA_HOTLINE_SECRETS_DIR": str(tmp_path / "secrets"),
        "MOTCUA_HOTLINE_SETTLE_SECONDS": "0.5", "MOTCUA_FEED_SECONDS": "0.5", "MOTCUA_METRICS_REFRESH_SECONDS": "0.2",
    }  # fmt: skip
    async with installed(servers, tmp_path, "intake", "metrics", extra=extra) as town:
        yield Vendor(town, secret)


async def test_a_source_that_stops_is_silent_at_the_stated_minute_and_a_number_that_it_skipped_is_named(vendor: Vendor) -> None:
    began = datetime.now(UTC)
    await vendor.say("call", began, call="c1", state="new")
    await vendor.say("call", began + timedelta(seconds=30), call="c1", state="down")
    await vendor.say("call", began + timedelta(seconds=7), call="c1", state="up")
    vendor.number += 1  # this one was lost on its way
    hour = began.replace(minute=0, second=0, microsecond=0)
    await vendor.say("hour", began, hour=hour.isoformat(), events=4)
    stopped = time.time()

    async def told() -> dict[str, float]:
        seen = await vendor.town.series("metrics")
        return seen if seen.get(ANSWERED) == 1 and seen.get(MISSING) == 1 else {}

    seen = await eventually("the call and the missing number are told", told)
    assert abs(seen[LAST] - stopped) < 2
    assert seen[EXPECTED] == SILENCE_SECONDS
    feed = await vendor.feed()
    assert feed["missing_numbers"] == [{"number": 4, "scope": "pbx-1"}]
    assert feed["calls"] == {"answered": 1, "abandoned": 0, "mean_waiting_seconds": 7.0}
    assert (feed["reported"]["events"], feed["reported"]["counted"], feed["reported"]["difference"]) == (4, 3, 1)
    assert (feed["silent"], feed["silent_since"]) == (False, None)

    while time.time() < seen[LAST] + SILENCE_SECONDS - 2:
        assert not await is_silent(vendor)
        await asyncio.sleep(1)
    await eventually("the feed is silent", lambda: is_silent(vendor), within=5)
    assert abs(time.time() - seen[LAST] - SILENCE_SECONDS) < 2
    assert (await vendor.feed())["silent_since"] == feed["last_event_at"]

    vendor.number = 3
    await vendor.say("call", began, call="c2", state="new")

    async def speaks() -> bool:
        return not await is_silent(vendor) and (await vendor.town.series("metrics"))[MISSING] == 0

    await eventually("it speaks again, and nothing is missing", speaks)


async def is_silent(vendor: Vendor) -> bool:
    """As the alert rule asks, and as the answer says; both must agree."""
    seen = await vendor.town.series("metrics")
    by_rule, by_answer = time.time() - seen[LAST] > seen[EXPECTED], (await vendor.feed())["silent"]
    return by_rule and by_answer
