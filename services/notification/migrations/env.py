"""Alembic's entry point."""

from services.notification.tables import Table
from shared.persistence.migrate import run_env

run_env(Table.metadata)
