"""The metrics service on real Kafka and PostgreSQL: figures, series, gaps, replicas, access."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.imports.mapping import load_mapping
from deploy.imports.plan import make_plan
from services.metrics.main import create_app
from shared.contracts import events as ev
from shared.contracts.envelope import Envelope
from shared.contracts.words import ClockMode, Kind, Origin, Status, StopKind, Timeliness
from shared.security.tokens import Role
from tests.support.histories import figures_by_hand, random_history
from tests.support.metrics import Fact, Life, MetricsService, Topic, installation, interleaved, metrics_settings, replica
from tests.support.servers import Keys, Servers
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
GOLDEN = json.loads((ROOT / "tests/contract/samples/receipt-figures.json").read_text(encoding="utf-8"))
START = datetime(2020, 3, 2, 1, 0, tzinfo=UTC)  # Monday 08:00 in Viet Nam
DAY = timedelta(days=1)


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


def clock_set(at: datetime, sequence: int = 1, agency: str = "ldtbxh") -> Fact:
    event = ev.ClockSet(agency=agency, mode=ClockMode.HISTORICAL, at=at)
    envelope = Envelope(f"clock{sequence}", event.type, "/processing", agency, agency, START, START, Origin.LIVE, sequence)
    return envelope, event


def some_lives() -> list[Life]:
    """Two resolved, one overdue, one due on the clock's day, one without a due date, one withdrawn, one not accepted."""
    due = START + 10 * DAY + timedelta(hours=9)
    return [
        Life().submitted(START).accepted(START, due).resolved(START + DAY).returned(START + 2 * DAY),
        Life().submitted(START).accepted(START, due).resolved(START + 20 * DAY, Timeliness.LATE),
        Life().submitted(START).accepted(START, due),
        Life().submitted(START).accepted(START, START + 30 * DAY),
        Life().submitted(START).accepted(START, None),
        Life().submitted(START).accepted(START, due).state(
            ev.CaseStopped, START + 3 * DAY, stop_kind=StopKind.WITHDRAWN, reason="asked"
        ),
        Life().submitted(START),
    ]  # fmt: skip


STOCK: dict[str, Any] = {
    "received": 6,
    "resolved": 2,
    "open": 3,
    "left": 1,
    "overdue": 1,
    "due_soon": 1,
    "without_due_date": 1,
    "returned": 1,
}


async def test_figures_of_an_agency_standing_at_a_date(service: MetricsService, topic: Topic) -> None:
    await topic.send([*interleaved(some_lives()), clock_set(START + 30 * DAY)])
    seen = await service.settled(clock={"mode": "historical", "at": "2020-04-01T01:00:00Z"}, **STOCK)
    assert seen["turnaround"]["cases"] == 2
    assert seen["turnaround"]["mean_seconds"] == 10.5 * 86400
    shares = {"0.5": 10.5 * 86400, "0.9": 18.1 * 86400, "0.99": 19.81 * 86400}
    assert seen["turnaround"]["percentiles"] == pytest.approx(shares)
    assert seen["by_kind"]["dossier"]["received"] == 6
    assert seen["simulated"] is False
    then = await service.figures(as_of=(START + 2 * DAY).isoformat())
    assert [then[name] for name in ("received", "resolved", "open", "left", "overdue")] == [6, 1, 5, 0, 0]


async def test_a_second_reading_and_a_second_replica_change_no_figure(service: MetricsService, topic: Topic, keys: Keys) -> None:
    facts = [*interleaved(some_lives()), clock_set(START + 30 * DAY)]
    await topic.send(facts)
    await service.settled(**STOCK)
    async with replica(topic.settings, keys) as other:
        await topic.send([*facts, *Life().submitted(START).facts])
        await eventually("all were read", lambda: _origins(other, 8))
        first, second = await service.figures(), await other.figures()
        assert first == second
        assert {name: first[name] for name in STOCK} == STOCK
        await eventually("both show the same series", lambda: _same_series(service, other))


async def _origins(service: MetricsService, cases: int) -> bool:
    return bool((await service.figures())["origins"].get("live") == cases)


def _business(text: str) -> list[str]:
    names = ("motcua_case_", "motcua_cases_", "motcua_clock_", "motcua_agency_info", "motcua_projection")
    return [line for line in text.splitlines() if line.startswith(names)]


async def _same_series(one: MetricsService, other: MetricsService) -> bool:
    mine, theirs = _business(await one.exposition()), _business(await other.exposition())
    return bool(mine) and mine == theirs


async def test_the_series_say_what_the_figures_say(service: MetricsService, topic: Topic) -> None:
    await topic.send([*interleaved(some_lives()), clock_set(START + 30 * DAY)])
    await service.settled(**STOCK)

    async def shown() -> dict[str, float]:
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(await service.exposition()):
            for sample in family.samples:
                if sample.labels.get("field") != "all":
                    sums[sample.name] = sums.get(sample.name, 0) + sample.value
        ended = [sums.get(f"motcua_cases_{what}_total") for what in ("received", "resolved", "returned")]
        return sums if ended == [6, 2, 1] and sums.get("motcua_case_backlog_due_soon") else {}

    sums = await eventually("the series are shown", shown)
    assert sums["motcua_case_backlog"] == 3
    assert sums["motcua_case_backlog_overdue"] == 1
    assert sums["motcua_case_backlog_without_due_date"] == 1
    assert sums["motcua_case_turnaround_limit_ratio_count"] == 2
    assert sums["motcua_clock_timestamp_seconds"] == (START + 30 * DAY).timestamp()
    assert sums["motcua_event_visible_seconds_count"] > 0


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
async def test_promtool_finds_nothing_to_say(service: MetricsService, topic: Topic) -> None:
    await topic.send([*interleaved(some_lives()), clock_set(START + 30 * DAY)])
    await service.settled(**STOCK)

    async def exposed() -> str:
        text = await service.exposition()
        return text if "motcua_case_backlog{" in text else ""

    text = await eventually("business series are shown", exposed)
    check = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (check.returncode, check.stdout, check.stderr) == (0, "", "")


async def test_a_missing_fact_is_remembered_and_still_taken_when_it_comes(service: MetricsService, topic: Topic) -> None:
    life = Life().submitted(START).accepted(START).resolved(START + DAY)
    submitted, accepted, resolved = life.facts
    await topic.send([submitted, resolved])

    async def missing() -> list[tuple[object, ...]]:
        return [tuple(row) for row in await service.query("select case_id, source, sequence from missing_events")]

    assert await eventually("the gap is seen", missing) == [(life.case_id, "/processing", 1)]
    assert (await service.figures())["received"] == 0
    await topic.send([accepted])
    seen = await service.settled(received=1, resolved=1, open=0)
    assert seen["turnaround"]["mean_seconds"] == 86400
    assert await missing() == []


async def test_an_older_clock_never_replaces_a_newer_one(service: MetricsService, topic: Topic) -> None:
    await topic.send([clock_set(START + 30 * DAY, 2), clock_set(START, 1), *Life().submitted(START).accepted(START).facts])
    await service.settled(received=1, clock={"mode": "historical", "at": "2020-04-01T01:00:00Z"})


async def test_spans_of_a_real_log_equal_an_independent_tools(
    service: MetricsService, topic: Topic, reference_data: Path
) -> None:
    plan = make_plan(reference_data / "receipt.xes.gz", load_mapping(ROOT / "deploy/imports/mappings/receipt.yaml"), "receipt")
    facts: list[Fact] = []
    for case in plan.cases:
        life = Life("receipt", plan.kind, Origin.IMPORT).submitted(case.filed_at, case.procedure, case.channel)
        for activity in case.activities:
            life.state(ev.StepCompleted, activity.occurred_at, step=activity.activity)
        facts += life.facts
    await topic.send(facts)

    async def all_steps() -> bool:
        rows = await service.query("select sum(steps) from cases")
        return bool(rows[0][0] == 8577)

    await eventually("all events were taken", all_steps, within=60)
    span, expected = (await service.figures("receipt"))["log_span"], GOLDEN["every_case"]
    assert span["cases"] == expected["cases"]
    assert span["mean_seconds"] == pytest.approx(expected["mean_seconds"], abs=0.001)
    for share, name in (("0.5", "p50_seconds"), ("0.9", "p90_seconds"), ("0.99", "p99_seconds")):
        assert span["percentiles"][share] == pytest.approx(expected[name], abs=0.001)


async def test_backlog_and_turnaround_agree_with_the_figures(service: MetricsService, topic: Topic) -> None:
    await topic.send([*interleaved(some_lives()), clock_set(START + 30 * DAY)])
    figures = await service.settled(**STOCK)
    backlog = (await service.get("/v1/backlog", agency="ldtbxh")).json()
    assert (backlog["open"], sum(item["cases"] for item in backlog["items"])) == (3, 3)
    whole = (await service.get("/v1/turnaround", agency="ldtbxh")).json()
    assert [item["turnaround"] for item in whole["items"] if item["field"] == "all"] == [figures["turnaround"]]
    month = (await service.get("/v1/turnaround", agency="ldtbxh", window="30d")).json()
    assert next(item["resolved"] for item in month["items"] if item["field"] == "all") == 2


async def test_who_may_ask_and_what_is_refused(service: MetricsService) -> None:
    await eventually("the database is ready", lambda: _ready(service))
    assert (await service.client.get("/v1/figures", params={"agency": "ldtbxh"})).status_code == 401
    assert (await service.get("/v1/figures", Role.COUNTER, agency="ldtbxh")).status_code == 403
    assert (await service.get("/v1/figures", Role.OFFICER, of="health", agency="ldtbxh")).status_code == 403
    assert (await service.get("/v1/figures", Role.ADMIN, of=None, agency="ldtbxh")).status_code == 200
    wrongs: list[dict[str, Any]] = [
        {},
        {"agency": "No Slug"},
        {"agency": "ldtbxh", "as_of": "2020-01-01T00:00:00"},
        {"agency": "ldtbxh", "as_of": "x"},
    ]
    for wrong in wrongs:
        answer = await service.get("/v1/figures", **wrong)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    late = await service.get("/v1/figures", agency="ldtbxh", as_of="9999-12-31T23:59:59-14:00")
    assert late.status_code == 422
    assert (await service.get("/v1/turnaround", agency="ldtbxh", window="7d")).status_code == 422


async def _ready(service: MetricsService) -> bool:
    return (await service.get("/v1/figures", agency="ldtbxh")).status_code == 200


async def test_metrics_answer_while_kafka_and_postgresql_are_away(keys: Keys) -> None:
    app = create_app(metrics_settings("127.0.0.1:1", "postgresql://nobody@127.0.0.1:1/postgres", keys))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://metrics") as client:
        assert (await client.get("/metrics")).status_code == 200
        headers = {"Authorization": f"Bearer {keys.token()}"}
        answer = await client.get("/v1/figures", params={"agency": "ldtbxh"}, headers=headers)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def test_figures_of_random_histories_are_those_recomputed_by_hand(service: MetricsService, topic: Topic) -> None:
    random, clock = Random(2020), START + 70 * DAY
    histories = [random_history(random, START) for _ in range(150)]
    facts = [fact for history in histories for fact in history]
    await topic.send([*random.sample(facts, len(facts)), *random.choices(facts, k=200), clock_set(clock)])
    expected = figures_by_hand(histories, clock)
    direct = ("received", "resolved", "returned", "open", "left", "overdue", "overdue_statutory", "due_soon", "without_due_date")
    seen = await service.settled(**{name: expected[name] for name in (*direct, "timeliness")})
    assert seen["received"] == seen["resolved"] + seen["open"] + seen["left"]
    assert seen["turnaround"]["cases"] == expected["measured"]
    assert seen["turnaround"]["mean_seconds"] == pytest.approx(expected["turnaround"] / expected["measured"])
    backlog = (await service.get("/v1/backlog", agency="ldtbxh")).json()
    assert _sums(backlog["items"], "status", "cases") == {
        Status(code).name.lower(): count for code, count in expected["statuses"].items()
    }
    assert sum(item["overdue"] for item in backlog["items"]) == expected["overdue"]
    procedures = (await service.get("/v1/turnaround/procedures", agency="ldtbxh")).json()["items"]
    assert _sums(procedures, "version", "received") == expected["versions"]
    assert _sums(procedures, "version", "resolved") == expected["resolved_by_version"]
    assert {item["version"]: item["in_force"]["count"] for item in procedures} == {1: 15, 2: 10}


def _sums(items: list[dict[str, Any]], by: str, of: str) -> dict[Any, int]:
    sums: Counter[Any] = Counter()
    for item in items:
        sums[item[by]] += item[of]
    return {key: count for key, count in sums.items() if count}


async def test_tasks_are_never_added_to_what_applicants_filed(service: MetricsService, topic: Topic) -> None:
    due, key_task, routine = START + 10 * DAY, ("task.key", "key-tasks"), ("task.routine", "tasks")
    tasks = [
        Life(kind=Kind.TASK).submitted(START, code).accepted(START, due_at, code, field=field)
        for code, field, due_at in ((*key_task, due), (*key_task, due), (*routine, None))
    ]
    tasks[1].resolved(START + DAY)
    tasks[0].state(ev.MilestoneReached, START + DAY, milestone="half", percent=50)
    await topic.send([*interleaved([*some_lives(), *tasks]), clock_set(START + 30 * DAY)])
    seen = await service.settled(clock={"mode": "historical", "at": "2020-04-01T01:00:00Z"}, **STOCK)
    assert (seen["by_kind"]["dossier"]["received"], seen["by_kind"]["task"]["received"]) == (6, 3)
    told = {each["field"]: each for each in seen["tasks"]}
    key = told["key-tasks"]
    assert (key["assigned"], key["done"], key["open"], key["overdue"], key["milestones"]) == (2, 1, 1, 1, 1)
    assert (key["scheduled"], key["on_schedule"], key["on_schedule_ratio"]) == (2, 1, 0.5)
    assert (told["tasks"]["without_due_date"], told["tasks"]["on_schedule_ratio"]) == (1, None)
