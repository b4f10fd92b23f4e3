"""`motcua token`: a short-lived token of the local stack."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy.cli.output import wrong_usage
from deploy.local.keys import make_keys, sign_token
from deploy.local.settings import load_settings
from deploy.local.state import StateFolder
from shared.security.tokens import Role

_OF_AN_AGENCY = frozenset({Role.OFFICER, Role.COUNTER})


def token(
    role: Annotated[Role, typer.Option(help="What the bearer may do.")],
    agency: Annotated[str | None, typer.Option(help="The bearer's agency.")] = None,
    unit: Annotated[str | None, typer.Option(help="The bearer's unit in the agency.")] = None,
    minutes: Annotated[int, typer.Option(min=1, max=24 * 60, help="How long it is valid.")] = 60,
) -> None:
    """Print a bearer token of the local stack."""
    if role in _OF_AN_AGENCY and agency is None:
        wrong_usage(f"a token of role {role} needs --agency")
    state = StateFolder(load_settings().state_dir)
    state.create()
    make_keys(state)
    print(sign_token(state, role=role, agency=agency, unit=unit, seconds=60 * minutes))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(token)
