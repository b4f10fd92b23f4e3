"""`motcua bench [NAME…]`: how close the product comes to hand-written code, measured in pairs of runs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.bench.benchmarks import BENCHMARKS, Benchmark
from deploy.bench.compare import HEAD, as_text, compare
from deploy.bench.machine import machine
from deploy.bench.programs import Programs, check_checkout, find_floors
from deploy.bench.servers import servers
from deploy.cli.output import DONE, AsJson, say, show, table, wrong_usage
from deploy.local.settings import load_settings

PAIRS = 5


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(bench)


def bench(
    names: Annotated[list[str] | None, typer.Argument(help=f"{', '.join(BENCHMARKS)}; none: all, one after the other.")] = None,
    *,
    n: Annotated[int | None, typer.Option(help="Events, rows, requests or cases; each benchmark has a size of its own.")] = None,
    pairs: Annotated[int, typer.Option(help="Pairs of runs; fewer than 5 say little.")] = PAIRS,
    save: Annotated[Path | None, typer.Option(help="File that the JSON document is written to as well.")] = None,
    as_json: AsJson = False,
) -> int:
    """Compare with the hand-written floors. Kafka and PostgreSQL are those of the settings, or started for this."""
    chosen = choose(names or [])
    if n is not None and n < 100:
        wrong_usage(f"--n accepts 100 or more, not {n}")
    if pairs < 1:
        wrong_usage(f"--pairs accepts 1 or more, not {pairs}")
    check_checkout()
    floors = find_floors()
    with servers(load_settings(), say) as (kafka, postgres):
        content = asyncio.run(_run(Programs(floors, kafka, postgres), chosen, n, pairs))
    if save is not None:
        save.parent.mkdir(parents=True, exist_ok=True)
        save.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
    show(content, as_json=as_json, human=human)
    return DONE  # a missed aim is a figure like any other; a wrong result ended the command before


def choose(names: list[str]) -> list[Benchmark]:
    """The benchmarks of these names, all without any; CommandError for a stranger."""
    if strangers := [name for name in names if name not in BENCHMARKS]:
        wrong_usage(f"bench accepts {', '.join(BENCHMARKS)}, not {', '.join(strangers)}")
    return [BENCHMARKS[name] for name in names or BENCHMARKS]


async def _run(programs: Programs, chosen: list[Benchmark], n: int | None, pairs: int) -> dict[str, Any]:
    surroundings = await machine(programs.postgres)
    reports = [await compare(programs, each, n or each.n, pairs, say) for each in chosen]
    return {"machine": surroundings, "benchmarks": reports}


def human(content: dict[str, Any]) -> str:
    """The table for people."""
    here = content["machine"]
    head = f"{here['cpu']}, {here['cores']} cores shared with Kafka and PostgreSQL, Python {here['python']}"
    rows = [HEAD, *(row for each in content["benchmarks"] for row in as_text(each))]
    notes = [f"{each['name']}: {text}" for each in content["benchmarks"] for text in _notes(each)]
    return "\n\n".join(("\n".join((head, _durable(here["postgres"]))), table(rows), "\n".join(notes)))


def _durable(server: dict[str, str]) -> str:
    return f"PostgreSQL {server['server_version']}, fsync {server['fsync']}, synchronous_commit {server['synchronous_commit']}"


def _notes(report: dict[str, Any]) -> list[str]:
    notes = list(report["differs"])
    if report["machine_moved_in_pairs"]:
        notes.append(f"the machine moved in pairs {report['machine_moved_in_pairs']}: measure again")
    if report["pairs"] < PAIRS:
        notes.append(f"only {report['pairs']} pairs: too few to be quoted")
    return notes
