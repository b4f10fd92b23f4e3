"""Alembic's environment for intake."""

from __future__ import annotations

from services.intake.tables import Table
from shared.persistence.migrate import run_env

run_env(Table.metadata)
