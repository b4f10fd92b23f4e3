"""Builds the metrics service."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI

from services.metrics.collectors import BusinessCollector
from services.metrics.domain.case import Case
from services.metrics.handlers import Projector
from services.metrics.jobs import measure_by_calendar, refresh_series
from services.metrics.metrics import ServiceMetrics
from services.metrics.routes import router
from services.metrics.settings import MetricsSettings
from services.metrics.subscribers import on_case_events
from services.metrics.tables import CaseRow, MissingEvent, Outbox, Parked
from shared.catalogue import load_catalogue
from shared.persistence.work import Store
from shared.service import Runtime, create_service_app

MIGRATIONS = Path(__file__).parent / "migrations"


def create_app(settings: MetricsSettings) -> FastAPI:
    """The application with its consumer, its business series and its routes."""
    runtime = Runtime("metrics", settings, MIGRATIONS)
    store = Store(runtime.database, "metrics", CaseRow, Case, Outbox, Parked, missing=MissingEvent)
    runtime.use(store)
    projector = Projector(ServiceMetrics(runtime.registry))
    runtime.consume(on_case_events(settings, store, projector, runtime.pipeline))
    collector = BusinessCollector(runtime.database, settings.metrics_procedure_agencies, load_catalogue(settings.catalogue_dir))
    runtime.registry.register(collector)
    runtime.jobs.extend(refresh_series(collector, settings))
    runtime.jobs.append(measure_by_calendar(store, projector.calendars))
    return create_service_app(runtime, router, title="metrics")
