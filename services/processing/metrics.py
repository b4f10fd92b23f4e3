"""The series that only processing exports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge


class ProcessingMetrics:
    """Commands that came before their case, and facts of time."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._waiting = Gauge(
            "motcua_waiting_commands", "Commands waiting for a case that was not submitted yet.", registry=registry
        )
        self._oldest = Gauge(
            "motcua_waiting_commands_oldest_timestamp_seconds",
            "When the oldest waiting command came; 0 when none waits.",
            registry=registry,
        )
        self._oldest_due = Gauge(
            "motcua_timer_oldest_due_timestamp_seconds",
            "When the oldest timer that is due and was not raised yet fell due, in agencies of today; 0 when none is.",
            registry=registry,
        )
        self._facts = Counter(
            "motcua_timer_facts_total", "Facts of time that this process's ticks stated.", ("type",), registry=registry
        )

    def set_oldest_due(self, at: datetime | None) -> None:
        """Show how late the timers are."""
        self._oldest_due.set(at.timestamp() if at else 0)

    def count_facts(self, facts: Mapping[str, int]) -> None:
        """Count, by type, what a tick stated."""
        for kind, number in facts.items():
            self._facts.labels(kind).inc(number)

    def set_waiting(self, number: int, oldest_at: datetime | None) -> None:
        """Show what waits now."""
        self._waiting.set(number)
        self._oldest.set(oldest_at.timestamp() if oldest_at else 0)
