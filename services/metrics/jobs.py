"""What runs beside the consumer: reading the business series for Prometheus, and measuring again by another calendar."""

from __future__ import annotations

from services.metrics.collectors import BusinessCollector
from services.metrics.domain.case import Case
from services.metrics.measuring import KnownCalendars, measure_again
from services.metrics.settings import MetricsSettings
from shared.persistence.work import Store
from shared.service import Job


def refresh_series(collector: BusinessCollector, settings: MetricsSettings) -> tuple[Job, Job]:
    """Read the business series again where something has changed; safe in every replica, since it only reads.

    A job for each pace: the dear reading must not hold up the cheap one.
    """
    every = settings.metrics_refresh_seconds
    return Job("refresh backlog", every, collector.backlog.refresh), Job(
        "refresh turnaround", every, collector.turnaround.refresh
    )


def measure_by_calendar(store: Store[Case], calendars: KnownCalendars) -> Job:
    """Measure resolved cases again after the calendar changed; one replica at a time."""

    async def run() -> None:
        if await measure_again(store, calendars):
            job.wake()

    job = Job("calendar", 2.0, run)
    return job
