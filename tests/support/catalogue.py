"""Catalogue files for tests, and the command that checks them."""

from __future__ import annotations

import typer
from typer.testing import CliRunner

from deploy.cli.procedures import register

SOUND = """\
field: employment
procedures:
  - code: "1.000001"
    name: {vi: "Một", en: "One"}
    kind: dossier
    level: unknown
    verified: true
    sources: ["test"]
    limits:
      - version: 1
        statutory: {count: 15, unit: working_days}
        committed: {count: 15, unit: working_days}
        valid_from: null
        valid_to: 2020-06-30
        decision: null
        assumed: false
      - version: 2
        statutory: {count: 15, unit: working_days}
        committed: {count: 10, unit: working_days}
        valid_from: 2020-07-01
        valid_to: null
        decision: null
        assumed: false
"""
"""A file of procedures without a fault."""


def run_check(*arguments: str) -> tuple[int, str]:
    """Exit status and standard output of `motcua procedures check`."""
    app = typer.Typer()
    register(app)
    result = CliRunner().invoke(app, ["procedures", "check", *arguments])
    return result.exit_code, result.stdout
