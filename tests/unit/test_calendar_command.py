"""`motcua calendar`: files are judged before they are sent, and what is shown can be applied again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import calendar
from deploy.cli.main import run
from services.processing.calendar_bodies import calendar_body
from services.processing.domain.almanac import Almanac
from shared.calendar import format_days, load_calendar, parse_hours

PACKAGED = Almanac(load_calendar().days, revision=1)
HEADER = "date,weekday,kind,name_vi,name_en,status,swap"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, dict[str, Any]]]:
    """What a service would have been asked; it answers with the packaged calendar."""
    calls: list[tuple[str, str, dict[str, Any]]] = []

    class Stack:
        def __init__(self, subject: str) -> None:
            self.subject = subject

        def ask(self, service: str, path: str, *, method: str, **content: Any) -> dict[str, Any]:
            assert service == "processing"
            calls.append((method, path, content))
            almanac = PACKAGED.with_hours("early", parse_hours(["07:00-11:00"]))
            year = (content.get("params") or {}).get("year")
            return calendar_body(almanac, year=year).model_dump(mode="json")

    monkeypatch.setattr(calendar, "Stack", Stack)
    return calls


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "days.csv"
    path.write_text(format_days(load_calendar().days), encoding="utf-8")
    return path


def test_a_right_file_is_checked_without_asking_anybody(
    asked: list[object], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["calendar", "check", str(file)]) == 0
    assert "118 days of 2020, 2021" in capsys.readouterr().out
    assert asked == []


def test_a_wrong_file_is_neither_right_nor_sent(asked: list[object], file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(
        f"{HEADER}\n2026-09-02,Thu,OFF,a,b,verified,\n2026-08-22,Sat,WORK,a,b,verified,\n2026-02-30,Mon,OFF,a,b,verified,\n"
    )
    assert run(["calendar", "check", str(file), "--json"]) == 1
    assert [fault["line"] for fault in json.loads(capsys.readouterr().out)["faults"]] == [2, 4]
    assert run(["calendar", "apply", str(file)]) == 1
    assert f"{file}, line 2: 2026-09-02 is a Wed" in capsys.readouterr().err
    file.write_bytes(b"\xff\xfe")
    assert run(["calendar", "apply", str(file)]) == 1
    assert asked == []


def test_a_file_is_sent_as_it_is(asked: list[tuple[str, str, dict[str, Any]]], file: Path) -> None:
    assert run(["calendar", "apply", str(file)]) == 0
    assert asked == [("PUT", "/v1/calendar/days", {"file": file.read_bytes()})]


def test_what_is_shown_as_a_file_is_the_file(asked: list[object], file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calendar", "show", "--csv"]) == 0
    assert capsys.readouterr().out == file.read_text(encoding="utf-8")
    assert run(["calendar", "show", "--year", "2026"]) == 0
    shown = capsys.readouterr().out
    assert "Làm bù cho 31/8/2026" in shown
    assert "2025-" not in shown
    assert "  early: 07:00-11:00" in shown
    assert "not announced yet: 2027" in shown


def test_days_and_hours_are_set_and_taken_away(asked: list[tuple[str, str, dict[str, Any]]]) -> None:
    named = {"kind": "OFF", "name_vi": "Nghỉ", "name_en": "Nghỉ", "status": "verified", "swap": "2026-12-19"}
    assert run(["calendar", "set", "2026-12-24", "OFF", "--name", "Nghỉ", "--swap", "2026-12-19"]) == 0
    assert run(["calendar", "remove", "2026-12-24"]) == 0
    assert run(["calendar", "hours", "08:00-12:00", "13:00-17:00", "--agency", "a"]) == 0
    assert run(["calendar", "hours", "--agency", "a", "--common"]) == 0
    assert run(["calendar", "hours"]) == 0
    assert asked == [
        ("PUT", "/v1/calendar/days/2026-12-24", {"body": named}),
        ("DELETE", "/v1/calendar/days/2026-12-24", {}),
        ("PUT", "/v1/calendar/hours/a", {"body": {"spans": ["08:00-12:00", "13:00-17:00"]}}),
        ("DELETE", "/v1/calendar/hours/a", {}),
        ("GET", "/v1/calendar", {"params": {"year": 1}}),
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["set", "2026-12-32", "OFF", "--name", "a"],
        ["set", "2026-12-24", "HALF", "--name", "a"],
        ["set", "2026-12-24", "OFF", "--name", "a", "--swap", "tomorrow"],
        ["remove", "24/12/2026"],
        ["hours", "8:00-12:00"],
        ["hours", "--common"],
    ],
)
def test_wrong_usage_asks_nobody(asked: list[object], arguments: list[str]) -> None:
    assert run(["calendar", *arguments]) == 2
    assert asked == []
