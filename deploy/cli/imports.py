"""`motcua import FILE`: a log of another system through the running services."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.figures_text import as_text
from deploy.cli.output import AsJson, refuse, say, show
from deploy.cli.progress import progress_bar
from deploy.imports.driver import import_log
from deploy.imports.errors import SHOWN, Fault, Faults, ImportFileError
from deploy.imports.mapping import load_mapping, packaged_mapping
from deploy.imports.plan import Plan, read_plan
from deploy.local.settings import PREFIX
from shared.catalogue import load_catalogue

COMMONEST = 10
"""How many activities the words name."""


def import_file(
    file: Annotated[Path, typer.Argument(help="Log: XES, CSV or NDJSON, also .gz.", metavar="FILE")],
    mapping: Annotated[Path | None, typer.Option(help="Mapping file; the packaged one of the file's name by default.")] = None,
    agency: Annotated[str | None, typer.Option(help="Agency that gets the cases; the mapping's by default.")] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check everything, send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import a log; safe to run twice, and to run again after an interruption. Nobody is notified."""
    plan, faults = _read(file, mapping, agency)
    if faults.count:
        show(_faulty(file, faults), as_json=as_json, human=_faults_words)
        word = "fault" if faults.count == 1 else "faults"
        refuse(f"{file.name} has {faults.count:,} {word}: nothing {'would be' if dry_run else 'was'} sent")
    told = _summary(plan)
    if dry_run:
        show(told, as_json=as_json, human=_words)
        return
    say(f"{file.name}: {told['cases']:,} cases, {told['events']:,} events, {told['closed']:,} closed, for {told['agency']}")
    for each in told["left_out"][:SHOWN]:
        say(f"left out: {each}")
    started = time.monotonic()
    with progress_bar(f"import {told['agency']}") as report:
        figures = asyncio.run(import_log(plan, report))
    seconds = time.monotonic() - started
    speed = {"seconds": round(seconds, 2), "events_per_second": round(plan.events / seconds)}
    say(f"{plan.events:,} events seen by metrics after {seconds:.1f} s: {speed['events_per_second']:,} events/s")
    show(told | speed | _figures(figures), as_json=as_json, human=_figures_words)


def _read(file: Path, mapping: Path | None, agency: str | None) -> tuple[Plan, Faults]:
    chosen = mapping or packaged_mapping(file)
    if chosen is None:
        refuse(f"no mapping is known for {file.name}: give one with --mapping")
    try:
        return read_plan(file, load_mapping(chosen), agency, catalogue=load_catalogue(_folders()))
    except ImportFileError as error:
        refuse(str(error))


def _folders() -> tuple[Path, ...]:
    """Where further procedures are, as the services are told."""
    return tuple(Path(name) for name in os.environ.get(f"{PREFIX}CATALOGUE_DIR", "").split(":") if name)


def _summary(plan: Plan) -> dict[str, Any]:
    """What would happen."""
    filed = [case.filed_at for case in plan.cases]
    return {
        "agency": ", ".join(plan.agencies), "agencies": dict(plan.agencies), "kind": plan.kind.value,
        "procedures": dict(plan.procedures),
        "cases": len(plan.cases), "events": plan.events, "closed": plan.closed, "open": len(plan.cases) - plan.closed,
        "first": filed[0].isoformat() if filed else None, "last": filed[-1].isoformat() if filed else None,
        "channels": dict(Counter(case.channel.value for case in plan.cases)),
        "activities": dict(plan.activities.most_common()), "variants": len(plan.variants),
        "officers_left_out": plan.officers_left_out, "left_out": [str(fault) for fault in plan.left_out],
    }  # fmt: skip


def _figures(by_agency: dict[str, Any]) -> dict[str, Any]:
    """Figures of each agency, and once more those of the only one."""
    return {"by_agency": by_agency, "figures": next(iter(by_agency.values())) if len(by_agency) == 1 else None}


def _figures_words(told: dict[str, Any]) -> str:
    return "\n\n".join(as_text(figures) for figures in told["by_agency"].values())


def _words(told: dict[str, Any]) -> str:
    counts = {name: ", ".join(f"{word} {count:,}" for word, count in told[name].items()) for name in ("channels", "procedures")}
    activities = told["activities"]
    commonest = ", ".join(f"{name} {count:,}" for name, count in list(activities.items())[:COMMONEST])
    more = ", …" if len(activities) > COMMONEST else ""
    lines = [
        f"would send {told['cases']:,} cases ({told['kind']}) with {told['events']:,} steps to {told['agency']}; nobody is told",
        f"filed from {told['first']} to {told['last']}",
        f"{told['closed']:,} would be resolved, {told['open']:,} stay open",
        f"procedures: {counts['procedures']}",
        f"channels: {counts['channels']}",
        f"{len(activities):,} activities in {told['variants']:,} variants: {commonest}{more}",
    ]
    left_out = told["left_out"]
    if left_out:
        lines.append(f"{len(left_out):,} cases would be left out:")
        lines += [f"  {each}" for each in left_out[:SHOWN]] + (["  …"] if len(left_out) > SHOWN else [])
    return "\n".join(lines)


def _faulty(file: Path, faults: Faults) -> dict[str, Any]:
    return {"file": file.name, "fault_count": faults.count, "faults": [_fault(fault) for fault in faults.first]}


def _fault(fault: Fault) -> dict[str, Any]:
    return {"line": fault.line, "place": fault.place, "rule": fault.rule}


def _faults_words(told: dict[str, Any]) -> str:
    lines = [str(Fault(**each)) for each in told["faults"]]
    more = told["fault_count"] - len(lines)
    return "\n".join([*lines, f"… and {more:,} more"] if more else lines)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_file)
