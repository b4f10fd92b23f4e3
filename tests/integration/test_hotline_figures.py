"""What the metrics service knows of feeds and calls: by facts on the topic, and by events at intake's door."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from shared.contracts import events as ev
from shared.contracts.envelope import Envelope
from shared.contracts.events.intake import MissingNumber
from shared.contracts.words import CallOutcome, Origin
from shared.security.tokens import Role
from tests.support.metrics import Fact, MetricsService, Topic, installation, replica
from tests.support.servers import Keys, Servers
from tests.support.waiting import eventually

SOURCE, AGENCY = "tong-dai-a", "tong-dai-haiphong"
HOUR = timedelta(hours=1)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys.make(tmp_path / "keys")


@pytest.fixture
async def topic(servers: Servers, keys: Keys) -> AsyncIterator[Topic]:
    async with installation(servers, keys) as made:
        yield made


@pytest.fixture
async def service(topic: Topic, keys: Keys) -> AsyncIterator[MetricsService]:
    async with replica(topic.settings, keys) as running:
        yield running


@dataclass(slots=True)
class Feed:
    """States facts of one source, numbering them."""

    source: str = SOURCE
    agency: str = AGENCY
    facts: list[Fact] = field(default_factory=list)

    def state(self, event: type[Any], **body: Any) -> Feed:
        """One more fact."""
        number, now = len(self.facts) + 1, datetime.now(UTC)
        made = event(agency=self.agency, source=self.source, **body)
        headers = (f"{self.source}{number}", event.type, "/intake", self.source, self.agency, now, now, Origin.LIVE, number)
        self.facts.append((Envelope(*headers), made))
        return self

    def call(self, outcome: CallOutcome, waiting: int) -> Feed:
        """A call that ended."""
        return self.state(ev.CallEnded, outcome=outcome, waiting_seconds=waiting, talking_seconds=0)

    def observed(self, accepted: int, **body: Any) -> Feed:
        """How it stands."""
        now = datetime.now(UTC)
        about: dict[str, Any] = {
            "last_event_at": now,
            "expected_silence_seconds": 600,
            "duplicate": 0,
            "ignored": 0,
            "refused": 0,
        }
        return self.state(ev.FeedObserved, accepted=accepted, **(about | body))

    def reported(self, hour_at: datetime, events: int, counted: int | None) -> Feed:
        """An hour that the source counted."""
        return self.state(ev.FeedReported, hour_at=hour_at, events=events, counted=counted)


async def feeds_of(service: MetricsService, agency: str = AGENCY, role: Role = Role.INTEGRATOR) -> list[dict[str, Any]]:
    answer = await service.get("/v1/feeds", role, agency, agency=agency)
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()["feeds"]
    return found


async def settled(service: MetricsService, accepted: int) -> dict[str, Any]:
    """The source's feed, once so many events are known."""

    async def look() -> dict[str, Any] | None:
        return next((each for each in await feeds_of(service) if each["events"]["accepted"] == accepted), None)

    found = await eventually(f"{accepted} accepted events are known", look)
    assert found is not None
    return found


async def series_of(service: MetricsService, expected: dict[str, float]) -> dict[str, float]:
    """The series of the hotline, once they hold these values."""

    async def look() -> dict[str, float]:
        lines = [line for line in (await service.exposition()).splitlines() if line.startswith(("motcua_feed", "motcua_hotline"))]
        seen = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}
        if {name: seen.get(name) for name in expected} != expected:
            raise LookupError({name: seen.get(name) for name in expected})
        return seen

    return await eventually("the series of the hotline", look)


def of(source: str, **labels: str) -> str:
    """Labels in the order of the exposition."""
    return ",".join(f'{name}="{value}"' for name, value in sorted({"source": source, **labels}.items()))


async def test_calls_and_feeds_are_counted_once_and_shown_as_series_and_by_agency(topic: Topic, service: MetricsService) -> None:
    now, hour = datetime.now(UTC), datetime(2026, 11, 20, 7, tzinfo=UTC)
    feed, other = Feed(), Feed("tong-dai-b", "ubnd-le-chan")
    for outcome, waiting in ((CallOutcome.ANSWERED, 4), (CallOutcome.ANSWERED, 5), (CallOutcome.ANSWERED, 61)):
        feed.call(outcome, waiting)
    feed.call(CallOutcome.ABANDONED, 4000).reported(hour, 126, 126).reported(hour + HOUR, 50, 47).reported(hour, 126, 125)
    feed.observed(900, last_event_at=now - HOUR)
    feed.observed(
        1000, duplicate=5, ignored=20, refused=2, late=3, missing=40, last_event_at=now,
        missing_numbers=(MissingNumber(number=8), MissingNumber(number=9, scope="pbx-1")),
    )  # fmt: skip
    other.observed(7, last_event_at=now - HOUR)
    await topic.send([*feed.facts, *other.facts, *feed.facts])  # all of them twice

    shown = await settled(service, 1000)
    assert shown == {
        "source": SOURCE, "last_event_at": shown["last_event_at"], "expected_silence_seconds": 600, "silent": False,
        "silent_since": None, "events": {"accepted": 1000, "duplicate": 5, "ignored": 20, "refused": 2}, "late": 3, "missing": 40,
        "missing_numbers": [{"number": 8, "scope": None}, {"number": 9, "scope": "pbx-1"}],
        "reported": {"hour_at": "2026-11-20T08:00:00Z", "events": 50, "counted": 47, "difference": 3},
        "calls": {"answered": 3, "abandoned": 1, "mean_waiting_seconds": 4070 / 4},
    }  # fmt: skip
    assert datetime.fromisoformat(shown["last_event_at"]) == now
    (silent,) = await feeds_of(service, "ubnd-le-chan")
    assert (silent["source"], silent["silent"], silent["reported"]) == ("tong-dai-b", True, None)
    assert datetime.fromisoformat(silent["silent_since"]) == now - HOUR

    answered, abandoned = of(SOURCE, outcome="answered"), of(SOURCE, outcome="abandoned")
    waited = "motcua_hotline_wait_seconds_bucket"
    await series_of(
        service,
        {
            f"motcua_hotline_calls_total{{{answered}}}": 3,
            f"motcua_hotline_calls_total{{{abandoned}}}": 1,
            f"motcua_hotline_calls_total{{{of('tong-dai-b', outcome='answered')}}}": 0,
            f"motcua_hotline_wait_seconds_count{{{answered}}}": 3,
            f"motcua_hotline_wait_seconds_sum{{{answered}}}": 70,
            f"{waited}{{{of(SOURCE, outcome='answered', le='5')}}}": 2,
            f"{waited}{{{of(SOURCE, outcome='answered', le='60')}}}": 2,
            f"{waited}{{{of(SOURCE, outcome='answered', le='120')}}}": 3,
            f"{waited}{{{of(SOURCE, outcome='abandoned', le='1800')}}}": 0,
            f"{waited}{{{of(SOURCE, outcome='abandoned', le='+Inf')}}}": 1,
            f"motcua_feed_expected_silence_seconds{{{of(SOURCE)}}}": 600,
            f"motcua_feed_events_total{{{of(SOURCE, outcome='duplicate')}}}": 5,
            f"motcua_feed_late_events_total{{{of(SOURCE)}}}": 3,
            f"motcua_feed_missing_events{{{of(SOURCE)}}}": 40,
            f"motcua_feed_reported_difference_events{{{of(SOURCE)}}}": 3,
        },
    )
    assert_sound(await service.exposition())


def assert_sound(exposition: str) -> None:
    """`promtool check metrics` finds nothing to say."""
    program = shutil.which("promtool")
    if program is not None:
        done = subprocess.run([program, "check", "metrics"], input=exposition, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


async def test_lost_facts_are_remembered_and_taken_once_when_they_come(topic: Topic, service: MetricsService) -> None:
    feed = Feed()
    for number in range(1, 10):
        feed.call(CallOutcome.ANSWERED, number)
    feed.observed(50).observed(60)
    lost = [feed.facts[place] for place in (2, 3, 9)]  # two calls, and the older of the two observations
    await topic.send(fact for fact in feed.facts if fact not in lost)
    await settled(service, 60)
    assert await missing(service) == [3, 4, 10]

    await topic.send([*lost, *lost, *feed.facts])
    await eventually("the lost facts came", lambda: no_more_missing(service))

    shown = await settled(service, 60)
    assert (shown["calls"]["answered"], shown["calls"]["mean_waiting_seconds"]) == (9, 5.0)


async def missing(service: MetricsService) -> list[int]:
    return [row[0] for row in await service.query("select sequence from missing_feed_facts order by 1")]


async def no_more_missing(service: MetricsService) -> bool:
    return await missing(service) == []


async def test_replicas_and_any_batches_count_every_call_once(topic: Topic, keys: Keys, service: MetricsService) -> None:
    random, feeds = Random(3), [Feed(f"source-{number}") for number in range(6)]
    expected: Counter[tuple[str, str]] = Counter()
    async with replica(topic.settings, keys):
        for round_ in range(8):
            for feed in feeds:
                for _ in range(random.randint(0, 20)):
                    outcome = random.choice([*CallOutcome])
                    expected[feed.source, outcome] += 1
                    feed.call(outcome, random.randint(0, 700))
                feed.observed(round_)
            await topic.send(fact for feed in feeds for fact in feed.facts[-random.randint(1, 60) :])
        await topic.send(fact for feed in feeds for fact in feed.facts)

        async def look() -> bool:
            shown = {each["source"]: each for each in await feeds_of(service)}
            counted = {(source, word): each["calls"][word] for source, each in shown.items() for word in CallOutcome}
            return len(shown) == len(feeds) and {key: count for key, count in counted.items() if count} == dict(expected)

        await eventually("every call is counted once", look, within=60)
    assert await missing(service) == []


async def test_feeds_are_shown_to_their_agency_only_and_to_no_other_role(topic: Topic, service: MetricsService) -> None:
    await topic.send(Feed().observed(1).facts)
    await settled(service, 1)

    assert await feeds_of(service, "another-agency") == []
    for role in (Role.OFFICER, Role.AUDITOR, Role.INTEGRATOR, Role.ADMIN):
        assert len(await feeds_of(service, role=role)) == 1
    stranger = await service.get("/v1/feeds", Role.INTEGRATOR, "another-agency", agency=AGENCY)
    counter = await service.get("/v1/feeds", Role.COUNTER, AGENCY, agency=AGENCY)
    nobody = await service.client.get("/v1/feeds", params={"agency": AGENCY})
    assert (stranger.status_code, counter.status_code, nobody.status_code) == (403, 403, 401)
