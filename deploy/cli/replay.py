"""`motcua replay 2020`: a department's simulated year through the running services."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from deploy.cli.figures_text import as_text
from deploy.cli.output import AsJson, refuse, say, show, wrong_usage
from deploy.cli.progress import progress_bar
from deploy.replay.driver import is_complete, replay
from deploy.replay.model import Year, YearError, make_year
from deploy.replay.scenario import Scenario, ScenarioError, load_scenario

YEAR = 2020


def replay_year(
    year: Annotated[int, typer.Argument(help="The year; 2020 is the one with a scenario.")],
    received: Annotated[int | None, typer.Option(help="Dossiers received; the scenario's 5,707 by default.")] = None,
    resolved: Annotated[int | None, typer.Option(help="Dossiers resolved; the scenario's 5,644 by default.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the simulation.")] = None,
    agency: Annotated[str | None, typer.Option(help="Agency that gets the year.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Send a simulated year of one agency and show what the metrics service then says."""
    if year != YEAR:
        wrong_usage(f"there is a scenario for {YEAR} only, not for {year}")
    scenario, made = _make(received, resolved, seed, agency)
    figures = run(scenario, made)
    show(_result(made, figures), as_json=as_json, human=_as_text)


def run(scenario: Scenario, year: Year) -> dict[str, Any]:
    """Replay a year with a progress bar; the figures of the metrics service."""
    say(f"{scenario.title.en}: simulated data; only the totals have a source ({scenario.totals.source})")
    with progress_bar(f"replay {year.agency}") as report:
        return asyncio.run(replay(year, report))


def run_default_replay() -> dict[str, Any] | None:
    """What `motcua up` does: the scenario's year once; nothing when it is there already. The figures, or None."""
    scenario, year = _make(None, None, None, None)
    if asyncio.run(is_complete(year)):
        return None
    figures = run(scenario, year)
    show(_result(year, figures), as_json=False, human=_as_text)
    return figures


def _make(received: int | None, resolved: int | None, seed: int | None, agency: str | None) -> tuple[Scenario, Year]:
    try:
        scenario = load_scenario()
        return scenario, make_year(scenario, received, resolved, seed, agency)
    except YearError as error:
        wrong_usage(str(error))
    except ScenarioError as error:
        refuse(str(error))


def _result(year: Year, figures: dict[str, Any]) -> dict[str, Any]:
    sent = {
        "received": year.received, "resolved": year.resolved, "open": year.received - year.resolved, "seed": year.seed,
        "pace": round(year.pace, 4), "closing_at": year.closing_at.isoformat(),
    }  # fmt: skip
    tasks = [{"procedure": code, "assigned": count, "done": done} for code, count, done in year.tasks_by_procedure()]
    return {"simulated": True, "agency": year.agency, "sent": sent | {"tasks": tasks}, "figures": figures}


def _as_text(result: dict[str, Any]) -> str:
    sent = result["sent"]
    head = (
        f"SIMULATED year of {result['agency']} (seed {sent['seed']}, pace {sent['pace']}): "
        f"sent {sent['received']} received, {sent['resolved']} resolved, {sent['open']} open"
    )
    tasks = ", ".join(f"{each['assigned']} {each['procedure']} ({each['done']} done)" for each in sent["tasks"])
    head += f"; beside them {tasks}" if tasks else ""
    return f"{head}\nThe metrics service says:\n{as_text(result['figures'])}"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay")(replay_year)
