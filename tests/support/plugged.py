"""The made-up vendor's mapping, plugged into a stack of a test's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.local.hotline import Folders
from deploy.local.state import StateFolder
from tests.support.guide import VENDOR

MAPPING = VENDOR / "voxsaigon.yaml"


def plug_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> StateFolder:
    """The state folder of an own stack, in which the vendor's mapping is; commands take it for theirs."""
    for name in ("MOTCUA_HOTLINE_DIR", "MOTCUA_HOTLINE_SECRETS_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MOTCUA_STATE_DIR", str(folder / "state"))
    made = StateFolder(folder / "state")
    made.create()
    folders = Folders.of(made, {})
    folders.make()
    (folders.mappings / "voxsaigon.yaml").write_text(MAPPING.read_text(encoding="utf-8"), encoding="utf-8")
    return made


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The JSON document that a command printed."""
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document
