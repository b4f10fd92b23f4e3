"""Real logs beside the checkout, their golden figures, and the command `motcua` against an installation of a test."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.imports.xes import read_traces
from tests.support.installation import ROOT, Installation

GOLDEN: dict[str, Any] = json.loads((ROOT / "tests/contract/samples/log-figures.json").read_text(encoding="utf-8"))
LOGS = {
    "receipt.xes.gz": "receipt",
    "receipt.csv.gz": "receipt",
    "BPIC15_1.xes.gz": "BPIC15_1",
    "la311_2018.csv.gz": "la311_2018",
}
"""The shipped logs and the names of their golden figures."""


def check_span(span: dict[str, Any], golden: dict[str, Any]) -> None:
    """From the first to the last event of each case: to the millisecond what the independent tool says."""
    assert span["cases"] == golden["cases"]
    found = [span["mean_seconds"], *(span["percentiles"][share] for share in ("0.5", "0.9", "0.99"))]
    expected = [golden[f"{name}_seconds"] for name in ("mean", "p50", "p90", "p99")]
    assert found == pytest.approx(expected, abs=1e-3)


def ways_of(log: Path) -> Counter[tuple[str, ...]]:
    """The variants of an XES log, in the order in which its events stand."""
    return Counter(tuple(event["concept:name"] for event in trace.events) for trace in read_traces(log))


def check_ways(ways: Counter[tuple[str, ...]], golden: dict[str, Any]) -> None:
    """Events, activities and variants are those of the independent tool."""
    assert sum(ways.values()) == golden["cases"]
    assert sum(len(way) * count for way, count in ways.items()) == golden["events"]
    activities: Counter[str] = Counter()
    for way, count in ways.items():
        activities.update({name: times * count for name, times in Counter(way).items()})
    assert activities == golden["activities"]
    assert len(ways) == golden["variants"]
    assert {str(size): number for size, number in Counter(ways.values()).items()} == golden["variants_by_cases"]


@dataclass(frozen=True, slots=True)
class Commands:
    """Runs `motcua` as a process of its own; its state folder knows the installation."""

    state: Path

    @classmethod
    def of(cls, city: Installation, state: Path) -> Commands:
        """A state folder as if the stack had been started there."""
        (state / "keys").mkdir(parents=True)
        ports = {f"MOTCUA_{name.upper()}_PORT": str(port) for name, port in city.ports.items()}
        known = {name: value for name, value in city.environment.items() if name.startswith("MOTCUA_")}
        (state / "keys/environment.json").write_text(json.dumps(known | ports))
        shutil.copy(city.keys.folder / "private.json", state / "keys/token-private.json")
        return cls(state)

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        """Start a command."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MOTCUA_")}
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "deploy.cli.main", *words,
            cwd=ROOT, env=environment | {"MOTCUA_STATE_DIR": str(self.state)},
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def run(self, *words: str) -> dict[str, Any]:
        """What a command that ends well prints as JSON."""
        process = await self.start(*words, "--json")
        out, error = await process.communicate()
        assert process.returncode == 0, error.decode()[-2000:]
        answer: dict[str, Any] = json.loads(out)
        return answer
