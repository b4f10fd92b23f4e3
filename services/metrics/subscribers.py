"""What the metrics service reads: every type of `case-events`, because gaps are seen only by who takes all."""

from __future__ import annotations

from services.metrics.domain.case import Case
from services.metrics.handlers import Projector
from services.metrics.settings import MetricsSettings
from shared.contracts.events import EVENTS
from shared.contracts.topics import CASE_EVENTS
from shared.messaging.consumer import Consumer
from shared.messaging.delivery import decode_model
from shared.observability.metrics import PipelineMetrics
from shared.persistence.work import Store


def on_case_events(
    settings: MetricsSettings, store: Store[Case], projector: Projector, metrics: PipelineMetrics
) -> Consumer[Case]:
    """The consumer behind the projection."""
    return Consumer(
        service="metrics",
        topic=CASE_EVENTS,
        prefix=settings.topic_prefix,
        wanted={name: decode_model(event) for name, event in EVENTS.items()},
        store=store,
        handle=projector.project,
        metrics=metrics,
        park_limit=settings.park_limit,
    )
