"""Alembic's entry point for the migrations of this service."""

from __future__ import annotations

from services.processing.tables import Table
from shared.persistence.migrate import run_env

run_env(Table.metadata)
