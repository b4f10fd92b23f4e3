"""`motcua dead-letters list | show ID | replay (ID | --case C | --all) | discard ID --reason TEXT`: what consumers parked.

Each service keeps its own; any of its replicas may be asked.
"""

from __future__ import annotations

import getpass
import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, NoReturn
from uuid import UUID

import typer

from deploy.cli.asking import SilentError, Stack
from deploy.cli.output import REFUSED, AsJson, refuse, say, show, table, wrong_usage
from deploy.local.settings import SERVICES
from shared.calendar import ZONE

PATH = "/v1/dead-letters"
PAGE = 500
LONGEST_CELL, LONGEST_REASON = 60, 64


class Service(StrEnum):
    """A service whose dead letters are meant."""

    INTAKE = "intake"
    PROCESSING = "processing"
    NOTIFICATION = "notification"
    METRICS = "metrics"


class State(StrEnum):
    """What became of them."""

    PARKED = "parked"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


Id = Annotated[UUID, typer.Argument(metavar="ID", help="A dead letter, as `list` names it.")]
Of = Annotated[Service | None, typer.Option("--service", help="Only those of this service.")]
OfCase = Annotated[UUID | None, typer.Option("--case", metavar="CASE_ID", help="Only those of this case.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Records that consumers could not take.", no_args_is_help=True)
    group.command("list")(list_letters)
    group.command("show")(show_letter)
    group.command("replay")(replay)
    group.command("discard")(discard)
    app.add_typer(group, name="dead-letters")


def _stack() -> Stack:
    try:
        return Stack(f"local-{getpass.getuser()}")
    except (OSError, KeyError):  # a container's user has no name
        return Stack("local")


def list_letters(
    service: Of = None,
    case: OfCase = None,
    state: Annotated[State, typer.Option(help="What became of them.")] = State.PARKED,
    *,
    as_json: AsJson = False,
) -> None:
    """Say what is parked, where it stands in its topic, why, and since when; status 1 when a service does not answer."""
    stack, found, silent = _stack(), [], []
    for name in _asked(service):
        try:
            found += _pages(stack, name, {"state": state.value, "case_id": case and str(case), "limit": PAGE})
        except SilentError as error:
            silent.append(name)
            say(str(error))
    show({"items": found, "silent": silent}, as_json=as_json, human=lambda content: _as_table(content["items"], state))
    if silent:
        raise typer.Exit(REFUSED)


def show_letter(letter: Id, *, as_json: AsJson = False) -> None:
    """Show one with its headers and its value; of private and vendors' records only their size is shown."""
    _, content = _find(_stack(), letter)
    show(content, as_json=as_json, human=_as_text)


def replay(
    letter: Annotated[UUID | None, typer.Argument(metavar="[ID]", help="One, with those of its case.")] = None,
    case: Annotated[UUID | None, typer.Option("--case", metavar="CASE_ID", help="All of a case, in every service.")] = None,
    service: Of = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All there are, case by case.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take parked records now, in the order of their cases; twice is once. Status 1 when some are still at fault."""
    if (letter is not None) + (case is not None) + everything != 1:
        wrong_usage("give exactly one of: an ID, --case CASE_ID, --all")
    body: dict[str, Any]
    stack, done = _stack(), _nothing()
    if letter is not None:
        service, body = Service(_find(stack, letter)[0]), {"id": str(letter)}
    else:
        body = {"case_id": str(case)} if case else {"all": True}
    for name in _asked(service):
        _replay_in(stack, name, body, done)
    show(done, as_json=as_json, human=_as_report)
    if done["stuck"]:
        raise typer.Exit(REFUSED)


def discard(
    letter: Id,
    reason: Annotated[
        str, typer.Option(help="Why, in a few plain words, kept as a code (sent_by_mistake); never about a person.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Give one up for good; what waited behind it is taken."""
    stack, done, code = _stack(), _nothing(), as_code(reason)
    name, content = _find(stack, letter)
    answer = stack.ask(name, f"{PATH}/{letter}/discard", body={"reason": code}) or _unknown(letter)
    _add(done, name, answer)
    if answer["more"]:
        _replay_in(stack, name, {"case_id": content["case_id"]}, done)
    show(done | {"discarded": str(letter)}, as_json=as_json, human=lambda content: f"discarded; {_as_report(content)}")


def as_code(reason: str) -> str:
    """A reason as the code that is kept.

    Raises:
        CommandError: It is not made of a few plain words.
    """
    code = "_".join(re.findall(r"[a-z0-9]+", reason.lower()))
    if not reason.isascii() or not 0 < len(code) <= LONGEST_REASON:
        wrong_usage(f"--reason takes 1 to {LONGEST_REASON} plain ASCII letters and digits, such as sent_by_mistake")
    return code


def _nothing() -> dict[str, Any]:
    return {"replayed": 0, "skipped": 0, "stuck": []}


def _asked(service: Service | None) -> tuple[str, ...]:
    return tuple(SERVICES) if service is None else (service.value,)


def _pages(stack: Stack, service: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = stack.ask(service, PATH, params={**params, "cursor": cursor}) or {"items": [], "next": None}
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found


def _find(stack: Stack, letter: UUID) -> tuple[str, dict[str, Any]]:
    """The service that parked it, and what it says about it."""
    silent = []
    for name in SERVICES:
        try:
            content = stack.ask(name, f"{PATH}/{letter}")
        except SilentError:
            silent.append(name)
        else:
            if content is not None:
                return name, content
    if silent:
        refuse(f"no service that answers knows a dead letter {letter}; these do not answer: {', '.join(silent)}")
    return _unknown(letter)


def _unknown(letter: UUID) -> NoReturn:
    refuse(f"no service knows a dead letter {letter}: `motcua dead-letters list` names them")


def _replay_in(stack: Stack, service: str, body: dict[str, Any], done: dict[str, Any]) -> None:
    """Ask until the service has come to the end."""
    cursor = None
    while True:
        answer = stack.ask(service, f"{PATH}/replay", body=body | ({"cursor": cursor} if cursor else {}))
        if answer is None:
            refuse(f"the {service} service does not know it any more")
        _add(done, service, answer)
        if not answer["more"]:
            return
        cursor = answer["next"]
        say(f"{service}: {done['replayed']} replayed, going on")


def _add(done: dict[str, Any], service: str, answer: dict[str, Any]) -> None:
    done["replayed"] += answer["replayed"]
    done["skipped"] += answer["skipped"]
    done["stuck"] += [{"service": service, **each} for each in answer["stuck"]]


def _as_table(items: list[dict[str, Any]], state: State) -> str:
    if not items:
        return f"nothing is {state}"
    rows = [["id", "service", "where", "type", "why", "case", "since"]]
    rows += [
        [
            each["id"],
            each["service"],
            _where(each),
            each["type"] or "-",
            _why(each),
            each["case_id"] or "-",
            _at(each["parked_at"]),
        ]
        for each in items
    ]
    return table(rows)


def _where(each: dict[str, Any]) -> str:
    return f"{each['topic']} {each['partition']}:{each['offset']}"


def _why(each: dict[str, Any]) -> str:
    why = f"{each['reason']}: {each['detail']}"
    return why if len(why) <= LONGEST_CELL else f"{why[: LONGEST_CELL - 1]}…"


def _at(text: str | None) -> str:
    return "-" if text is None else f"{datetime.fromisoformat(text).astimezone(ZONE):%Y-%m-%d %H:%M:%S}"


def _as_text(content: dict[str, Any]) -> str:
    lines = [
        f"{content['service']}: {_where(content)} (partition:offset), group {content['group']}",
        f"type {content['type'] or '-'}, case {content['case_id'] or '-'}, {content['size']} bytes",
        f"{content['state']} since {_at(content['parked_at'])}: {content['reason']}: {content['detail']}",
    ]
    if content["settled_at"]:
        why = f", {content['settled_reason']}" if content["settled_reason"] else ""
        lines.append(f"{content['state']} at {_at(content['settled_at'])} by {content['settled_by']}{why}")
    if content["headers"] is None:
        return "\n".join([*lines, f"headers: {', '.join(content['header_names'])}; the content is not shown"])
    return "\n".join(
        [*lines, "", *(f"{name}: {value}" for name, value in content["headers"]), "", content["value"] or "(no value)"]
    )


def _as_report(done: dict[str, Any]) -> str:
    lines = [f"{done['replayed']} replayed, {done['skipped']} skipped (known already), {len(done['stuck'])} still at fault"]
    lines += [f"{each['id']} ({each['service']}): {_why(each)}; {each['behind']} wait behind it" for each in done["stuck"]]
    return "\n".join(lines)
