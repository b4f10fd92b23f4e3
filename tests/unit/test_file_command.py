"""`motcua file` as its user sees it: what it prints, and with which status it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.cli.main import run
from deploy.filing.journal import held
from deploy.local.keys import make_keys
from deploy.local.state import StateFolder
from tests.support.fake_intake import FakeIntake, bodies_of, put_in_place, write

Use = Callable[[FakeIntake], None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Use:
    """A stack that was started once, with a fake in the place of its intake."""
    state = StateFolder(tmp_path / "state")
    monkeypatch.setenv("MOTCUA_STATE_DIR", str(state.path))
    state.create()
    make_keys(state)
    state.save("keys/environment.json", {"MOTCUA_INTAKE_PORT": "1"})
    return put_in_place(monkeypatch)


def test_all_lines_filed_is_status_0_and_one_json_document(tmp_path: Path, use: Use, capsys: pytest.CaptureFixture[str]) -> None:
    use(FakeIntake())
    file = write(tmp_path, bodies_of(1500))
    assert run(["file", str(file), "--agency", "so-x", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["agency"], told["lines"], told["opened"], told["refused"], told["refused_file"]) == ("so-x", 1500, 1500, 0, None)
    assert run(["file", str(file), "--agency", "so-x"]) == 0
    assert capsys.readouterr().out.startswith("0 cases opened, 1,500 known before, 0 lines refused")


def test_a_refused_line_is_status_1_and_its_answer_is_in_a_file(
    tmp_path: Path, use: Use, capsys: pytest.CaptureFixture[str]
) -> None:
    use(FakeIntake())
    file = write(tmp_path, bodies_of(10, bad=(4,)))
    assert run(["file", str(file)]) == 1
    assert f"why lines were refused: {file}.refused.ndjson" in capsys.readouterr().out
    (refused,) = map(json.loads, Path(f"{file}.refused.ndjson").read_text().splitlines())
    assert (refused["line"], refused["status"], refused["problem"]["errors"][0]["pointer"]) == (4, 422, "/bad")


def test_a_dry_run_shows_the_first_twenty_faults_and_files_nothing(
    tmp_path: Path, use: Use, capsys: pytest.CaptureFixture[str]
) -> None:
    intake = FakeIntake()
    use(intake)
    file = write(tmp_path, bodies_of(30, bad=tuple(range(3, 28))))
    assert run(["file", str(file), "--dry-run"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:20] == [f"line {n} (bad): is not a field known here" for n in range(3, 23)]
    assert lines[20:] == ["… and 5 more faults", "5 lines would be filed, 25 refused"]
    assert run(["file", str(file), "--dry-run", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["would_be_filed"], told["would_be_refused"], told["fault_count"], len(told["faults"])) == (5, 25, 25, 20)
    assert intake.cases == {}
    assert run(["file", str(write(tmp_path, bodies_of(3))), "--dry-run"]) == 0


def test_what_cannot_be_begun_is_said_in_one_line(
    tmp_path: Path, use: Use, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(FakeIntake())
    file = write(tmp_path, bodies_of(3))
    torn = tmp_path / "torn.ndjson.gz"
    torn.write_bytes(write(tmp_path, bodies_of(500), "whole.ndjson.gz").read_bytes()[:200])
    with held(file):
        assert run(["file", str(file)]) == 1
    assert run(["file", str(tmp_path / "absent.ndjson")]) == 1
    assert run(["file", str(torn)]) == 1
    monkeypatch.setenv("MOTCUA_STATE_DIR", str(tmp_path / "elsewhere"))
    assert run(["file", str(file)]) == 1
    assert run(["file"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0].endswith("cases.ndjson is being filed by another motcua now: wait for it, or stop it")
    assert said[1] == "motcua: absent.ndjson: cannot be read: No such file or directory"
    assert said[2] == "motcua: torn.ndjson.gz: the gzip stream is damaged or cut off"
    assert "run `motcua up`" in said[3]


def test_ctrl_c_is_status_130_and_says_how_to_go_on(
    tmp_path: Path, use: Use, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    use(FakeIntake())
    monkeypatch.setattr("deploy.filing.driver.send", interrupted)
    assert run(["file", str(write(tmp_path, bodies_of(3)))]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "motcua: interrupted: the same command goes on where it was"
