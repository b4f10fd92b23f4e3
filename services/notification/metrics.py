"""The notification service's own series, in one place. The business count of messages is the metrics service's."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.notification.domain.ledger import OPEN

HANDOVER_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)


class NotificationMetrics:
    """What this process handed over, and what is still open in the ledger (the same number in every replica)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ["channel", "outcome"]
        self.handovers = Counter(
            "motcua_notification_handovers",
            "Messages given to a channel by this process, by what became of them.",
            labels,
            registry=registry,
        )
        self.handover_seconds = Histogram(
            "motcua_notification_handover_seconds",
            "Time from the making of a message to its final outcome on a channel.",
            labels,
            buckets=HANDOVER_BUCKETS,
            registry=registry,
        )
        self.open = Gauge(
            "motcua_notification_open_messages", "Messages that wait for a contact or a channel.", ["status"], registry=registry
        )
        self.set_open({})

    def observe(self, channel: str, outcome: str, seconds: Sequence[float | None]) -> None:
        """Outcomes of one kind: for each the seconds that it took, None when it is not final."""
        self.handovers.labels(channel, outcome).inc(len(seconds))
        took = [max(0.0, each) for each in seconds if each is not None]
        if took:
            histogram = self.handover_seconds.labels(channel, outcome)
            for each in took:
                histogram.observe(each)

    def set_open(self, counts: dict[str, int]) -> None:
        """Replace the counts of open messages."""
        for status in OPEN:
            self.open.labels(status.value).set(counts.get(status.value, 0))
