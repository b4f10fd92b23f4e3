"""`motcua keys`: the file of the master keys, and when a key may go."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.cli import keys
from deploy.cli.main import run
from deploy.local.keys import add_master_key, drop_master_keys, make_keys
from deploy.local.state import StateFolder
from shared.security.key_file import key_id, read_key_file
from shared.security.key_ring import KeyRing

CASE = uuid4()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The key file of a state folder in which nothing was started yet."""
    for name in [each for each in os.environ if each.startswith("MOTCUA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MOTCUA_STATE_DIR", str(tmp_path / "state"))
    state = StateFolder(tmp_path / "state")
    state.create()
    make_keys(state)
    return state.keys / "private-key"


def ids(file: Path) -> list[str]:
    """The ids in a file."""
    return [key_id(key).hex() for key in read_key_file(file).keys]


def test_a_rotation_keeps_what_opens_and_what_is_found(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = KeyRing.from_file(file)
    sealed = before.new_case(CASE).seal(b"text", "note")

    assert run(["keys", "rotate", "--json"]) == 0

    said, after = json.loads(capsys.readouterr().out), KeyRing.from_file(file)
    assert [said["key"], before.current.hex()] == said["keys"] == ids(file)
    assert (after.open(sealed, CASE, "note"), after.digest(b"x")) == (b"text", before.digest(b"x"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert said["used by"] == {}, "nothing runs"


def test_no_key_is_printed(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["keys", "rotate"])
    said = "".join(capsys.readouterr())
    assert not [line for line in file.read_text().split() if len(line) > 20 and line in said]


def test_the_current_key_is_never_dropped(file: Path) -> None:
    first = ids(file)[0]
    second = add_master_key(file).hex()
    drop_master_keys(file, [first, second])
    assert ids(file) == [second]
    drop_master_keys(file, [second])
    assert ids(file) == [second]


def test_digests_stay_through_many_rotations(file: Path) -> None:
    digest = KeyRing.from_file(file).digest(b"content")
    for _ in range(3):
        older = ids(file)
        add_master_key(file)
        drop_master_keys(file, older)
    assert len(ids(file)) == 1
    assert KeyRing.from_file(file).digest(b"content") == digest


@pytest.mark.parametrize(
    ("counts", "hindered"),
    [
        ({"intake": {"aa": 9}, "case-private": {"aa": 9}}, 0),
        ({"intake": {"aa": 9, "bb": 1}, "case-private": {"aa": 9}}, 1),
        ({"intake": {"aa": 9}, "case-private": {"bb": 2}}, 1),
        ({"intake": {"aa": 9}, "notification": {"version 1": 1}, "case-private": {"bb": 2}}, 2),
        ({"intake": {"aa": 9, "cc": 4}}, 0),
        ({"intake": {"bb": 0}}, 0),
    ],
)
def test_a_key_goes_only_when_nothing_hangs_on_it(counts: dict[str, dict[str, int]], hindered: int) -> None:
    assert len(keys.hindrances(["bb"], counts)) == hindered


@pytest.mark.parametrize("on_topic", [0, 1])
def test_retire_drops_a_key_or_says_why_not(
    on_topic: int, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    older, current = ids(file)[0], add_master_key(file).hex()
    counted: Any = lambda _: {"intake": {current: 3}, "case-private": {older: on_topic}}  # noqa: E731 - stands for the services
    monkeypatch.setattr(keys, "count_all", counted)
    monkeypatch.setattr(keys, "Stack", lambda _: None)
    monkeypatch.setattr(keys, "held_by", lambda _: {key: [current, older] for key in keys.SERVICES})
    os.utime(file, (0, 0))

    status = run(["keys", "retire", older, "--json"])

    said = json.loads(capsys.readouterr().out)
    assert (status, ids(file)) == ((1, [current, older]) if on_topic else (0, [current]))
    assert said["retired"] == ([] if on_topic else [older])
    assert said["hindered by"] == ([f"case-private: 1 on {older}"] if on_topic else [])


@pytest.mark.parametrize("theirs", [["old"], ["old", "new"], ["new"], ["new", "old", "else"]])
def test_a_key_goes_only_when_every_service_holds_exactly_the_files_keys(
    theirs: list[str], file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    older, current = ids(file)[0], add_master_key(file).hex()
    names = {"old": older, "new": current, "else": "00000000"}
    held = {key: [current, older] for key in keys.SERVICES} | {"processing": [names[each] for each in theirs]}
    monkeypatch.setattr(keys, "count_all", lambda _: {"intake": {current: 3}})
    monkeypatch.setattr(keys, "Stack", lambda _: None)
    monkeypatch.setattr(keys, "held_by", lambda _: held)
    os.utime(file, (0, 0))

    assert run(["keys", "retire", older, "--json"]) == 1

    (reason,) = json.loads(capsys.readouterr().out)["hindered by"]
    assert reason.startswith("processing: holds ")
    assert ids(file) == [current, older]


def test_a_new_file_is_waited_out_before_a_key_goes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    add_master_key(file)
    monkeypatch.setattr(time, "sleep", waited.append)
    keys._settle(file)
    assert [0 < each <= keys.TAKEN_UP_SECONDS for each in waited] == [True]
    os.utime(file, (0, 0))
    keys._settle(file)
    assert len(waited) == 1


def test_a_key_that_is_not_an_older_one_is_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for key in (ids(file)[0], "00000000"):
        assert run(["keys", "retire", key]) == 1
        assert "not an older key" in capsys.readouterr().err
    assert len(ids(file)) == 1


def test_a_spoilt_file_is_left_as_it_is(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("spoilt")
    assert run(["keys", "rotate"]) == 1
    assert "no key file that can be used" in capsys.readouterr().err
    assert file.read_text() == "spoilt"
