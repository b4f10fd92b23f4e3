"""What runs beside the consumer: reading the business series for Prometheus."""

from __future__ import annotations

from services.metrics.collectors import BusinessCollector
from services.metrics.settings import MetricsSettings
from shared.service import Job


def refresh_series(collector: BusinessCollector, settings: MetricsSettings) -> Job:
    """Read the business series again where something has changed; safe in every replica, since it only reads."""
    return Job("refresh series", settings.metrics_refresh_seconds, collector.refresh)
