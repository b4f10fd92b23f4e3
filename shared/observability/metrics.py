"""The series that every service exports about itself: one place, with their names and labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from shared.messaging.delivery import known_type

Outcomes = Mapping[tuple[str, str], int]
"""How many records, by type and by what became of them."""

PREFIX = "motcua_"
HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)


def make_registry() -> CollectorRegistry:
    """A registry of one application, with the process's own series and `motcua_build_info`."""
    disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series per counter that nobody asks for
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    build = Gauge(f"{PREFIX}build_info", "Version of this service.", ["version"], registry=registry)
    build.labels(version("motcua")).set(1)
    return registry


class PipelineMetrics:
    """Consumers, outbox and parked records of one service."""

    def __init__(self, registry: CollectorRegistry) -> None:
        group, place = ["group"], ["group", "topic", "partition"]
        lane = ["database", "lane"]
        self.records = Counter(
            f"{PREFIX}records", "Records read, by what became of them.", ["group", "type", "outcome"], registry=registry
        )
        self.lag = Gauge(f"{PREFIX}consumer_lag_records", "Records not taken yet.", place, registry=registry)
        self.oldest_record = Gauge(
            f"{PREFIX}consumer_oldest_record_timestamp_seconds",
            "Time of the oldest record being taken.",
            place,
            registry=registry,
        )
        self.pending = Gauge(f"{PREFIX}outbox_pending", "Records in the outbox.", lane, registry=registry)
        self.oldest_pending = Gauge(
            f"{PREFIX}outbox_oldest_timestamp_seconds",
            "Time of the oldest record in the outbox.",
            lane,
            registry=registry,
        )
        self.parked = Gauge(f"{PREFIX}parked_records", "Records parked and not settled.", ["group", "reason"], registry=registry)
        self.missing = Gauge(
            f"{PREFIX}missing_events", "Events skipped by their sequence that have not come yet.", ["database"], registry=registry
        )
        self.park_limit = Gauge(
            f"{PREFIX}park_limit_reached", "Whether a consumer stands at its park limit.", group, registry=registry
        )

    def count(self, group: str, outcomes: Outcomes) -> None:
        """Add what became of a batch: (type, outcome) to number."""
        for (kind, outcome), number in outcomes.items():
            if number:
                self.records.labels(group, known_type(kind), outcome).inc(number)

    def set_lag(self, group: str, topic: str, lags: Iterable[tuple[int, int]]) -> None:
        """Replace the lag of a group: (partition, records) of the partitions this process has now."""
        _forget(self.lag, group)
        for partition, records in lags:
            self.lag.labels(group, topic, str(partition)).set(records)

    def set_oldest(self, group: str, topic: str, times: Iterable[tuple[int, float]]) -> None:
        """Replace the times of the oldest records in work: (partition, Unix seconds)."""
        _forget(self.oldest_record, group)
        for partition, at in times:
            self.oldest_record.labels(group, topic, str(partition)).set(at)


def _forget(gauge: Gauge, group: str) -> None:
    for metric in gauge.collect():
        for sample in metric.samples:
            if sample.labels.get("group") == group:
                gauge.remove(*(sample.labels[name] for name in ("group", "topic", "partition")))


class HttpMetrics:
    """Answers by route template, method and status code."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ["route", "method", "code"]
        self.requests = Counter(f"{PREFIX}http_requests", "HTTP answers.", labels, registry=registry)
        self.seconds = Histogram(
            f"{PREFIX}http_request_duration_seconds", "Time to answer.", labels, buckets=HTTP_BUCKETS, registry=registry
        )
        self._series: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}  # finding one by its labels costs as much again

    def observe(self, route: str, method: str, code: int, seconds: float) -> None:
        """One answer."""
        labels = (route, method, code)
        if (series := self._series.get(labels)) is None:
            values = (route, method, str(code))
            series = self._series[labels] = (self.requests.labels(*values), self.seconds.labels(*values))
        series[0].inc()
        series[1].observe(seconds)
