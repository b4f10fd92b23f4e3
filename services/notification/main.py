"""Where the notification service is put together."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from fastapi import APIRouter, FastAPI

from services.notification.channels import make_channels
from services.notification.domain.case import Case
from services.notification.handlers import Planner
from services.notification.handover import Handover
from services.notification.jobs import make_jobs
from services.notification.metrics import NotificationMetrics
from services.notification.rendering import Renderer
from services.notification.repository import ERASED_CONTACT, HELD_CONTACTS
from services.notification.routes import router
from services.notification.sending import Sender
from services.notification.settings import NotificationSettings
from services.notification.subscribers import make_consumers
from services.notification.tables import CaseRow, Outbox, Parked
from shared.catalogue import load_catalogue
from shared.persistence.work import Store
from shared.security.key_ring import KeyRing
from shared.service import Runtime, create_service_app
from shared.service.keys import SealedColumns, add_keys_route, make_key_job, sealed_in
from shared.service.personal import Personal
from shared.settings import load_settings

SERVICE = "notification"


def create_app(settings: NotificationSettings | None = None) -> FastAPI:
    """The service's application; nothing connects before it starts."""
    settings = settings or load_settings(NotificationSettings)
    runtime = Runtime(SERVICE, settings, Path(__file__).parent / "migrations")
    store = Store(runtime.database, SERVICE, cases=CaseRow, state=Case, outbox=Outbox, parked=Parked)
    runtime.use(store, readers=("metrics",))
    keys = KeyRing.from_file(settings.private_key_file)
    channels = make_channels(settings)
    ways = tuple(channel.way for channel in channels)
    # a channel that opens contacts reads them when it claims, just before it sends
    handovers = {channel.way.name: Handover(channel) for channel in channels if not channel.way.needs_contact}
    planner = Planner(ways, timedelta(seconds=settings.contact_wait_seconds), keys, handovers)
    catalogue = load_catalogue(settings.catalogue_dir)
    renderer = Renderer(lookup_url=settings.lookup_url, agency_names=settings.agency_names, catalogue=catalogue)
    metrics = NotificationMetrics(runtime.registry)
    senders = [Sender(channel, ways, store, keys, renderer, metrics, handovers.get(channel.way.name)) for channel in channels]
    for consumer in make_consumers(settings, store, planner, runtime.pipeline):
        runtime.consume(consumer)
    runtime.jobs += make_jobs(store, planner, senders, metrics)
    runtime.jobs.append(make_key_job(keys))
    routes = APIRouter()
    routes.include_router(router)
    add_keys_route(routes, runtime.database, SERVICE, keys, sealed_in(store, SealedColumns("contacts", ("ciphertext",))))
    runtime.personal = Personal({"contacts": HELD_CONTACTS}, ERASED_CONTACT)
    return create_service_app(runtime, routes, title="notification")
