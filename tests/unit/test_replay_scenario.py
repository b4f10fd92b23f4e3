"""The scenario file: what it states, what it agrees with, and how a wrong one is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from deploy.replay import scenario as scenario_module
from deploy.replay.scenario import Scenario, ScenarioError, load_scenario, parse_scenario
from shared.calendar import LimitUnit
from shared.catalogue import load_catalogue

SCENARIO = load_scenario()
FILE = Path(scenario_module.__file__).with_name(scenario_module.DEFAULT_SCENARIO)
SEED_PROCEDURES = {"1.001806": (15, 10), "2.000189": (10, 7)}


def test_the_scenario_says_that_it_is_simulated_and_what_it_assumes() -> None:
    assert SCENARIO.simulated is True
    assert "mô phỏng" in SCENARIO.title.vi
    assert "simulated" in SCENARIO.title.en
    assert any("1 July 2020" in text and "assumed" in text for text in SCENARIO.assumptions)


def test_the_limits_of_the_seed_procedures_change_on_the_first_of_july() -> None:
    for code, (before, after) in SEED_PROCEDURES.items():
        procedure = next(one for use in SCENARIO.fields for one in use.procedures if one.code == code)
        assert procedure.limit_on(date(2020, 6, 30)) == before
        assert procedure.limit_on(date(2020, 7, 1)) == after


@pytest.mark.parametrize("on", [date(2020, 1, 2), date(2020, 6, 30), date(2020, 7, 1), date(2020, 12, 17)])
def test_limits_of_the_scenario_are_those_of_the_catalogue(on: date) -> None:
    catalogue = load_catalogue()
    for procedure in (one for use in SCENARIO.fields for one in use.procedures if one.limits):
        version = catalogue.version_at(procedure.code, on)
        assert version is not None
        assert version.due_limit is not None
        assert (version.due_limit.count, version.due_limit.unit) == (
            procedure.limit_on(on),
            LimitUnit.WORKING_DAYS,
        )


def test_fields_and_procedures_are_those_of_the_catalogue() -> None:
    catalogue = load_catalogue()
    for use in SCENARIO.fields:
        for procedure in use.procedures:
            assert catalogue.field_of(procedure.code) == use.slug, procedure.code


def test_tasks_are_those_of_the_catalogue() -> None:
    catalogue, tasks = load_catalogue(), SCENARIO.tasks
    assert tasks is not None
    codes = [use.code for use in tasks.assigned] + [use.code for use in tasks.undertakings]
    fields = [catalogue.field_of(code) for code in codes]
    assert fields == ["tasks", "tasks", "key-tasks", "programmes"]
    assert set(tasks.units) <= {use.division for use in SCENARIO.fields}


def changed(path: str, value: object) -> str:
    """The scenario's text with one field set; `path` like `totals.received`."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    *parents, last = path.split(".")
    place = document
    for key in parents:
        place = place[int(key)] if isinstance(place, list) else place[key]
    place[last] = value
    return str(yaml.safe_dump(document, allow_unicode=True))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("simulated", False, "simulated"),
        ("totals.received", "5707", "totals.received"),
        ("totals.receved", 1, "totals.receved"),
        ("agency.code", "Sở", "agency.code"),
        ("closing_on", date(2021, 1, 4), "closing_on"),
        ("channels.counter.share", 0.9, "shares of channels"),
        ("channels.counter.wait_minutes", [9, 3, 1], "channels.counter.wait_minutes"),
        ("channels.online.returned_by", {"counter": 0.5}, "channels.online"),
        ("fields.0.share", 0.9, "shares of fields"),
        ("fields.0.procedures", [], "fields.0.procedures"),
        ("handling.desk.process", "none", "handling.desk"),
        ("processes.short", [], "processes.short"),
        ("arrivals.eighth_of_day", [1.0], "arrivals.eighth_of_day"),
        ("arrivals.month", {1: 1.0}, "arrivals"),
        ("tasks.totals.done", 225, "assigned comes to 262 with 226 done"),
        ("tasks.assigned.0.done", 158, "done must not be more"),
        ("tasks.units", [], "tasks.units"),
    ],
)
def test_a_wrong_scenario_is_refused_in_one_line_naming_the_field(path: str, value: object, said: str) -> None:
    with pytest.raises(ScenarioError) as refusal:
        parse_scenario(changed(path, value), "mine.yaml")
    assert str(refusal.value).startswith("mine.yaml: ")
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_procedure_with_a_share_of_its_limit_needs_a_limit() -> None:
    with pytest.raises(ScenarioError, match=r"1\.001806.*needs its limits"):
        parse_scenario(FILE.read_text(encoding="utf-8").replace("        limits:", "        # limits:"), "x.yaml")


def test_the_hotline_is_no_channel_of_a_dossier() -> None:
    text = FILE.read_text(encoding="utf-8").replace("  post:\n    share: 0.12", "  hotline:\n    share: 0.12")
    with pytest.raises(ScenarioError, match="hotline is no channel"):
        parse_scenario(text, "x.yaml")


@pytest.mark.parametrize("text", ["a: [", "just words", ""])
def test_what_is_no_scenario_at_all_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ScenarioError) as refusal:
        parse_scenario(text, "x.yaml")
    assert "\n" not in str(refusal.value)


def test_a_scenario_is_loaded_from_a_file_and_a_missing_one_is_named(tmp_path: Path) -> None:
    copy = tmp_path / "mine.yaml"
    copy.write_text(FILE.read_text(encoding="utf-8"), encoding="utf-8")
    assert isinstance(load_scenario(copy), Scenario)
    with pytest.raises(ScenarioError, match=r"absent\.yaml: cannot be read"):
        load_scenario(tmp_path / "absent.yaml")
