"""Puts the intake service together."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from fastapi import FastAPI

from services.intake import pre_intakes
from services.intake.domain.case import Case
from services.intake.erasure import ERASED_HERE, HELD
from services.intake.group_commit import GroupCommit, GroupLimits
from services.intake.handlers import Desk
from services.intake.hotline.building import make_hotline, make_hotline_consumer, make_hotline_jobs
from services.intake.jobs import make_duplicates, make_forgetting
from services.intake.metrics import IntakeMetrics
from services.intake.opening import make_commit
from services.intake.rotation import make_rotation
from services.intake.routes import BULK_PATH, Gatekeeper, Porter, add_erasure_route, add_hotline_routes, make_filing, make_router
from services.intake.settings import IntakeSettings
from services.intake.subscribers import make_consumers
from services.intake.tables import CaseRow, Outbox, Parked
from services.intake.vault import SERVICE
from shared.catalogue import load_catalogue
from shared.clock import real_time
from shared.contracts.words import Lane
from shared.messaging.pulse import beat, pulse_seconds
from shared.persistence.errors import is_transient
from shared.persistence.work import Store
from shared.security.key_ring import KeyRing
from shared.service import Job, Runtime, create_service_app
from shared.service.callers import Callers
from shared.service.keys import SealedColumns, add_keys_route, make_key_job, sealed_in
from shared.service.personal import Personal
from shared.service.rate import Rate
from shared.settings import load_settings

READERS: Final = ("processing", "notification", "metrics")
"""Whose lag holds back the bulk lane."""
BULK_AT_ONCE: Final = 2
"""Transactions of bulk uploads at a time: one is prepared here while the database works on the other."""
SEALED: Final = (
    SealedColumns("applicants", ("ciphertext", "personal", "note")),
    SealedColumns("hotline_refusals", ("payload",), "id", where="payload is not null"),
)


def create_app(settings: IntakeSettings | None = None) -> FastAPI:
    """The application; settings come from the environment when none are given. Nothing connects before it starts."""
    settings = settings or load_settings(IntakeSettings)
    runtime = Runtime(SERVICE, settings, Path(__file__).with_name("migrations"))
    store = Store(runtime.database, SERVICE, cases=CaseRow, state=Case, outbox=Outbox, parked=Parked)
    runtime.use(store, readers=READERS)
    for consumer in make_consumers(settings, store, runtime.pipeline):
        runtime.consume(consumer)
    keys = KeyRing.from_file(settings.private_key_file)
    desk = make_desk(settings, store, keys, IntakeMetrics(runtime.registry))
    runtime.closing += [lane.drain for lane in desk.lanes.values()]
    router = make_router(desk, runtime.database, make_porter(settings, desk.metrics), settings.intake_bulk_silence)
    add_erasure_route(router, store)
    add_keys_route(router, runtime.database, SERVICE, keys, sealed_in(store, *SEALED))
    hotline = make_hotline(settings, store, keys, desk.catalogue, desk.metrics, runtime.registry)
    runtime.consume(make_hotline_consumer(settings, hotline, runtime.pipeline))
    runtime.closing.append(hotline.lane.drain)
    runtime.jobs += make_hotline_jobs(settings, hotline)
    add_hotline_routes(router, hotline, make_gatekeeper(settings))
    runtime.jobs += [make_key_job(keys), make_rotation(store, keys)]
    runtime.jobs += [make_duplicates(store, settings), make_forgetting(store, settings)]
    runtime.personal = Personal(HELD, ERASED_HERE)
    runtime.jobs.append(Job("pulse of case-private", pulse_seconds(settings.erasure_seconds), lambda: beat(store)))
    return create_service_app(runtime, router, title="intake", streamed=(BULK_PATH,), short=make_filing(desk), hotline=hotline)


def make_porter(settings: IntakeSettings, metrics: IntakeMetrics) -> Porter:
    """Who counts the public look-ups."""
    rate = Rate(settings.lookup_per_minute, settings.lookup_total_per_minute)
    return Porter(Callers(settings.trusted_proxies), rate, metrics)


def make_gatekeeper(settings: IntakeSettings) -> Gatekeeper:
    """Who answers webhooks that nobody proved."""
    rate = Rate(settings.hotline_unproven_per_minute, settings.hotline_unproven_total_per_minute)
    return Gatekeeper(Callers(settings.trusted_proxies), rate)


def make_desk(settings: IntakeSettings, store: Store[Case], keys: KeyRing, metrics: IntakeMetrics) -> Desk:
    """The desk with a group commit for each lane, so that a bulk upload never stands in a counter's way."""
    commit = make_commit(store, keys, metrics, real_time)
    interactive = GroupLimits(settings.intake_group, settings.intake_queue)
    group = settings.intake_bulk_group
    bulk = GroupLimits(group, 4 * group, at_once=BULK_AT_ONCE, patience_seconds=settings.intake_bulk_patience)
    lanes = {
        Lane.INTERACTIVE: GroupCommit(commit, is_transient, interactive),
        Lane.BULK: GroupCommit(commit, is_transient, bulk),
    }
    check, mark = partial(pre_intakes.check, store.database), partial(pre_intakes.mark, store.database)
    return Desk(load_catalogue(settings.catalogue_dir), real_time, keys, metrics, lanes, check, mark)
