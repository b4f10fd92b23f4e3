"""Real logs in and out through four real service processes, by the command people use."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path

import pytest

from shared.security.tokens import Role
from tests.support.installation import Installation, installed
from tests.support.la311 import check_sources
from tests.support.log_round import check_log, figures, plan_of, settled, without_clock
from tests.support.logs import Commands, ways_of
from tests.support.servers import Servers
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
async def city(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    async with installed(servers, tmp_path_factory.mktemp("city")) as running:
        yield running


@pytest.fixture(scope="module")
def motcua(city: Installation, tmp_path_factory: pytest.TempPathFactory) -> Commands:
    return Commands.of(city, tmp_path_factory.mktemp("commands") / "state")


async def test_a_real_log_imported_twice_gives_the_independent_tools_figures_and_comes_out_equal(
    city: Installation, motcua: Commands, reference_data: Path, tmp_path: Path
) -> None:
    """The larger logs are in the soak."""
    await check_log(city, motcua, reference_data / "receipt.csv.gz", tmp_path)


async def test_an_import_killed_in_the_middle_goes_on_when_it_is_run_again(
    city: Installation, motcua: Commands, reference_data: Path, tmp_path: Path
) -> None:
    log, agency = tmp_path / "la311_2018.csv", "so-killed"
    with gzip.open(reference_data / "la311_2018.csv.gz", "rb") as whole:
        log.write_bytes(b"".join(islice(whole, 4001)))
    plan = plan_of(log)

    async def begun() -> bool:
        rows = await city.query("processing", "select count(*) from cases where agency = $1 and accepted_at is not null", agency)
        return bool(rows[0][0])

    process = await motcua.start("import", str(log), "--agency", agency)
    await eventually("the first cases are accepted", begun, every=0.01)
    process.kill()
    await process.communicate()
    filed = (await city.query("intake", "select count(*) from submissions where agency = $1", agency))[0][0]
    assert 0 < filed < len(plan.cases)
    told = (await motcua.run("import", str(log), "--agency", agency))["figures"]
    assert (told["received"], told["resolved"], told["steps"]) == (len(plan.cases), plan.closed, plan.events)
    await settled(city)
    assert await figures(city, agency) == without_clock(told)
    assert (await motcua.run("reconcile", "--agency", agency))["agree"] is True


async def test_every_source_of_a_hotlines_table_has_the_figures_of_an_independent_script(
    city: Installation, motcua: Commands, reference_data: Path, tmp_path: Path
) -> None:
    """The first requests; the whole table is in the soak."""
    log = tmp_path / "la311_2018.csv"
    with gzip.open(reference_data / "la311_2018.csv.gz", "rb") as whole:
        log.write_bytes(b"".join(islice(whole, 1001)))
    found = await check_sources(city, motcua, log, tmp_path, "part")
    assert {"Call", "Mobile App", "Self Service"} <= found.keys()


async def test_a_live_case_comes_out_with_every_fact_and_an_auditor_of_another_agency_sees_nothing(
    city: Installation, motcua: Commands, tmp_path: Path
) -> None:
    body = {"agency": "so-live", "kind": "dossier", "procedure": "1.001806", "channel": "counter"}
    headers = city.headers(Role.COUNTER, "so-live") | {"Idempotency-Key": "live-1"}
    answer = await city.http.post(city.url("intake", "/v1/cases"), json=body, headers=headers)
    assert answer.status_code == 201, answer.text

    async def known() -> bool:
        return bool((await city.get("processing", "/v1/cases", agency="so-live"))["items"])

    await eventually("processing knows the case", known)
    out = tmp_path / "live.xes"
    assert (await motcua.run("export", str(out), "--agency", "so-live"))["cases"] == 1
    assert ways_of(out) == {("case.submitted",): 1}
    other = city.headers(Role.AUDITOR, "so-other")
    refused = await city.http.get(city.url("processing", "/v1/cases"), params={"agency": "so-live"}, headers=other)
    assert refused.status_code == 403


async def test_a_faulty_file_sends_nothing(city: Installation, motcua: Commands, tmp_path: Path) -> None:
    log = tmp_path / "receipt.csv"
    log.write_text(
        "case:concept:name,case:channel,concept:name,time:timestamp,org:resource,org:group\n"
        "a,Desk,A,2020-01-02T10:00:00Z,x,Group 1\n"
        "b,Fax,A,2020-01-02T10:00:00Z,x,Group 1\n"
    )
    process = await motcua.start("import", str(log), "--agency", "so-faulty")
    out, error = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert out.decode().strip() == "line 3: channel 'Fax' is not in the mapping's table"
    assert error.decode().strip() == "motcua: receipt.csv has 1 fault: nothing was sent"
    assert (await city.query("intake", "select count(*) from submissions where agency = 'so-faulty'"))[0][0] == 0


OFFICES = """
title: {vi: Hồ sơ hai phường, en: Cases of two wards}
source: made for this test
agency: {attribute: Office, table: {First: ward-1, Second: ward-2}}
kind: feedback
procedure: log.la311
time_zone: Asia/Ho_Chi_Minh
case: {id: Id, channel: counter}
steps:
  - {name: Opened, time: Opened, required: true}
  - {name: Closed, time: Closed}
filed: first_event
closed: {attribute: State, values: [done]}
"""


async def test_a_table_of_several_offices_becomes_cases_of_their_agencies(
    city: Installation, motcua: Commands, tmp_path: Path
) -> None:
    mapping, table = tmp_path / "offices.yaml", tmp_path / "offices.csv"
    mapping.write_text(OFFICES, encoding="utf-8")
    offices, ends = ("Second", "First", "First"), ("", "done")
    rows = [
        f"{number},{offices[number % 3]},2021-03-0{1 + number % 9} 08:00,2021-03-15 09:00,{ends[number % 2]}"
        for number in range(30)
    ]
    table.write_text("\n".join(["Id,Office,Opened,Closed,State", *rows]))
    words = ("import", str(table), "--mapping", str(mapping))
    told = await motcua.run(*words)
    assert told["agencies"] == {"ward-1": 20, "ward-2": 10}
    assert {name: each["received"] for name, each in told["by_agency"].items()} == told["agencies"]
    assert [told["by_agency"][name]["resolved"] for name in ("ward-1", "ward-2")] == [10, 5]
    again = await motcua.run(*words)
    await settled(city)
    for name in told["agencies"]:
        assert await figures(city, name) == without_clock(again["by_agency"][name]) == without_clock(told["by_agency"][name])
        assert (await motcua.run("reconcile", "--agency", name))["agree"] is True
