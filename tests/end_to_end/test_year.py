"""A department's simulated year through four real service processes: dossiers, tasks, limits in force, and twice is once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from statistics import mean

import pytest

from deploy.replay.driver import is_complete_through, replay_through
from deploy.replay.model import Year, make_year
from deploy.replay.scenario import Totals, load_scenario
from shared.calendar import load_calendar
from shared.security.tokens import Role
from tests.support.installation import Installation, installed
from tests.support.servers import Servers
from tests.support.waiting import eventually

CALENDAR = load_calendar()


@pytest.fixture(scope="module")
async def city(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    async with installed(servers, tmp_path_factory.mktemp("city")) as running:
        yield running


async def total(city: Installation, series: str, name: str = "metrics", **labels: str) -> float:
    """The sum of a series of one service over these labels."""
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    found = await city.series(name)
    return sum(v for k, v in found.items() if k.startswith(series + "{") and all(each in k for each in wanted))


async def test_a_simulated_year_comes_out_exactly_and_twice_is_once(city: Installation) -> None:
    scenario = load_scenario()
    smaller = scenario.model_copy(update={"totals": Totals(received=321, resolved=300, source="this test")})
    year = make_year(smaller, seed=7, agency="so-year")
    async with city.as_importer() as services:
        figures = await replay_through(services, year, lambda *_: None)
        assert (figures["received"], figures["resolved"], figures["open"]) == (321, 300, 21)
        assert figures["simulated"] is True
        assert figures["clock"]["mode"] == "historical"
        assert figures["clock"]["at"].startswith("2020-12-17T")

        again = await replay_through(services, year, lambda *_: None)

        async def duplicates_drained() -> bool:
            return await total(city, "motcua_consumer_lag_records", "processing") == 0

        await eventually("processing has read all duplicates", duplicates_drained)
        assert again == figures == await services.figures("so-year")
        assert await is_complete_through(services, year)
    assert {kind: (row["received"], row["resolved"]) for kind, row in figures["by_kind"].items()} == {
        "dossier": (321, 300),
        "task": (287, 226),
    }
    told = {each["field"]: each for each in figures["tasks"]}
    assert {field: (each["assigned"], each["done"], each["open"], each["overdue"]) for field, each in told.items()} == {
        "tasks": (262, 226, 36, 0),
        "key-tasks": (3, 0, 3, 0),
        "programmes": (22, 0, 22, 0),
    }
    assert {each["on_schedule_ratio"] for each in told.values()} == {None}
    assert (told["key-tasks"]["milestones"], told["programmes"]["milestones"]) == (12, 88)
    await _limits_in_force(city, year)
    labels = {"agency": "so-year", "kind": "dossier"}

    async def gauges() -> bool:
        names = ("motcua_cases_received_total", "motcua_cases_resolved_total", "motcua_case_backlog")
        return [await total(city, name, **labels) for name in names] == [321, 300, 21]

    await eventually("the series agree", gauges)
    assert await total(city, "motcua_cases_received_total", agency="so-year", kind="task", field="tasks") == 262
    assert await total(city, "motcua_cases_resolved_total", agency="so-year", kind="task") == 226
    assert await total(city, "motcua_case_backlog_overdue", agency="so-year", kind="task") == 0

    async def late_once() -> bool:
        """Each case that was late in the year, and no other, was said to be overdue, at its own time."""
        local = "(({}) at time zone 'Asia/Ho_Chi_Minh')::date"
        ended = local.format("coalesce(c.resolved_at, (select at from agency_clocks where agency = c.agency))")
        late = f"c.agency = 'so-year' and {ended} > {local.format('c.due_at')}"
        cases = await city.query("processing", f"select c.case_id from cases c where {late} order by 1")
        said = await city.query(
            "processing",
            "select c.case_id from history h join cases c using (case_id) where c.agency = 'so-year' and h.type = 'case.overdue' "
            f"and h.occurred_at = ({local.format('c.due_at')} + 1)::timestamp at time zone 'Asia/Ho_Chi_Minh' order by 1",
        )
        every = await city.query("processing", "select 1 from history where type = 'case.overdue' and body like '%so-year%'")
        return bool(cases) and cases == said and len(every) == len(said)

    await eventually("every late case is overdue, and no other", late_once)

    async def said_to_be_simulated() -> bool:  # of the series that are read seldom
        return (await city.series("metrics")).get('motcua_agency_info{agency="so-year",simulated="true"}') == 1

    await eventually("the agency is said to be simulated", said_to_be_simulated)
    lines = [json.loads(line) for line in (city.folder / "messages.ndjson").read_text().splitlines()]
    assert len({line["id"] for line in lines}) == len(lines)


async def _limits_in_force(city: Installation, year: Year) -> None:
    """Every procedure and version is there with its limits, and its mean is that of the plan."""
    headers = city.headers(Role.AUDITOR, "so-year")
    answer = await city.http.get(city.url("metrics", "/v1/turnaround/procedures"), headers=headers, params={"agency": "so-year"})
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert sum(item["received"] for item in items) == 321 + 287
    versions = {(item["procedure"], item["version"]): item for item in items}
    for code, before, after in (("1.001806", 15, 10), ("2.000189", 10, 7)):
        for version, limit in ((1, before), (2, after)):
            item = versions[code, version]
            assert item["in_force"] == {"count": limit, "unit": "working_days"}
            assert item["statutory"] == {"count": before, "unit": "working_days"}
            assert (item["committed"] is None) is (version == 1)
            planned = [one for one in year.dossiers if one.procedure == code and (one.accepted_at.month > 6) == (version == 2)]
            assert item["received"] == len(planned) > 0
            spans = [CALENDAR.working_seconds(one.accepted_at, one.resolved_at) for one in planned if one.resolved_at]
            assert item["resolved"] == len(spans)
            took = mean(spans) / (8 * 3600) if spans else None
            assert item["mean_working_days"] == (pytest.approx(took, abs=0.01) if took else None)
