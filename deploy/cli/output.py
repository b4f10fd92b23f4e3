"""One place for what commands print: figures on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from deploy.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable

DONE, REFUSED, WRONG_USAGE = 0, 1, 2

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]


def say(text: str) -> None:
    """Progress, on standard error."""
    print(f"motcua: {text}", file=sys.stderr, flush=True)


def show(content: Any, *, as_json: bool, human: Callable[[Any], str]) -> None:
    """The command's result on standard output: one JSON document, or words for people."""
    print(
        json.dumps(content, ensure_ascii=False, indent=2, default=str) if as_json else human(content),
        flush=True,
    )


def table(rows: list[list[str]]) -> str:
    """Rows in columns, the first row being the heads."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def refuse(message: str) -> NoReturn:
    """End the command with status 1 and one line."""
    raise CommandError(message, status=REFUSED)


def wrong_usage(message: str) -> NoReturn:
    """End the command with status 2 and one line."""
    raise CommandError(message, status=WRONG_USAGE)
