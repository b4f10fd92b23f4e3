"""A real log through four real service processes by the command people use: in, in again, and out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deploy.imports.mapping import load_mapping, packaged_mapping
from deploy.imports.plan import Plan, make_plan
from shared.calendar import ZONE
from tests.support.installation import Installation
from tests.support.logs import GOLDEN, LOGS, Commands, check_span, check_ways, ways_of
from tests.support.waiting import eventually


def plan_of(log: Path) -> Plan:
    mapping = packaged_mapping(log)
    assert mapping is not None
    return make_plan(log, load_mapping(mapping))


async def figures(city: Installation, agency: str) -> dict[str, Any]:
    return without_clock(await city.get("metrics", "/v1/figures", agency=agency))


def without_clock(answer: dict[str, Any]) -> dict[str, Any]:
    """Figures but for the moment at which they were asked."""
    return {name: value for name, value in answer.items() if name != "clock"}


async def settled(city: Installation) -> None:
    """Processing has read every command, also those sent twice."""

    async def drained() -> bool:
        series = await city.series("processing")
        return sum(value for name, value in series.items() if name.startswith("motcua_consumer_lag_records")) == 0

    await eventually("processing has read every command", drained, within=120)


async def check_log(city: Installation, motcua: Commands, log: Path, folder: Path) -> None:
    """Imported twice, it gives the independent tool's figures, and it comes out equal."""
    name = log.name
    golden = GOLDEN[LOGS[name]]
    first = await motcua.run("import", str(log))
    agency = first["agency"]
    await motcua.run("import", str(log))
    await settled(city)
    told = await motcua.run("figures", "--agency", agency)
    assert without_clock(told) == await figures(city, agency) == without_clock(first["figures"])
    check_span(told["log_span"], golden)
    assert (told["received"], told["resolved"], told["open"]) == (
        golden["cases"],
        golden["closed"],
        golden["cases"] - golden["closed"],
    )
    assert (told["steps"], told["origins"]) == (golden["events"], {"import": golden["cases"]})
    if "closed_mean_seconds" in golden:
        assert told["turnaround"]["mean_seconds"] == pytest.approx(golden["closed_mean_seconds"], abs=1e-3)
    assert (await city.query("notification", "select count(*) from ledger where agency = $1", agency))[0][0] == 0

    out = folder / "out.xes.gz"
    exported = await motcua.run("export", str(out), "--agency", agency)
    assert {each: exported[each] for each in ("cases", "events", "variants")} == {
        each: golden[each] for each in ("cases", "events", "variants")
    }
    check_ways(ways_of(out), golden)
    await _holds_only_days_asked_for(motcua, folder, log, agency)
    assert (await motcua.run("reconcile", "--agency", agency))["agree"] is True
    print(f"{name}: in {first['events_per_second']} events/s, out {exported['events_per_second']} events/s")


async def _holds_only_days_asked_for(motcua: Commands, folder: Path, log: Path, agency: str) -> None:
    """Cases filed on the first local day only."""
    days = [case.filed_at.astimezone(ZONE).date() for case in plan_of(log).cases]
    day = days[0].isoformat()
    some = await motcua.run("export", str(folder / "some.xes"), "--agency", agency, "--from", day, "--to", day)
    assert some["cases"] == days.count(days[0])
