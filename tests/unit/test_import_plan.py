"""From a log and its mapping to planned cases; the real log's figures equal an independent tool's."""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from statistics import mean, quantiles
from typing import Any

import pytest
import yaml

from deploy.imports.driver import past_of
from deploy.imports.errors import ImportFileError
from deploy.imports.mapping import AgencyMapping, FromAttribute, Mapping, load_mapping, packaged_mapping
from deploy.imports.plan import Plan, make_plan
from shared.contracts.commands import CompleteStep
from shared.contracts.words import Channel, Kind

ROOT = Path(__file__).parents[2]
RECEIPT = Path(os.environ.get("MOTCUA_TEST_DATA", ROOT / "../shared/data")) / "receipt.xes.gz"
GOLDEN = json.loads((ROOT / "tests/contract/samples/receipt-figures.json").read_text(encoding="utf-8"))
MAPPING_FILE = ROOT / "deploy/imports/mappings/receipt.yaml"
MAPPING = load_mapping(MAPPING_FILE)


@pytest.fixture(scope="module")
def plan() -> Plan:
    if not RECEIPT.is_file():
        pytest.skip(f"the log {RECEIPT} is not here; set MOTCUA_TEST_DATA")
    return make_plan(RECEIPT, MAPPING)


def event(at: str, activity: str = "A", officer: str = "Resource01", group: str = "Group 1") -> str:
    return (
        f'<event><string key="concept:name" value="{activity}"/><date key="time:timestamp" value="{at}"/>'
        f'<string key="org:resource" value="{officer}"/><string key="org:group" value="{group}"/></event>'
    )


def trace(name: str, *events: str, channel: str = "Desk", more: str = "") -> str:
    named = f'<string key="concept:name" value="{name}"/>' if name else ""
    return f'<trace>{named}<string key="channel" value="{channel}"/>{more}{"".join(events)}</trace>'


def planned(folder: Path, *traces: str, mapping: Mapping = MAPPING, agency: str | None = None) -> Plan:
    path = folder / "log.xes"
    path.write_text(f"<log>{''.join(traces)}</log>", encoding="utf-8")
    return make_plan(path, mapping, agency)


def refusal(folder: Path, *traces: str) -> str:
    with pytest.raises(ImportFileError) as error:
        planned(folder, *traces)
    assert "\n" not in str(error.value)
    return str(error.value)


# --- the real log ------------------------------------------------------------------------------------


def figures(durations: list[float]) -> dict[str, float]:
    hundredths = quantiles(durations, n=100, method="inclusive")  # linear interpolation
    return {
        "cases": len(durations),
        "mean_seconds": mean(durations),
        **{f"p{rank}_seconds": hundredths[rank - 1] for rank in (50, 90, 99)},
        "longest_seconds": max(durations),
    }


def spans(plan: Plan) -> list[float]:
    return [(one.closed_at - one.filed_at).total_seconds() for one in plan.cases if one.closed_at]


def test_the_receipt_log_gives_the_independent_tools_figures(plan: Plan) -> None:
    golden = {key: value for key, value in GOLDEN["every_case"].items() if key != "events"}
    assert figures(spans(plan)) == pytest.approx(golden, abs=1e-3)
    assert plan.events == GOLDEN["every_case"]["events"] == 8577
    assert plan.closed == len(plan.cases) == 1434


def test_the_figures_are_those_agreed() -> None:
    golden = GOLDEN["every_case"]
    agreed = (467_263.915, 2_868.583, 1_217_821.799, 5_757_515.684)
    got = tuple(golden[key] for key in ("mean_seconds", "p50_seconds", "p90_seconds", "p99_seconds"))
    assert got == pytest.approx(agreed, abs=1e-3)


def test_closing_by_end_date_leaves_a_hundred_and_five_cases_open(plan: Plan) -> None:
    mapping = MAPPING.model_copy(update={"closed": FromAttribute(attribute="enddate")})
    by_date = make_plan(RECEIPT, mapping)
    golden = {key: value for key, value in GOLDEN["with_enddate"].items() if key != "events"}
    assert (by_date.closed, len(by_date.cases) - by_date.closed) == (1329, 105)
    assert figures(spans(by_date)) == pytest.approx(golden, abs=1e-3)
    assert [one.external_id for one in by_date.cases] == [one.external_id for one in plan.cases]


def test_the_channels_of_the_receipt_log_become_ours(plan: Plan) -> None:
    words = GOLDEN["channels"]
    assert Counter(case.channel for case in plan.cases) == {
        Channel.ONLINE: words["Internet"] + words["e-mail"],
        Channel.COUNTER: words["Desk"] + words["Intern"],
        Channel.POST: words["Post"],
    }


def test_only_pseudonyms_of_officers_are_kept(plan: Plan) -> None:
    officers = Counter(one.officer for case in plan.cases for one in case.activities)
    assert officers.pop(None) == plan.officers_left_out == 522
    assert all(officer and officer.startswith("Resource") for officer in officers)
    assert len(officers) == 43


def test_every_activity_and_unit_fits_the_command_that_will_carry_it(plan: Plan) -> None:
    seen = {(one.activity, one.unit) for case in plan.cases for one in case.activities}
    for activity, unit in seen:
        assert CompleteStep(step=activity, unit=unit).step == activity
    assert len({activity for activity, _ in seen}) == 27


def test_cases_and_their_activities_are_in_order(plan: Plan) -> None:
    filed = [case.filed_at for case in plan.cases]
    assert filed == sorted(filed)
    for case in plan.cases:
        times = [one.occurred_at for one in case.activities]
        assert times == sorted(times)
        assert (case.filed_at, case.closed_at) == (times[0], times[-1])
    assert plan == make_plan(RECEIPT, MAPPING)


# --- rules, on small logs ----------------------------------------------------------------------------


def test_events_are_sorted_by_time_and_ties_keep_the_files_order(tmp_path: Path) -> None:
    late, early, twin = "2020-01-03T10:00:00Z", "2020-01-02T10:00:00+07:00", "2020-01-02T03:00:00Z"
    case = planned(tmp_path, trace("c", event(late, "3"), event(early, "1"), event(twin, "2"))).cases[0]
    assert [one.activity for one in case.activities] == ["1", "2", "3"]
    assert case.closed_at == datetime(2020, 1, 3, 10, tzinfo=UTC)


def test_a_time_without_an_offset_is_the_mappings_zones(tmp_path: Path) -> None:
    case = planned(tmp_path, trace("c", event("2011-07-01T12:00:00"))).cases[0]
    assert case.filed_at == datetime(2011, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))


def test_units_become_slugs_and_unknown_ones_none(tmp_path: Path) -> None:
    at = "2020-01-02T10:00:00Z"
    events = [event(at, group=group) for group in ("Group 13", "EMPTY", "Bộ phận Một cửa", "?!")]
    case = planned(tmp_path, trace("c", *events)).cases[0]
    assert [one.unit for one in case.activities] == ["group-13", None, "b-ph-n-m-t-c-a", None]


def test_an_officers_name_never_enters_the_plan(tmp_path: Path) -> None:
    plan = planned(tmp_path, trace("c", event("2020-01-02T10:00:00Z", officer="Nguyễn Văn A")))
    assert plan.officers_left_out == 1
    assert "Nguyễn" not in repr(plan)


def test_the_agency_given_wins_over_the_mappings(tmp_path: Path) -> None:
    case = trace("c", event("2020-01-02T10:00:00Z"))
    assert planned(tmp_path, case).agencies == {"coselog-receipt": 1}
    assert planned(tmp_path, case, agency="other").agencies == {"other": 1}


GOOD = event("2020-01-02T10:00:00Z")
OFFICES = MAPPING.model_copy(
    update={"agency": AgencyMapping(attribute="office", table={"Ward 1": "ward-1", "Ward 2": "ward-2", "Old Ward 2": "ward-2"})}
)


def of_office(name: str, office: str) -> str:
    return trace(name, GOOD, more=f'<string key="office" value="{office}"/>')


def test_the_agency_of_each_case_is_what_the_mappings_table_says_of_its_attribute(tmp_path: Path) -> None:
    traces = [of_office("a", "Ward 1"), of_office("b", "Ward 2"), of_office("c", "Old Ward 2")]
    plan = planned(tmp_path, *traces, mapping=OFFICES)
    assert plan.agencies == {"ward-1": 1, "ward-2": 2}
    assert [case.external_id for case in plan.of("ward-2").cases] == ["b", "c"]
    pasts = [past_of(plan.of(agency)) for agency in plan.agencies]
    assert {(past.agency, case.filing["agency"], case.external_id) for past in pasts for case in past.cases} == {
        ("ward-1", "ward-1", "ward-1:a"), ("ward-2", "ward-2", "ward-2:b"), ("ward-2", "ward-2", "ward-2:c"),
    }  # fmt: skip
    assert planned(tmp_path, *traces, mapping=OFFICES, agency="other").agencies == {"other": 3}


def test_an_office_that_the_mapping_does_not_know_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match=r"trace 2\): agency 'Ward 3' is not in the mapping's table"):
        planned(tmp_path, of_office("a", "Ward 1"), of_office("b", "Ward 3"), mapping=OFFICES)


@pytest.mark.parametrize(
    ("traces", "said"),
    [
        ([], "log.xes: holds no case"),
        ([trace("a")], "log.xes: line 1 (trace 1): has no event"),
        (
            [trace("a", GOOD), trace("", GOOD)],
            "log.xes: line 1 (trace 2): 'concept:name' is missing or empty",
        ),
        ([trace("a", GOOD), trace("a", GOOD)], "log.xes: line 1 (trace 2): its id 'a' stands twice in the log"),
        ([trace("a", GOOD, channel="Fax")], "log.xes: line 1 (trace 1): channel 'Fax' is not in the mapping's table"),
        (
            [trace("a", GOOD, event("tomorrow"))],
            "log.xes: line 1 (trace 1, event 2): 'time:timestamp' is not a time (ISO 8601): 'tomorrow'",
        ),
        ([trace("a", "<event/>")], "log.xes: line 1 (trace 1, event 1): 'concept:name' is missing or empty"),
        (
            [trace("a", event("2020-01-02T10:00:00Z", "x" * 201))],
            "log.xes: line 1 (trace 1, event 1): the activity is not printable or longer than 200 characters",
        ),
        ([trace("a" * 201, GOOD)], "log.xes: line 1 (trace 1): its id is not printable or longer than 200 characters"),
    ],
)
def test_a_faulty_log_is_refused_in_one_line_naming_file_trace_and_rule(tmp_path: Path, traces: list[str], said: str) -> None:
    assert refusal(tmp_path, *traces) == said


# --- the mapping file --------------------------------------------------------------------------------


def test_the_shipped_mapping_is_found_by_the_logs_name() -> None:
    assert packaged_mapping(Path("anywhere/receipt.xes.gz")) == MAPPING_FILE
    assert packaged_mapping(Path("unheard-of.xes")) is None
    assert (MAPPING.procedure, MAPPING.kind, MAPPING.agency) == (
        "log.receipt",
        Kind.DOSSIER,
        "coselog-receipt",
    )


def changed(**fields: Any) -> str:
    document = yaml.safe_load(MAPPING_FILE.read_text(encoding="utf-8"))
    return str(yaml.safe_dump(document | fields, allow_unicode=True))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (changed(agency="Not A Slug"), "m.yaml: agency: "),
        (changed(kind="ticket"), "m.yaml: kind: "),
        (changed(chanel=1), "m.yaml: chanel: "),
        (changed(time_zone="Mars/Olympus"), "m.yaml: time_zone: there is no time zone 'Mars/Olympus'"),
        (changed(closed="never"), "m.yaml: closed"),
        (
            changed(event={"activity": "a", "time": "t", "officer": {"attribute": "o", "pseudonym": "("}}),
            "m.yaml: event.officer.pseudonym: not a regular expression",
        ),
        ("a: [", "m.yaml: not readable as YAML"),
    ],
)
def test_a_wrong_mapping_is_refused_in_one_line_naming_the_field(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ImportFileError) as error:
        load_mapping(path)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


def test_a_missing_mapping_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match=r"absent\.yaml: cannot be read"):
        load_mapping(tmp_path / "absent.yaml")
