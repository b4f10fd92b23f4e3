"""The 311 hotline's table through the file door, an agency for each source of requests, held against an independent script."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.installation import ROOT, Installation
from tests.support.logs import Commands

SCRIPT = ROOT / "tests/contract/samples/make_la311_figures.py"
GOLDEN = SCRIPT.with_name("la311-figures.json")
PACKAGED = ROOT / "deploy/imports/mappings/la311_2018.yaml"


def independent_figures(table: Path) -> dict[str, Any]:
    """What the script finds in the file, run as a program of its own."""
    told = subprocess.run([sys.executable, "-I", str(SCRIPT), str(table)], capture_output=True, check=True, timeout=120)
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def agency_of(source: str, name: str) -> str:
    """The agency that stands for a source of requests."""
    return f"{name}-{''.join(letter for letter in source.lower() if letter.isalpha())}"


async def check_sources(city: Installation, motcua: Commands, table: Path, folder: Path, name: str) -> dict[str, Any]:
    """Import the table; every source's figures, as the services answer, are those of the script. Gives the script's figures."""
    expected = independent_figures(table)
    sources = [source for source in expected if source]
    packaged = yaml.safe_load(PACKAGED.read_text(encoding="utf-8"))
    channels = packaged["case"]["channel"]["table"]
    agencies = {source: agency_of(source, name) for source in channels}
    mapping = folder / "sources.yaml"
    mapping.write_text(yaml.safe_dump(packaged | {"agency": {"attribute": "RequestSource", "table": agencies}}))
    await motcua.run("import", str(table), "--mapping", str(mapping))
    series = await city.series("metrics")
    for source in sources:
        told, found = await motcua.run("figures", "--agency", agencies[source]), expected[source]
        assert (told["received"], told["resolved"], told["open"]) == (found["requests"], found["closed"], found["open"]), source
        assert told["turnaround"]["percentiles"]["0.5"] == pytest.approx(found["median_seconds"], abs=1e-3), source
        received = {
            part: value
            for part, value in series.items()
            if part.startswith("motcua_cases_received_total{") and f'agency="{agencies[source]}"' in part and value
        }
        assert [f'channel="{channels[source]}"' in part for part in received] == [True], received
        assert list(received.values()) == [found["requests"]]
    return expected
