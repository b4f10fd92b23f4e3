"""`motcua import FILE`: a log of another system through the running services."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.figures_text import as_text
from deploy.cli.output import AsJson, refuse, say, show
from deploy.cli.progress import progress_bar
from deploy.imports.driver import import_log
from deploy.imports.errors import ImportFileError
from deploy.imports.mapping import load_mapping, packaged_mapping
from deploy.imports.plan import Plan, make_plan


def import_file(
    file: Annotated[Path, typer.Argument(help="XES log, also .gz.", metavar="FILE")],
    mapping: Annotated[Path | None, typer.Option(help="Mapping file; the packaged one of the file's name by default.")] = None,
    agency: Annotated[str | None, typer.Option(help="Agency that gets the cases; the mapping's by default.")] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check everything, send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import a log; safe to run twice. Nobody is notified."""
    plan = _plan(file, mapping, agency)
    say(f"{file.name}: {len(plan.cases)} cases, {plan.events} events, {plan.closed} closed, for agency {plan.agency}")
    if dry_run:
        show(_summary(plan), as_json=as_json, human=_words)
        return
    with progress_bar(f"import {plan.agency}") as report:
        figures = asyncio.run(import_log(plan, report))
    show(_summary(plan) | {"figures": figures}, as_json=as_json, human=lambda result: as_text(result["figures"]))


def _plan(file: Path, mapping: Path | None, agency: str | None) -> Plan:
    chosen = mapping or packaged_mapping(file)
    if chosen is None:
        refuse(f"no mapping is known for {file.name}: give one with --mapping")
    try:
        return make_plan(file, load_mapping(chosen), agency)
    except ImportFileError as error:
        refuse(str(error))


def _summary(plan: Plan) -> dict[str, Any]:
    channels = Counter(case.channel.value for case in plan.cases)
    return {
        "agency": plan.agency, "procedure": plan.procedure, "cases": len(plan.cases), "events": plan.events,
        "closed": plan.closed, "channels": dict(channels),
    }  # fmt: skip


def _words(summary: dict[str, Any]) -> str:
    channels = ", ".join(f"{name} {number}" for name, number in summary["channels"].items())
    return (
        f"would send {summary['cases']} cases with {summary['events']} steps to {summary['agency']} "
        f"(procedure {summary['procedure']}; {channels}); {summary['closed']} would be resolved"
    )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_file)
