"""`motcua procedures check [FILE_OR_FOLDER…] [--json]`: the catalogue, or an agency's own, held to its rules."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from shared.catalogue import Fault, check_files
from shared.catalogue.checks import PACKAGED, expand


def register(app: typer.Typer) -> None:
    """Add the group `procedures` to the command."""
    group = typer.Typer(no_args_is_help=True, help="The catalogue of administrative procedures.")
    group.command("check")(check)
    # A second callable keeps `check` a sub-command: typer would fold a group of one into its only command.
    group.callback()(_group)
    app.add_typer(group, name="procedures")


def _group() -> None:
    """The catalogue of administrative procedures."""


def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE|FOLDER]...",
            help="Files, or an agency's own folder, which is held against the packaged catalogue; if none, that catalogue"
            " and the folders of MOTCUA_CATALOGUE_DIR.",
        ),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check catalogue files and name file, line, entry and rule of every fault; status 1 if there is one."""
    asked = files or [PACKAGED, *map(Path, filter(None, os.environ.get("MOTCUA_CATALOGUE_DIR", "").split(os.pathsep)))]
    paths, faults = expand(asked), check_files(asked)
    typer.echo(_as_json(paths, faults) if as_json else _as_text(paths, faults))
    if faults:
        raise typer.Exit(1)


def _as_json(paths: list[Path], faults: list[Fault]) -> str:
    result = {"ok": not faults, "files": [str(path) for path in paths], "faults": [asdict(f) for f in faults]}
    return json.dumps(result, ensure_ascii=False, indent=2)


def _as_text(paths: list[Path], faults: list[Fault]) -> str:
    files = f"{len(paths)} file{'' if len(paths) == 1 else 's'}"
    found = f"{len(faults)} fault{'' if len(faults) == 1 else 's'}" if faults else "no fault"
    return "\n".join([*map(str, faults), f"{files} checked, {found}"])
