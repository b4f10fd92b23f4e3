"""Puts the processing service together."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI

from services.processing.domain.case import Case
from services.processing.handlers.settling import Rules
from services.processing.jobs import make_jobs
from services.processing.metrics import ProcessingMetrics
from services.processing.routes import create_router
from services.processing.settings import ProcessingSettings
from services.processing.subscribers import make_consumers
from services.processing.tables import CaseRow, Inbox, Outbox, Parked
from shared.contracts.events import NOTIFICATION, PROCESSING
from shared.persistence.work import Store
from shared.service import Runtime, create_service_app
from shared.settings import load_settings

MIGRATIONS = Path(__file__).with_name("migrations")
READERS = (NOTIFICATION, "metrics")
"""Whose lag holds back the bulk lane."""


def create_app(settings: ProcessingSettings | None = None) -> FastAPI:
    """The application; settings come from the environment when none are given."""
    settings = settings or load_settings(ProcessingSettings)
    runtime = Runtime(PROCESSING, settings, MIGRATIONS)
    store = Store(runtime.database, PROCESSING, cases=CaseRow, state=Case, outbox=Outbox, parked=Parked, inbox=Inbox)
    runtime.use(store, readers=READERS)
    rules = Rules(prefixes=dict(settings.code_prefixes))
    for consumer in make_consumers(settings, store, rules, runtime.pipeline):
        runtime.consume(consumer)
    metrics = ProcessingMetrics(runtime.registry)
    runtime.jobs += make_jobs(store, rules, metrics, settings.unknown_case_after_seconds)
    return create_service_app(runtime, create_router(store, rules), title="processing")
