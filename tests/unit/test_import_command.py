"""`motcua import --dry-run` and `motcua export`, as far as they need no services."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy.cli.main import run

HEAD = "case:concept:name,case:channel,concept:name,time:timestamp,org:resource,org:group\n"
GOOD = "a,Desk,A,2020-01-02T10:00:00Z,Nguyễn Văn A,Group 1\n"


def written(folder: Path, text: str) -> str:
    path = folder / "receipt.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_dry_run_says_what_would_happen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = written(tmp_path, HEAD + GOOD + GOOD.replace(",A,", ",B,"))
    assert run(["import", log, "--dry-run", "--agency", "so-x", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    expected = {
        "agency": "so-x", "cases": 1, "events": 2, "closed": 1, "open": 0, "variants": 1, "activities": {"A": 1, "B": 1},
        "channels": {"counter": 1},
    }  # fmt: skip
    assert {name: told[name] for name in expected} == expected
    assert run(["import", log, "--dry-run"]) == 0
    words = capsys.readouterr().out
    assert "would send 1 cases (dossier) with 2 steps to coselog-receipt" in words
    assert "Nguyễn" not in words


def test_a_dry_run_shows_the_first_twenty_faults_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = written(tmp_path, HEAD + GOOD + "".join(f"x{n},Fax,A,2020-01-02T10:00:00Z,,\n" for n in range(25)))
    assert run(["import", log, "--dry-run"]) == 1
    out, error = capsys.readouterr()
    lines = out.splitlines()
    assert lines[:20] == [f"line {n}: channel 'Fax' is not in the mapping's table" for n in range(3, 23)]
    assert lines[20:] == ["… and 5 more"]
    assert error.strip() == "motcua: receipt.csv has 25 faults: nothing would be sent"
    assert run(["import", log, "--dry-run", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["fault_count"], len(told["faults"]), told["faults"][0]["line"]) == (25, 20, 3)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["import", "unheard-of.csv"], 1, "no mapping is known for unheard-of.csv"),
        (["import", "receipt.csv"], 1, "receipt.csv: cannot be read: No such file or directory"),
        (["export", "log.csv"], 2, "the file's name ends in .xes or .xes.gz"),
        (["export", "log.xes", "--from", "soon"], 2, "--from accepts a day such as 2020-01-31, not 'soon'"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    words: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == status
    error = capsys.readouterr().err.strip()
    assert said in error
    assert "\n" not in error
