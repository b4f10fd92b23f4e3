"""Puts the processing service together."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from fastapi import FastAPI

from services.processing.domain.case import Case
from services.processing.handlers.settling import Rules
from services.processing.handlers.timers import Ticker
from services.processing.jobs import make_jobs, make_recalculation, make_rewrapping, make_timers
from services.processing.metrics import ProcessingMetrics
from services.processing.repository import ERASED_NOTES, HELD_NOTES
from services.processing.routes import create_router
from services.processing.routes_calendar import create_calendar_router
from services.processing.routes_clock import create_clock_router
from services.processing.routes_notes import create_notes_router
from services.processing.settings import ProcessingSettings
from services.processing.subscribers import make_consumers
from services.processing.tables import CaseRow, Inbox, Outbox, Parked
from shared.catalogue import load_catalogue
from shared.contracts.events import NOTIFICATION, PROCESSING
from shared.contracts.topics import CASE_COMMANDS
from shared.messaging.lag import DownstreamLag
from shared.persistence.work import Store
from shared.security.key_ring import KeyRing
from shared.service import Runtime, create_service_app
from shared.service.keys import SealedColumns, add_keys_route, make_key_job, sealed_in
from shared.service.personal import Personal
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
    rules = Rules(
        catalogue=load_catalogue(settings.catalogue_dir),
        patterns=dict(settings.code_patterns),
        escalation=settings.make_escalation(),
    )
    for consumer in make_consumers(settings, store, rules, runtime.pipeline):
        runtime.consume(consumer)
    metrics = ProcessingMetrics(runtime.registry)
    runtime.jobs += make_jobs(store, rules, metrics, settings.unknown_case_after_seconds)
    own = DownstreamLag(settings, PROCESSING, CASE_COMMANDS, (PROCESSING,))
    runtime.closing.append(own.close)
    ticker = Ticker(store, rules, own.is_none, timedelta(seconds=settings.timer_grace_seconds))
    timers = make_timers(ticker, metrics, settings.timer_seconds)
    runtime.jobs.append(timers)
    recalculation = make_recalculation(store, rules)
    runtime.jobs.append(recalculation)
    keys = KeyRing.from_file(settings.private_key_file)
    runtime.jobs += [make_key_job(keys), make_rewrapping(store, keys)]
    runtime.personal = Personal({"notes": HELD_NOTES}, ERASED_NOTES)
    router = create_router(store, rules, keys, on_clock_set=timers.wake)
    router.include_router(create_clock_router(store, rules))
    router.include_router(create_calendar_router(store, on_change=recalculation.wake))
    whole = create_notes_router(store, keys)
    add_keys_route(whole, store.database, PROCESSING, keys, sealed_in(store, SealedColumns("notes", ("sealed",), "command_id")))
    whole.include_router(router)
    return create_service_app(runtime, whole, title="processing")
