"""The file door against tables that mean harm: each fault is told by its line, good rows beside it are read, nothing fails."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.cli.main import run
from deploy.imports import mapping as mappings
from deploy.imports.errors import ImportFileError
from deploy.imports.mapping import load_mapping
from deploy.imports.plan import read_plan

NAME = "la311_2018.csv"
MAPPING = load_mapping(Path(mappings.__file__).parent / "mappings" / "la311_2018.yaml")
HEAD = b"SRNumber,CreatedDate,Owner,Status,RequestSource,ClosedDate\n"
GOOD = b"1-1,01/01/2018 12:00:09 AM,BOS,Closed,Call,01/06/2018 10:18:29 AM\n"
LAST = GOOD.replace(b"1-1", b"1-9")

ROWS = {
    "no id": GOOD.replace(b"1-1", b""),
    "an id twice": GOOD,
    "no time": GOOD.replace(b"01/01/2018 12:00:09 AM", b""),
    "a time that is none": GOOD.replace(b"01/01/2018 12:00:09 AM", b"soon"),
    "a day that is none": GOOD.replace(b"01/01/2018", b"02/30/2018"),
    "an hour that is none": GOOD.replace(b"12:00:09 AM", b"13:00:09 AM"),
    "a time of another form": GOOD.replace(b"01/01/2018 12:00:09 AM", b"2018-01-01T00:00:09Z"),
    "a time that clocks passed over": GOOD.replace(b"01/01/2018 12:00:09 AM", b"03/11/2018 02:30:00 AM"),
    "a time still to come": GOOD.replace(b"2018 12:00:09", b"2999 12:00:09"),
    "a time of another century": GOOD.replace(b"2018 12:00:09", b"1890 12:00:09"),
    "a channel that nobody knows": GOOD.replace(b"Call", b"Telepathy"),
    "no channel": GOOD.replace(b"Call", b""),
    "a field too few": GOOD.replace(b",BOS", b""),
    "a field too many": GOOD.replace(b"\n", b",x\n"),
    "a status that cannot be printed": GOOD.replace(b"Closed", b"Clo\x07sed"),
    "a status of 300 letters": GOOD.replace(b"Closed", b"C" * 300),
}
FILES = {
    "nothing": b"",
    "a head alone": HEAD,
    "no head": GOOD,
    "a column twice": HEAD.replace(b"Owner", b"Status") + GOOD,
    "a column missing": HEAD.replace(b"CreatedDate", b"Created") + GOOD,
    "a quote that does not end": HEAD + GOOD + b'"1-2,',
    "something behind a quote": HEAD + GOOD + b'"1-2"x,a,b,c,d,e\n',
    "no UTF-8": HEAD + GOOD.replace(b"BOS", b"\xff\xfe"),
    "UTF-16": (HEAD + GOOD).decode().encode("utf-16"),
    "a line of a megabyte": HEAD + b"x" * 1_000_001,
    "half of a packed file": gzip.compress(HEAD + GOOD)[:40],
    "another kind of file": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
}


def written(folder: Path, content: bytes, name: str = NAME) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_bad_row_is_a_fault_of_its_line_and_its_neighbours_are_read(tmp_path: Path, row: bytes) -> None:
    plan, faults = read_plan(written(tmp_path, HEAD + GOOD + row + LAST), MAPPING)

    assert faults.count >= 1
    assert {fault.line for fault in faults.first} <= {2, 3}
    assert len(plan.cases) >= 1
    assert run(["import", str(tmp_path / NAME), "--dry-run"]) == 1


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_none_is_refused_in_one_line(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    packed = name.startswith("half of")
    path = written(tmp_path, FILES[name], NAME + ".gz" if packed else NAME)

    assert run(["import", str(path), "--dry-run"]) == 1
    out, error = capsys.readouterr()
    assert error.startswith("motcua: la311_2018.csv"), (out, error)
    assert "Traceback" not in out + error
    assert error.count("\n") == 1


@given(
    before=st.integers(0, len(HEAD + GOOD)), gone=st.integers(0, 20), put=st.binary(max_size=20) | st.just(b'"\n"'),
)  # fmt: skip
@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_written_into_a_file_it_is_read_or_refused(tmp_path: Path, before: int, gone: int, put: bytes) -> None:
    whole = HEAD + GOOD + LAST
    path = written(tmp_path, whole[:before] + put + whole[before + gone :])
    try:
        plan, faults = read_plan(path, MAPPING)
    except ImportFileError:  # refused whole, in one line
        return
    assert faults.count or plan.cases
