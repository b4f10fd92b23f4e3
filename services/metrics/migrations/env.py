"""Runs the migrations of the metrics service's database."""

from __future__ import annotations

from services.metrics.tables import Table
from shared.persistence.migrate import run_env

run_env(Table.metadata)
