"""`motcua export FILE.xes.gz`: an agency's cases as an event log."""

from __future__ import annotations

import asyncio
import time
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from deploy.cli.output import AsJson, refuse, show, wrong_usage
from deploy.cli.progress import progress_bar
from deploy.history.export import Exported, Histories, Wanted, export
from deploy.history.send import Report
from deploy.local.environment import running_environment, service_url
from deploy.local.keys import sign_token
from deploy.local.settings import load_settings
from deploy.local.state import StateFolder
from deploy.replay.scenario import load_scenario
from shared.security.tokens import Role

TOKEN_SECONDS = 3600


def export_file(
    file: Annotated[Path, typer.Argument(help="The log to write: .xes, or .xes.gz.", metavar="FILE")],
    agency: Annotated[str | None, typer.Option(help="Whose cases; the replayed year's agency by default.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="First day of filing, such as 2020-01-01.", metavar="D")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day of filing.", metavar="D")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write the event log of an agency as XES 1.0. Imported cases give back their activities, others every fact."""
    if not file.name.endswith((".xes", ".xes.gz")):
        wrong_usage(f"the file's name ends in .xes or .xes.gz, not {file.name!r}")
    wanted = Wanted(agency or load_scenario().agency.code, _day("--from", first), _day("--to", last))
    started = time.monotonic()
    with progress_bar(f"export {wanted.agency}") as report:
        try:
            exported = asyncio.run(_export(wanted, file, report))
        except OSError as error:
            refuse(f"{file.name} cannot be written: {error.strerror or error}")
    show(summary(wanted.agency, file, exported, time.monotonic() - started), as_json=as_json, human=_words)


async def _export(wanted: Wanted, file: Path, report: Report) -> Exported:
    environment, settings = running_environment(), load_settings()
    state = StateFolder(settings.state_dir)
    token = sign_token(state, role=Role.AUDITOR, agency=wanted.agency, unit=None, seconds=TOKEN_SECONDS)
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:
        return await export(Histories(http, service_url("processing", environment)), wanted, file, report)


def summary(agency: str, file: Path, exported: Exported, seconds: float) -> dict[str, Any]:
    """What was written, for people and programs."""
    return {
        "agency": agency, "file": file.name, "cases": exported.cases, "events": exported.events,
        "activities": len(exported.activities), "variants": len(exported.variants), "seconds": round(seconds, 2),
        "events_per_second": round(exported.events / seconds) if seconds else None,
    }  # fmt: skip


def _words(told: dict[str, Any]) -> str:
    return (
        f"{told['file']}: {told['cases']:,} cases of {told['agency']}, {told['events']:,} events, {told['activities']:,} "
        f"activities, {told['variants']:,} variants; {told['seconds']} s"
    )


def _day(option: str, text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        wrong_usage(f"{option} accepts a day such as 2020-01-31, not {text!r}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export_file)
