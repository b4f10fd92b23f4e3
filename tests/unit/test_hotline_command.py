"""`motcua hotline`: mappings are drafted and tried without sending, secrets made and exchanged, the log shown."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import hotline
from deploy.cli.main import run
from deploy.local.environment import make_environment
from deploy.local.hotline import PACKAGED, Folders, make_hotline
from deploy.local.settings import LocalSettings
from deploy.local.state import StateFolder
from shared.clock import real_time
from shared.hotline.reading import read_mapping
from shared.hotline.signing import check_secret, sign, verify
from tests.support.guide import VENDOR
from tests.support.plugged import MAPPING, plug_in, told

SAMPLES = [str(VENDOR / f"{name}.json") for name in ("call", "ticket", "tally")]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateFolder:
    return plug_in(tmp_path, monkeypatch)


@pytest.fixture
def folders(state: StateFolder) -> Folders:
    return Folders.of(state, {})


@pytest.fixture
def asked(state: StateFolder, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What intake would have been asked."""
    calls: list[tuple[str, dict[str, Any]]] = []
    answers: dict[str, dict[str, Any]] = {
        "/v1/hotline/voxsaigon/log": {"items": [LOGGED, NOTED], "next": None},
        "/v1/hotline/stringee/replay": {"results": [{"event_id": "a", "outcome": "refused"}], "next": None},
    }

    class Stack:
        def __init__(self, subject: str) -> None:
            self.subject = subject

        def ask(self, service: str, path: str, **content: Any) -> dict[str, Any] | None:
            assert service == "intake"
            calls.append((path, content))
            if path == "/v1/hotline/voxsaigon/replay":
                last = content["params"]["cursor"] == "c"
                return {"results": [{"event_id": "a", "outcome": "accepted"}], "next": None if last else "c"}
            return answers.get(path)

    monkeypatch.setattr(hotline, "Stack", Stack)
    return calls


LOGGED = {
    "event_id": "vx-000919",
    "received_at": "2026-11-24T01:21:06Z",
    "door": "webhook",
    "outcome": "refused",
    "type": None,
    "note": None,
    "faults": [{"field": "envelope.kind", "rule": "unknown_word", "line": 12}],
}
NOTED = LOGGED | {
    "event_id": "vx-000918",
    "outcome": "accepted",
    "type": "hotline.ticket_opened",
    "note": "dossier_unknown",
    "faults": None,
}


def test_check_shows_what_each_sample_becomes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["hotline", "check", str(MAPPING), *SAMPLES]) == 0
    shown = capsys.readouterr().out
    assert "vx-000918  hotline.call_changed  2026-11-24 08:17:31" in shown
    assert "waiting_seconds 21, talking_seconds 183" in shown
    assert "classification other, matter traffic" in shown
    assert shown.endswith("voxsaigon.yaml: no fault, 3 samples\n")
    assert run(["hotline", "check", str(MAPPING), *SAMPLES, "--json"]) == 0
    document = told(capsys)
    kinds = [event["becomes"] for sample in document["samples"] for event in sample["events"]]
    assert kinds == ["hotline.call_changed", "hotline.ticket_opened", "hotline.feed_counted"]
    assert (document["ok"], document["source"], document["faults"]) == (True, "voxsaigon", [])


def test_check_names_file_line_and_rule_of_a_mapping(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = MAPPING.read_text(encoding="utf-8").splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("id:"))
    lines[at : at + 1] = ["id: envelope.[msgid", "ident: envelope.msgid"]
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("\n".join(lines), encoding="utf-8")
    assert run(["hotline", "check", str(wrong), *SAMPLES]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith(f"{wrong}:{at + 1}: id: is no JMESPath")
    assert shown[1] == f"{wrong}:{at + 2}: ident: there is no such key; misspelt? [unknown-key]"
    assert run(["hotline", "check", str(wrong), "--json"]) == 1
    assert [(fault["file"], fault["line"]) for fault in told(capsys)["faults"]] == [(str(wrong), at + 1), (str(wrong), at + 2)]
    wrong.write_bytes(b"\xff\xfe")
    assert run(["hotline", "check", str(wrong)]) == 1
    assert "not UTF-8" in capsys.readouterr().out


def test_check_names_the_sample_and_the_mappings_line_of_an_event_that_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = tmp_path / "odd.json"
    sample.write_text(Path(SAMPLES[0]).read_text(encoding="utf-8").replace("HANGUP", "VANISHED"), encoding="utf-8")
    assert run(["hotline", "check", str(MAPPING), str(sample), "--json"]) == 1
    document = told(capsys)
    line = document["faults"][0]["line"]
    assert "call.step" in MAPPING.read_text(encoding="utf-8").splitlines()[line - 1]
    assert document["faults"][0]["rule"] == "unknown_word"
    assert document["samples"][0]["events"][0]["becomes"] == "refused"
    assert run(["hotline", "check", str(MAPPING), str(sample)]) == 1
    last = capsys.readouterr().out.splitlines()[-2]
    assert last.startswith(f"{MAPPING}:{line}: odd.json, call.step: ")
    assert "VANISHED" not in last


def test_a_mapping_may_be_named_by_its_source(state: StateFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["hotline", "check", "voxsaigon", SAMPLES[0], "--json"]) == 0
    assert told(capsys)["mapping"] == str(state.path / "hotline/voxsaigon.yaml")
    assert run(["hotline", "check", "stringee"]) == 0
    assert run(["hotline", "check", "nobody"]) == 1
    assert run(["hotline", "check", "nobody.yaml"]) == 1


def test_a_draft_says_what_is_to_be_decided_and_never_takes_a_files_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "voxsaigon.yaml"
    words = ["hotline", "new", "voxsaigon", "--from", SAMPLES[1]]
    assert run(words) == 0
    printed = capsys.readouterr().out
    assert run([*words, "-o", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == printed
    assert run(["hotline", "check", str(out), SAMPLES[1]]) == 1
    assert "[todo]" in capsys.readouterr().out
    assert run([*words, "-o", str(out)]) == 1
    assert out.read_text(encoding="utf-8") == printed
    assert run(["hotline", "new", "Vox Saigon", "--from", SAMPLES[1]]) == 2
    assert run(["hotline", "new", "voxsaigon", "--from", str(MAPPING)]) == 1


def test_secrets_are_made_once_exchanged_and_retired(folders: Folders, capsys: pytest.CaptureFixture[str]) -> None:
    def secrets(*words: str) -> list[str]:
        assert run(["hotline", "secret", "voxsaigon", *words, "--json"]) == 0
        found: list[str] = told(capsys)["secrets"]
        return found

    (first,) = secrets()
    assert secrets() == [first]
    file = folders.secrets / "voxsaigon"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    second, kept = secrets("--rotate")
    assert kept == first != second
    authentication = read_mapping(MAPPING.read_text(encoding="utf-8"), "m").authentication
    for each in (first, second):
        headers = sign(authentication, each, b"{}", "msg_1", real_time())
        verify(authentication, folders.secrets_of("voxsaigon"), headers, b"{}", real_time())
    third, kept = secrets("--rotate")
    assert kept == second
    file.write_text(f"{third}\n\n{second}\n{first}\n")
    assert secrets() == [third, second]
    assert secrets("--retire") == [third]
    assert file.read_text() == f"{third}\n"
    assert run(["hotline", "secret", "voxsaigon", "--rotate", "--retire"]) == 2
    assert run(["hotline", "secret", "nobody"]) == 1


def test_every_shipped_source_has_a_secret_that_its_scheme_can_use(state: StateFolder, folders: Folders) -> None:
    shipped = {file.stem: read_mapping(file.read_text(encoding="utf-8"), file.name) for file in PACKAGED.glob("*.yaml")}
    assert {"stringee", "twilio", "asterisk", "ticket-1022", "normalised"} <= set(shipped)
    make_hotline(state)
    secrets = {name: folders.secrets_of(name) for name in shipped}
    for name, mapping in shipped.items():
        assert mapping.source == name
        assert [check_secret(mapping.authentication, each) for each in secrets[name]] == secrets[name]
        assert len(secrets[name]) == 1
    make_hotline(state)
    assert {name: folders.secrets_of(name) for name in shipped} == secrets


def test_services_are_given_the_folders_and_an_operators_own_are_left_alone(
    state: StateFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def given() -> dict[str, str]:
        environment = make_environment(LocalSettings(state_dir=state.path), state, kafka="k:1", postgres="postgresql://p")
        return {name: environment[f"MOTCUA_{name}"] for name in ("HOTLINE_DIR", "HOTLINE_SECRETS_DIR")}

    assert given() == {"HOTLINE_DIR": str(state.path / "hotline"), "HOTLINE_SECRETS_DIR": str(state.path / "hotline-secrets")}
    monkeypatch.setenv("MOTCUA_HOTLINE_SECRETS_DIR", str(tmp_path / "vault"))
    assert given()["HOTLINE_SECRETS_DIR"] == str(tmp_path / "vault")
    make_hotline(state)
    assert list((tmp_path / "vault").iterdir()) == []


def test_the_log_is_shown_and_an_unknown_source_is_refused(
    asked: list[tuple[str, dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["hotline", "log", "voxsaigon", "--limit", "5", "--outcome", "refused"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[1].split() == ["2026-11-24", "08:21:06", "webhook", "refused", "vx-000919", "envelope.kind:", "unknown_word"]
    assert shown[2].split()[-2:] == ["hotline.ticket_opened;", "dossier_unknown"]
    assert asked == [("/v1/hotline/voxsaigon/log", {"params": {"limit": 5, "outcome": "refused"}})]
    assert run(["hotline", "log", "nobody"]) == 1
    assert "intake knows no source nobody" in capsys.readouterr().err


def test_a_replay_is_asked_for_and_what_is_still_refused_is_status_1(
    asked: list[tuple[str, dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["hotline", "replay", "voxsaigon"]) == 0
    assert capsys.readouterr().out == "tried again: 2 accepted\n"
    assert run(["hotline", "replay", "stringee"]) == 1
    pages = [(path.split("/")[3], content["params"]["cursor"]) for path, content in asked]
    assert pages == [("voxsaigon", None), ("voxsaigon", "c"), ("stringee", None)]
