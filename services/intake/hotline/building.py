"""Puts the hotline together: the desk of the webhook, the consumer of the topic, and what runs beside them."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry

from services.intake.domain.case import Case
from services.intake.group_commit import GroupCommit, GroupLimits
from services.intake.hotline.desk import HotlineDesk, make_commit
from services.intake.hotline.jobs import make_call_job, make_feed_job, make_forgetting_of_feeds
from services.intake.hotline.kafka_door import HotlineConsumer
from services.intake.hotline.payloads import erase_payloads, forget_events
from services.intake.hotline.series import HotlineSeries
from services.intake.hotline.sources import Sources, make_reload
from services.intake.hotline.taking import MOST_AT_ONCE, Taking
from services.intake.metrics import IntakeMetrics
from services.intake.settings import IntakeSettings
from shared.catalogue import Catalogue
from shared.clock import real_time
from shared.hotline.mapping import Mapping
from shared.observability.metrics import PipelineMetrics
from shared.persistence.errors import is_transient
from shared.persistence.work import Store
from shared.security.key_ring import KeyRing
from shared.service import Job

ERASE_SECONDS: Final = 60.0
FORGET_SECONDS: Final = 3600.0


def make_hotline(
    settings: IntakeSettings,
    store: Store[Case],
    keys: KeyRing,
    catalogue: Catalogue,
    metrics: IntakeMetrics,
    registry: CollectorRegistry,
) -> HotlineDesk:
    """The desk; its sources are read for the first time here."""
    series = HotlineSeries(registry)
    sources = Sources(settings.hotline_dir, settings.hotline_secrets_dir, series)
    sources.refresh()
    taking = Taking(keys, catalogue, metrics, series)
    limits = GroupLimits(settings.hotline_group, settings.hotline_queue, MOST_AT_ONCE)
    lane = GroupCommit(make_commit(store, taking), is_transient, limits, lambda arrival: len(arrival.understood))
    return HotlineDesk(sources, taking, store, real_time, lane)


def make_hotline_consumer(settings: IntakeSettings, desk: HotlineDesk, metrics: PipelineMetrics) -> HotlineConsumer:
    """The door on Kafka."""
    return HotlineConsumer(
        prefix=settings.topic_prefix, store=desk.store, metrics=metrics, park_limit=settings.park_limit, sources=desk.sources,
        taking=desk.taking,
    )  # fmt: skip


def make_hotline_jobs(settings: IntakeSettings, desk: HotlineDesk) -> list[Job]:
    """What runs beside the doors."""
    store, database = desk.store, desk.store.database

    def mapping_of(name: str) -> Mapping | None:
        source = desk.sources.get(name)
        return None if source is None else source.mapping

    return [
        make_reload(desk.sources),
        Job("erase refused payloads", ERASE_SECONDS, lambda: erase_payloads(database)),
        Job("forget old hotline events", FORGET_SECONDS, lambda: forget_events(database)),
        make_call_job(store, settings),
        make_feed_job(store, settings, mapping_of),
        make_forgetting_of_feeds(store),
    ]
