"""Starts the metrics service: `python -m services.metrics`."""

from __future__ import annotations

from services.metrics.main import create_app
from services.metrics.settings import MetricsSettings
from shared.service import run

run("metrics", MetricsSettings, create_app)
