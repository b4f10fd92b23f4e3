"""The command line: one line for an error, the exit status, one JSON document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy.cli.main import run


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTCUA_STATE_DIR", str(tmp_path / "state"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["frobnicate"], "No such command"),
        (["up", "--only", "kitchen"], "--only accepts"),
        (["up", "--scale", "intake=many"], "--scale accepts SERVICE=N"),
        (["token", "--role", "king"], "--role"),
        (["token", "--role", "officer"], "needs --agency"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_status_of_a_stopped_stack_is_one_json_document_and_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["running"] is False


def test_down_of_a_stopped_stack_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["down"]) == 0
    assert "stopped" in capsys.readouterr().err


def test_the_log_of_an_unknown_service_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["logs", "kitchen"]) == 1
    assert "no log of 'kitchen'" in capsys.readouterr().err


def test_the_doctor_prints_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    status = run(["doctor", "--json"])
    content = json.loads(capsys.readouterr().out)
    assert status == (0 if content["ok"] else 1)
    assert {"python", "java", "kafka", "postgres"} <= {finding["name"] for finding in content["findings"]}
