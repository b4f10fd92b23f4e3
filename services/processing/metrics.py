"""The series that only processing exports."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge


class ProcessingMetrics:
    """Commands that came before their case."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._waiting = Gauge(
            "motcua_waiting_commands", "Commands waiting for a case that was not submitted yet.", registry=registry
        )
        self._oldest = Gauge(
            "motcua_waiting_commands_oldest_timestamp_seconds",
            "When the oldest waiting command came; 0 when none waits.",
            registry=registry,
        )

    def set_waiting(self, number: int, oldest_at: datetime | None) -> None:
        """Show what waits now."""
        self._waiting.set(number)
        self._oldest.set(oldest_at.timestamp() if oldest_at else 0)
