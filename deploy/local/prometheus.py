"""Prometheus of the local stack, where its program is installed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import deploy
from deploy.local import ports

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TEMPLATE = Path(deploy.__file__).with_name("prometheus") / "prometheus.yml"


def find_program() -> str | None:
    """The path of `prometheus`, None when it is not installed."""
    return shutil.which("prometheus") or shutil.which("prometheus", path="/usr/local/bin:/usr/bin:/opt/homebrew/bin")


def write_targets(state: Path, targets: Mapping[str, Sequence[str]]) -> None:
    """Say whom to scrape; Prometheus itself sees the file change."""
    folder = state / "prometheus"
    folder.mkdir(exist_ok=True)
    groups = [{"targets": list(addresses), "labels": {"service": service}} for service, addresses in targets.items()]
    draft = folder / "targets.json.draft"
    draft.write_text(json.dumps(groups, indent=1) + "\n")
    draft.replace(folder / "targets.json")


def write_settings(state: Path) -> Path:
    """Render the template into the state folder."""
    folder = state / "prometheus"
    folder.mkdir(exist_ok=True)
    rendered = TEMPLATE.read_text().replace("{{rules}}", str(TEMPLATE.parent / "rules")).replace("{{state}}", str(folder))
    target = folder / "prometheus.yml"
    target.write_text(rendered)
    return target


def arguments(program: str, state: Path, port: int, retention: str) -> list[str]:
    """The command that runs it on 127.0.0.1."""
    return [
        program,
        f"--config.file={write_settings(state)}",
        f"--storage.tsdb.path={state / 'prometheus' / 'data'}",
        f"--storage.tsdb.retention.time={retention}",
        f"--web.listen-address={ports.HOST}:{port}",
        "--log.level=warn",
    ]
