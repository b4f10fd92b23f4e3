"""`motcua file FILE`: a file of cases through intake's bulk route."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.output import DONE, REFUSED, AsJson, refuse, say, show
from deploy.cli.progress import progress_bar
from deploy.filing.check import Checked
from deploy.filing.driver import Filing
from deploy.filing.journal import Places, held
from deploy.filing.lines import Survey, survey
from deploy.imports.errors import ImportFileError
from deploy.imports.opening import READING_ERRORS, rule_of
from deploy.local.environment import running_environment, service_url
from deploy.local.keys import sign_token
from deploy.local.settings import load_settings
from deploy.local.state import StateFolder
from shared.security.tokens import Role

TOKEN_SECONDS = 600


def file_cases(
    file: Annotated[Path, typer.Argument(help="NDJSON, lines as POST /v1/cases/bulk takes them; also .gz.", metavar="FILE")],
    agency: Annotated[str | None, typer.Option(help="File for this agency only; lines of others are refused.")] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every line, file nothing.")] = False,
    as_json: AsJson = False,
) -> int:
    """File many cases; after an interruption the same command goes on where it was. A line filed twice is one case."""
    whole = _survey(file)
    with held(file):
        filing = _filing(file, whole, agency)
        try:
            with progress_bar(file.name) as report:
                if dry_run:
                    return _tell(filing, asyncio.run(filing.check(report)), as_json=as_json)
                told = asyncio.run(filing.run(report, say))
        except KeyboardInterrupt:
            say("interrupted: the same command goes on where it was")
            raise
    show(told, as_json=as_json, human=_words)
    return REFUSED if told["refused"] else DONE


def _survey(file: Path) -> Survey:
    try:
        return survey(file)
    except ImportFileError as error:
        refuse(str(error))
    except READING_ERRORS as error:
        refuse(f"{file.name}: {rule_of(error)}")


def _filing(file: Path, whole: Survey, agency: str | None) -> Filing:
    state = StateFolder(load_settings().state_dir)

    def token() -> str:
        return sign_token(state, role=Role.IMPORTER, agency=agency, unit=None, seconds=TOKEN_SECONDS)

    url = service_url("intake", running_environment())
    return Filing(file, Places.of(file, state.path), whole, url, token, agency)


def _words(told: dict[str, Any]) -> str:
    lines = [
        f"{told['opened']:,} cases opened, {told['known']:,} known before, {told['refused']:,} lines refused",
        f"{told['seconds']:.1f} s, {told['cases_per_second']:,} cases/s",
    ]
    return "\n".join(lines + ([f"why lines were refused: {told['refused_file']}"] if told["refused"] else []))


def _tell(filing: Filing, checked: Checked, *, as_json: bool) -> int:
    """What a dry run found; the exit status."""
    faults = [{"line": each.line, "place": each.place, "rule": each.rule} for each in checked.faults.first]
    told = {
        "file": filing.file.name,
        "lines": filing.whole.lines,
        "would_be_filed": checked.good,
        "would_be_refused": checked.bad,
    }
    content = {**told, "fault_count": checked.faults.count, "faults": faults}
    show(content, as_json=as_json, human=lambda _: _checked_words(checked))
    return REFUSED if checked.bad else DONE


def _checked_words(checked: Checked) -> str:
    lines = [str(fault) for fault in checked.faults.first]
    more = checked.faults.count - len(lines)
    lines += [f"… and {more:,} more faults"] if more else []
    return "\n".join([*lines, f"{checked.good:,} lines would be filed, {checked.bad:,} refused"])


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("file")(file_cases)
