"""`motcua figures --agency A [--as-of T | --procedures] [--json]`: an agency's figures, as the metrics service knows them."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Any

import httpx
import typer

from deploy.cli.figures_text import as_text, procedures_as_text
from deploy.cli.output import AsJson, refuse, say, show, wrong_usage
from deploy.local.environment import running_environment, service_url
from deploy.local.keys import PRIVATE_TOKEN_KEY
from deploy.local.settings import load_settings
from deploy.local.state import StateFolder
from shared.calendar import ZONE
from shared.security.tokens import Role, sign

SECONDS = 30.0
TOKEN_SECONDS = 300


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(figures)


def figures(
    agency: Annotated[str, typer.Option(help="Agency whose figures are shown.")],
    as_of: Annotated[
        str | None,
        typer.Option(help="Moment of the past: 2020-06-30 (its end), or a time; Viet Nam's time without an offset."),
    ] = None,
    *,
    procedures: Annotated[
        bool, typer.Option("--procedures", help="Limits in force and mean handling time, by procedure and version.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what an agency received, resolved and has open, how long it took, and the tasks it was assigned."""
    if procedures:
        if as_of is not None:
            wrong_usage("--procedures tells of now: leave --as-of out")
        show(ask("/v1/turnaround/procedures", {"agency": agency}), as_json=as_json, human=procedures_as_text)
        return
    moment = None if as_of is None else parse_moment(as_of)
    content = ask("/v1/figures", {"agency": agency, "as_of": moment.isoformat() if moment else None})
    if not sum(content["origins"].values()):
        say(f"the metrics service has not seen any case of agency {agency} yet")
    show(content, as_json=as_json, human=as_text)


def parse_moment(text: str) -> datetime:
    """A moment from a local date, which means its end, or from a time.

    Raises:
        CommandError: It is neither.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        return datetime.combine(day, time.max, tzinfo=ZONE)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        wrong_usage(f"--as-of accepts a date such as 2020-06-30 or a time such as 2020-06-30T17:00:00+07:00, not {text!r}")
    return at if at.tzinfo else at.replace(tzinfo=ZONE)


def ask(path: str, parameters: dict[str, str | None]) -> dict[str, Any]:
    """An answer of the running metrics service, with a token of the local stack.

    Raises:
        CommandError: The service does not answer, or says no: with its reason.
        StackError: Nothing was started here.
    """
    settings = load_settings()
    url = service_url("metrics", running_environment(settings))
    state = StateFolder(settings.state_dir)
    token = sign(state.keys / PRIVATE_TOKEN_KEY, Role.ADMIN, None, None, TOKEN_SECONDS, "local-figures")
    given = {name: value for name, value in parameters.items() if value is not None}
    try:
        answer = httpx.get(f"{url}{path}", params=given, headers={"Authorization": f"Bearer {token}"}, timeout=SECONDS)
    except httpx.HTTPError as error:
        refuse(f"the metrics service does not answer at {url} ({type(error).__name__}): run `motcua status`")
    if answer.is_success:
        content: dict[str, Any] = answer.json()
        return content
    message = f"the metrics service says: {_reason(answer)}"
    return wrong_usage(message) if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY else refuse(message)


def _reason(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        faults = [f"{fault['pointer'].removeprefix('/query/')}: {fault['rule']}" for fault in problem.get("errors", ())]
        return "; ".join(faults) or f"{problem['title']}: {problem.get('detail', answer.status_code)}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"status {answer.status_code}"
