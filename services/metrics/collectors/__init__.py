"""The business series: their rows, their exposition, and the collector that Prometheus asks."""

from services.metrics.collectors.collector import BusinessCollector
from services.metrics.collectors.feeds import call_rows, feed_rows
from services.metrics.collectors.rows import backlog_rows, turnaround_rows, version_rows

__all__ = ["BusinessCollector", "backlog_rows", "call_rows", "feed_rows", "turnaround_rows", "version_rows"]
