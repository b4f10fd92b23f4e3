"""`motcua up`, `down`, `status`, `logs` and `doctor`."""

from __future__ import annotations

import importlib
import importlib.util
import signal
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from deploy.cli.output import DONE, REFUSED, AsJson, refuse, say, show, table, wrong_usage
from deploy.local.control import OPTIONAL, Stack, Wish
from deploy.local.doctor import examine
from deploy.local.errors import StackError
from deploy.local.settings import SERVICES, load_settings
from deploy.local.state import StateFolder

if TYPE_CHECKING:
    from types import FrameType

_SERVERS = ("kafka", "postgres")
_FOLLOW_SECONDS = 0.3
_LAST_LINES, _LAST_LINES_OF_EACH = 100, 20


def up(
    *,
    detach: Annotated[bool, typer.Option("--detach", help="Leave the stack running and return.")] = False,
    only: Annotated[str, typer.Option(help="Run these only, parted by commas; Kafka and PostgreSQL always run.")] = "",
    no_replay: Annotated[bool, typer.Option("--no-replay", help="Do not replay the year 2020.")] = False,
    scale: Annotated[list[str] | None, typer.Option(help="SERVICE=N replicas; may be repeated.")] = None,
) -> int:
    """Start what is not running yet; Ctrl-C drains and stops."""
    wish = Wish(_units(only), _replicas(scale or []))
    stack = Stack(load_settings(), say)
    _listen()
    try:
        started = stack.up(wish, detach=detach)
        print(_human_status(stack.status()), flush=True)
        if started and not no_replay and not wish.units:
            _replay()
        if not detach and stack.supervisor is not None:
            say("running; Ctrl-C stops everything")
            stack.wait()
    except StackError:
        stack.stop_what_we_started()
        raise
    except KeyboardInterrupt:
        say("stopping: services first, then Kafka and PostgreSQL (again Ctrl-C: at once)")
        stack.stop_what_we_started()
        say("stopped; the content stays (`motcua down --wipe` removes it)")
    return DONE


def down(*, wipe: Annotated[bool, typer.Option("--wipe", help="Also remove all content.")] = False) -> int:
    """Stop the stack; its content stays."""
    Stack(load_settings(), say).down(wipe=wipe)
    say("stopped, and all content removed" if wipe else "stopped; the content stays")
    return DONE


def status(*, as_json: AsJson = False) -> int:
    """What runs, since when, and healthy or why not."""
    content = Stack(load_settings(), say).status()
    show(content, as_json=as_json, human=_human_status)
    healthy = content["running"] and all(unit["health"] == "ready" for unit in content["units"].values())
    return DONE if healthy else REFUSED


def logs(
    service: Annotated[str, typer.Argument(help="A service, kafka, postgres, prometheus or supervisor; none: all.")] = "",
    *,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what is added.")] = False,
) -> int:
    """Show the logs."""
    folder = StateFolder(load_settings().state_dir).logs
    there = {path.stem: path for path in sorted(folder.glob("*.log"))}
    if service and service not in there:
        refuse(f"no log of {service!r}: there are {', '.join(there) or 'none yet'}")
    chosen = {service: there[service]} if service else there
    files = {name: path.open(errors="replace") for name, path in chosen.items()}
    for name, file in files.items():
        count = _LAST_LINES if service else _LAST_LINES_OF_EACH
        _print_lines(name, file.readlines()[-count:], alone=bool(service))
    while follow:
        for name, file in files.items():
            _print_lines(name, _added_lines(file, chosen[name]), alone=bool(service))
        time.sleep(_FOLLOW_SECONDS)
    return DONE


def doctor(*, as_json: AsJson = False) -> int:
    """Check this machine and say what is missing and how to get it."""
    content = examine(load_settings())
    show(content, as_json=as_json, human=_human_findings)
    return DONE if content["ok"] else REFUSED


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (up, down, status, logs, doctor):
        app.command()(command)


def _units(only: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in only.split(",") if name.strip())
    known = (*SERVICES, *OPTIONAL, *_SERVERS)
    if strangers := [name for name in names if name not in known]:
        wrong_usage(f"--only accepts {', '.join(known)}, not {', '.join(strangers)}")
    return names


def _replicas(scale: list[str]) -> dict[str, int]:
    replicas = {}
    for wish in scale:
        service, _, count = wish.partition("=")
        if service not in SERVICES or not count.isdecimal() or not 1 <= int(count) <= 64:
            wrong_usage(f"--scale accepts SERVICE=N with one of {', '.join(SERVICES)} and N from 1 to 64, not {wish!r}")
        replicas[service] = int(count)
    return replicas


def _replay() -> None:
    if importlib.util.find_spec("deploy.cli.replay"):
        importlib.import_module("deploy.cli.replay").run_default_replay()


def _listen() -> None:
    """SIGTERM and SIGHUP stop like Ctrl-C; what `nohup` set stays; a shell's background job gets SIGINT back."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _added_lines(file: IO[str], path: Path) -> list[str]:
    if path.exists() and path.stat().st_size < file.tell():  # the log was begun anew
        file.seek(0)
    return file.readlines()


def _print_lines(name: str, lines: list[str], *, alone: bool) -> None:
    for line in lines:
        print(line.rstrip("\n") if alone else f"{name:<14}{line.rstrip()}", flush=True)


def _human_status(content: dict[str, Any]) -> str:
    if not content["running"]:
        return f"not running (state folder {content['state_dir']}); `motcua up` starts it"
    rows = [["", "health", "since", "restarts", "kind", "address", ""]]
    for name, unit in content["units"].items():
        why = " ".join(filter(None, (unit["reason"], unit["last_exit"] and f"(last: {unit['last_exit']})")))
        rows.append([name, unit["health"], unit["since"], str(unit["restarts"]), unit["kind"], unit["address"], why])
    return f"{content['doing']} since {content['since']}, state folder {content['state_dir']}\n{table(rows)}"


def _human_findings(content: dict[str, Any]) -> str:
    marks = {(True, True): "ok", (True, False): "ok", (False, True): "MISSING", (False, False): "missing"}
    rows = [["", "", "", ""]]
    for finding in content["findings"]:
        how = "" if finding["ok"] else finding["how"]
        rows.append([marks[finding["ok"], finding["needed"]], finding["name"], finding["found"], how])
    verdict = "the stack can run here" if content["ok"] else "the stack cannot run here: see MISSING"
    return f"{table(rows[1:])}\n{verdict}"
