"""The state folder, its locks, ports and keys."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.local import ports
from deploy.local.errors import StackError
from deploy.local.keys import PRIVATE_KEY, PRIVATE_TOKEN_KEY, PUBLIC_TOKEN_KEY, make_keys
from deploy.local.prometheus import write_targets
from deploy.local.state import StateFolder, write_private


def test_a_folder_with_other_peoples_files_is_never_taken(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear reader")
    with pytest.raises(StackError, match="holds other files: set MOTCUA_STATE_DIR"):
        StateFolder(tmp_path).create()


def test_a_wipe_leaves_a_folder_alone_that_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear reader")
    StateFolder(tmp_path).wipe()
    assert (tmp_path / "letter.txt").exists()


def test_what_is_remembered_is_recalled_by_another_object(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state")
    state.create()
    state.remember("kafka", kind="local", port=4)
    state.remember("kafka", port=5)
    assert StateFolder(tmp_path / "state").recall("kafka") == {"kind": "local", "port": 5}


def test_a_lock_is_seen_by_others_and_freed_at_the_end(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state")
    state.create()
    with state.lock("supervisor", wait=False) as first, state.lock("supervisor", wait=False) as second:
        assert (first, second) == (True, False)
        assert state.is_locked("supervisor")
    assert not state.is_locked("supervisor")
    assert state.holder("supervisor") is None


def test_a_nearly_full_disk_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=499 * 2**20))
    with pytest.raises(StackError, match="only 499 MB free"):
        StateFolder(tmp_path).check_space()


def test_broken_state_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(StackError, match="not readable JSON"):
        StateFolder(tmp_path).recall("kafka")


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state")
    state.create()
    make_keys(state)
    first = (state.keys / PRIVATE_TOKEN_KEY).read_text()
    make_keys(state)
    assert (state.keys / PRIVATE_TOKEN_KEY).read_text() == first
    for name in (PRIVATE_TOKEN_KEY, PRIVATE_KEY):
        assert (state.keys / name).stat().st_mode & 0o777 == 0o600
    assert "d" not in json.loads((state.keys / PUBLIC_TOKEN_KEY).read_text())


def test_a_file_is_on_the_disk_before_it_takes_its_name_and_the_name_before_anybody_relies_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        kept = os.fstat(descriptor)
        done.append("folder" if stat.S_ISDIR(kept.st_mode) else f"file of {kept.st_size}")
        fsync(descriptor)

    def replaced(draft: Path, target: Path) -> Path:
        done.append("replace")
        return replace(draft, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    write_private(tmp_path / "key", "secret")
    assert done == ["file of 6", "replace", "folder"]


def test_a_taken_port_names_its_holder_and_the_setting() -> None:
    with socket.create_server((ports.HOST, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(StackError, match=rf"port {port} is taken by process \d+ .*set MOTCUA_INTAKE_PORT"):
            ports.check_free(port, "MOTCUA_INTAKE_PORT")
        assert ports.take_port(port) != port


def test_a_remembered_port_is_taken_again_when_it_is_free() -> None:
    port = ports.take_port()
    assert ports.take_port(port) == port


def test_prometheus_is_told_every_replica(tmp_path: Path) -> None:
    write_targets(tmp_path, {"intake": ["127.0.0.1:1", "127.0.0.1:2"]})
    content = json.loads((tmp_path / "prometheus" / "targets.json").read_text())
    assert content == [{"targets": ["127.0.0.1:1", "127.0.0.1:2"], "labels": {"service": "intake"}}]
