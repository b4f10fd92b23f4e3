"""Puts the intake service together."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import FastAPI

from services.intake.domain.case import Case
from services.intake.group_commit import GroupCommit, GroupLimits
from services.intake.handlers import SERVICE, Desk, make_commit
from services.intake.metrics import IntakeMetrics
from services.intake.routes import BULK_PATH, make_filing, make_router
from services.intake.settings import IntakeSettings
from services.intake.subscribers import make_consumers
from services.intake.tables import CaseRow, Outbox, Parked
from shared.catalogue import load_catalogue
from shared.clock import real_time
from shared.contracts.words import Lane
from shared.persistence.errors import is_transient
from shared.persistence.work import Store
from shared.security.cipher import Cipher
from shared.service import Runtime, create_service_app
from shared.settings import load_settings

READERS: Final = ("processing", "notification", "metrics")
"""Whose lag holds back the bulk lane."""


def create_app(settings: IntakeSettings | None = None) -> FastAPI:
    """The application; settings come from the environment when none are given. Nothing connects before it starts."""
    settings = settings or load_settings(IntakeSettings)
    runtime = Runtime(SERVICE, settings, Path(__file__).with_name("migrations"))
    store = Store(runtime.database, SERVICE, cases=CaseRow, state=Case, outbox=Outbox, parked=Parked)
    runtime.use(store, readers=READERS)
    for consumer in make_consumers(settings, store, runtime.pipeline):
        runtime.consume(consumer)
    desk = make_desk(settings, store, IntakeMetrics(runtime.registry))
    runtime.closing += [lane.drain for lane in desk.lanes.values()]
    router = make_router(desk, runtime.database, settings.intake_bulk_silence)
    return create_service_app(runtime, router, title="intake", streamed=(BULK_PATH,), short=make_filing(desk))


def make_desk(settings: IntakeSettings, store: Store[Case], metrics: IntakeMetrics) -> Desk:
    """The desk with a group commit for each lane, so that a bulk upload never stands in a counter's way."""
    cipher = Cipher.from_file(settings.private_key_file)
    commit = make_commit(store, cipher, metrics, real_time)
    interactive = GroupLimits(settings.intake_group, settings.intake_queue)
    bulk = GroupLimits(settings.intake_bulk_group, 4 * settings.intake_bulk_group, settings.intake_bulk_patience)
    lanes = {
        Lane.INTERACTIVE: GroupCommit(commit, is_transient, interactive),
        Lane.BULK: GroupCommit(commit, is_transient, bulk),
    }
    return Desk(load_catalogue(settings.catalogue_dir), real_time, cipher, metrics, lanes)
