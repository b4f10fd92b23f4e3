"""Logs as tables: CSV and NDJSON, a row for each event or for each case; every fault by its line."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.imports.driver import past_of
from deploy.imports.errors import ImportFileError
from deploy.imports.mapping import Mapping, load_mapping, packaged_mapping
from deploy.imports.opening import format_of
from deploy.imports.plan import Plan, make_plan, read_plan
from shared.catalogue import load_catalogue
from shared.contracts.words import Channel

TITLE = {"vi": "Nhật ký", "en": "Log"}
OF_EVENTS: dict[str, Any] = {
    "title": TITLE, "source": "this test", "agency": "so-log", "kind": "dossier", "procedure": "log.receipt",
    "time_zone": "America/Los_Angeles", "case_prefix": "case:", "case": {"id": "name", "channel": "counter"},
    "event": {"activity": "what", "time": "at", "unit": {"attribute": "unit"}}, "filed": "first_event",
    "closed": {"attribute": "status", "values": ["done"]},
}  # fmt: skip
OF_CASES = OF_EVENTS | {
    "case_prefix": "", "time_format": "%d/%m/%Y %H:%M", "event": None,
    "steps": [
        {"name": "Made", "time": "made", "required": True}, {"name": {"attribute": "status"}, "time": "ended"},
    ],
}  # fmt: skip
HEAD = "case:name,case:status,what,at,unit,person\n"


def mapping_of(folder: Path, content: dict[str, Any], **changes: Any) -> Mapping:
    path = folder / "mapping.yaml"
    path.write_text(yaml.safe_dump(content | changes), encoding="utf-8")
    return load_mapping(path)


def faults_of(folder: Path, name: str, text: str | bytes, content: dict[str, Any] = OF_EVENTS, **changes: Any) -> list[str]:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    _, faults = read_plan(path, mapping_of(folder, content, **changes))
    assert faults.count >= len(faults.first)
    return [str(fault) for fault in faults.first]


def plan_of(folder: Path, name: str, text: str | bytes, content: dict[str, Any] = OF_EVENTS, **changes: Any) -> Plan:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return make_plan(path, mapping_of(folder, content, **changes))


ROWS = [
    {"case:name": "a", "case:status": "done", "what": "1", "at": "2018-01-01T00:00:09", "unit": "Group 1", "person": "An"},
    {"case:name": "b", "case:status": "", "what": "1", "at": "2018-01-01T00:00:10", "unit": "", "person": "An"},
    {"case:name": "a", "case:status": "done", "what": 'say "x", y', "at": "2018-07-01T00:00:09", "unit": "", "person": "Bình"},
]


def as_csv(rows: list[dict[str, str]]) -> str:
    return HEAD + "".join(
        ",".join('"' + row[name].replace('"', '""') + '"' for name in HEAD.strip().split(",")) + "\n" for row in rows
    )


def as_ndjson(rows: list[dict[str, str]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


# --- rows of events -----------------------------------------------------------------------------------


def test_csv_and_ndjson_plain_and_packed_give_the_same_plan(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "log.csv", as_csv(ROWS))
    assert plan == plan_of(tmp_path, "log.ndjson", as_ndjson(ROWS))
    assert plan == plan_of(tmp_path, "log.jsonl.gz", gzip.compress(as_ndjson(ROWS).encode()))
    assert plan == plan_of(tmp_path, "log.csv.gz", gzip.compress(b"\xef\xbb\xbf" + as_csv(ROWS).encode()))
    first, second = plan.cases
    assert [(one.activity, one.unit) for one in first.activities] == [("1", "group-1"), ('say "x", y', None)]
    assert (first.closed_at is not None, second.closed_at, first.channel) == (True, None, Channel.COUNTER)


def test_local_times_are_the_zones_in_winter_and_in_summer(tmp_path: Path) -> None:
    case = plan_of(tmp_path, "log.csv", as_csv(ROWS)).cases[0]
    assert [one.occurred_at for one in case.activities] == [
        datetime(2018, m, 1, h, 0, 9, tzinfo=UTC) for m, h in ((1, 8), (7, 7))
    ]


def test_nothing_of_a_row_leaves_but_what_the_mapping_names(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "log.csv", as_csv(ROWS))
    assert "Bình" not in repr(plan) + repr(past_of(plan))


def test_every_fault_is_told_by_its_line(tmp_path: Path) -> None:
    rows = [row | {"at": at} for row, at in zip(ROWS, ("noon", "2018-03-11T02:30:00", "2999-01-01T00:00:00"), strict=True)]
    text = (
        as_csv([*rows, ROWS[1] | {"case:status": "done"}, ROWS[1] | {"case:name": ""}, ROWS[1] | {"what": "x" * 201}]) + "a,b\n"
    )
    assert faults_of(tmp_path, "log.csv", text) == [
        "line 2: 'at' is not a time (ISO 8601): 'noon'",
        "line 3: 'at' is no time in America/Los_Angeles: clocks were set forward over 2018-03-11T02:30:00",
        "line 4: 'at' lies before the year 1976 or in the future: '2999-01-01T00:00:00'",
        "line 5: 'case:status' is not what line 3 says of the same case",
        "line 6: column 'case:name' is empty",
        "line 7: the activity is not printable or longer than 200 characters",
        "line 8: has 2 fields where the head names 6 columns",
    ]


def test_lines_are_counted_through_quoted_line_breaks(tmp_path: Path) -> None:
    text = as_csv([ROWS[0] | {"person": "two\nlines"}, ROWS[1] | {"at": "noon"}])
    assert faults_of(tmp_path, "log.csv", text) == ["line 4: 'at' is not a time (ISO 8601): 'noon'"]


def test_the_first_twenty_of_many_faults_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(as_csv([ROWS[0] | {"at": "noon", "case:name": str(n)} for n in range(2500)]))
    _, faults = read_plan(tmp_path / "log.csv", mapping_of(tmp_path, OF_EVENTS))
    assert faults.count == 2500
    assert [fault.line for fault in faults.first] == list(range(2, 22))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"a": 1, "a": 2}', "line 1: is not JSON: a name stands twice in an object"),
        ('{"a": NaN}', "line 1: is not JSON: NaN is no number of JSON"),
        ("[1]", "line 1: is no JSON object"),
        ("{", "line 1: is not JSON: Expecting property name enclosed in double quotes"),
        ("[" * 100_000, "line 1: is not JSON: nested too deeply"),
        ('{"case:name": {"x": 1}}', "line 1: column 'case:name' is empty"),
    ],
)
def test_a_broken_line_of_ndjson_is_a_fault_and_the_next_is_read(tmp_path: Path, line: str, said: str) -> None:
    faults = faults_of(tmp_path, "log.ndjson", f"{line}\n{as_ndjson(ROWS)}" + '{"case:name": "c"}\n')
    assert faults[0].startswith(said)
    assert faults[1] == "line 5: 'what' is missing or empty"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("log.csv", "", "log.csv: holds no line with the names of its columns"),
        ("log.csv", HEAD, "log.csv: holds no case"),
        ("log.csv", "a,a\n", "log.csv: line 1: names the column 'a' twice"),
        ("log.csv", "a,b\n", "log.csv: line 1: has no column 'at', which the mapping names"),
        ("log.csv", HEAD + '"a', "log.csv: line 2: is not CSV: unexpected end of data"),
        ("log.csv", HEAD.encode() + b"\xff\n", "log.csv: line 2: its encoding cannot be read"),
        ("log.csv.gz", HEAD, "log.csv.gz: is named .gz but is not a gzip file"),
        ("log.ndjson", "x" * 1_000_001, "log.ndjson: line 1: is longer than 1,000,000 bytes"),
        ("log.txt", HEAD, "log.txt: its name ends neither in .xes nor .csv nor .ndjson"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_line(tmp_path: Path, name: str, content: str | bytes, said: str) -> None:
    with pytest.raises(ImportFileError) as error:
        faults_of(tmp_path, name, content)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


def test_the_format_is_told_by_the_name() -> None:
    names = ("a.xes", "a.XES.gz", "a.csv", "a.csv.gz", "a.ndjson.gz", "a.jsonl")
    assert [format_of(Path(name)) for name in names] == ["xes", "xes", "csv", "csv", "ndjson", "ndjson"]


# --- rows of cases ------------------------------------------------------------------------------------

CASES = "name,status,made,ended\na,done,01/02/2018 10:00,01/02/2018 11:00\nb,gone,02/02/2018 10:00,\nc,done,,02/02/2018 10:00\n"


def test_a_row_for_a_case_has_its_steps_in_columns(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "log.csv", CASES.rsplit("c,", 1)[0], OF_CASES)
    assert [[one.activity for one in case.activities] for case in plan.cases] == [["Made", "done"], ["Made"]]
    assert [case.closed_at is not None for case in plan.cases] == [True, False]


def test_a_required_step_without_a_time_and_an_id_twice_are_faults(tmp_path: Path) -> None:
    text = CASES + "a,done,03/02/2018 10:00,\n"
    assert faults_of(tmp_path, "log.csv", text, OF_CASES) == [
        "line 4: 'made' is missing or empty",
        "line 5: its id 'a' stands twice in the log",
    ]


def test_steps_out_of_order_are_a_fault_or_listed_and_left_out(tmp_path: Path) -> None:
    rows = CASES.splitlines()[:3]
    text = "\n".join([*rows, "d,done,01/02/2018 10:00,01/02/2018 09:59"])
    said = "line 4: 'done' lies before 'Made' (2018-02-01 09:59:00, 2018-02-01 10:00:00)"
    assert faults_of(tmp_path, "log.csv", text, OF_CASES) == [said]
    plan = plan_of(tmp_path, "log.csv", text, OF_CASES, disorder="leave_out")
    assert [str(fault) for fault in plan.left_out] == [said]
    assert [case.external_id for case in plan.cases] == ["a", "b"]


def test_procedures_come_by_a_table_and_must_be_in_the_catalogue(tmp_path: Path) -> None:
    table = {"attribute": "status", "table": {"done": "log.receipt", "gone": "log.bpic15"}}
    text = CASES.rsplit("c,", 1)[0]
    plan = plan_of(tmp_path, "log.csv", text, OF_CASES, procedure=table)
    assert plan.procedures == {"log.receipt": 1, "log.bpic15": 1}
    mapping = mapping_of(tmp_path, OF_CASES, procedure="log.la311")
    with pytest.raises(ImportFileError, match=r"there is no dossier procedure 'log\.la311' in the catalogue"):
        read_plan(tmp_path / "log.csv", mapping, catalogue=load_catalogue())


def test_ids_that_no_key_can_hold_are_written_with_per_cent_signs(tmp_path: Path) -> None:
    text = "name,status,made,ended\nhồ sơ 1,done,01/02/2018 10:00,\n" + "x" * 200 + ",done,01/02/2018 10:01,\n"
    first, second = past_of(plan_of(tmp_path, "log.csv", text, OF_CASES)).cases
    assert first.external_id == "so-log:h%E1%BB%93%20s%C6%A1%201"
    assert len(second.external_id) <= 200


# --- mappings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steps": [{"name": "x", "time": "t"}]}, "give exactly one of event and steps"),
        ({"event": None}, "give exactly one of event and steps"),
        ({"time_format": "%d/%m/%Y"}, "time_format: does not tell the day, the hour and the minute"),
        ({"closed": {"attribute": "a", "value": "b"}}, "closed.FromAttribute.value"),
        ({"procedure": {"attribute": "a"}}, "procedure"),
        ({"disorder": "ignore"}, "disorder"),
    ],
)
def test_a_mapping_that_contradicts_itself_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ImportFileError) as error:
        mapping_of(tmp_path, OF_EVENTS, **changes)
    assert said in str(error.value)


@pytest.mark.parametrize("name", ["receipt.xes.gz", "receipt.csv", "BPIC15_1.xes.gz", "la311_2018.csv.gz"])
def test_shipped_mappings_are_strict_and_name_procedures_of_the_catalogue(name: str) -> None:
    path = packaged_mapping(Path(name))
    assert path is not None
    mapping = load_mapping(path)
    assert isinstance(mapping.procedure, str)
    procedure = load_catalogue().get(mapping.procedure)
    assert procedure is not None
    assert procedure.kind == mapping.kind.value
