"""What intake listens to: the facts that move a case's public status."""

from __future__ import annotations

from services.intake.domain.case import FOLLOWED, Case
from services.intake.handlers import follow_cases
from services.intake.settings import IntakeSettings
from shared.contracts.topics import CASE_EVENTS
from shared.messaging.consumer import Consumer
from shared.messaging.delivery import decode_model
from shared.observability.metrics import PipelineMetrics
from shared.persistence.work import Store


def make_consumers(settings: IntakeSettings, store: Store[Case], metrics: PipelineMetrics) -> list[Consumer[Case]]:
    """Intake's consumers."""
    on_case_events = Consumer(
        service="intake",
        topic=CASE_EVENTS,
        prefix=settings.topic_prefix,
        wanted={event.type: decode_model(event) for event in FOLLOWED},
        store=store,
        handle=follow_cases,
        metrics=metrics,
        park_limit=settings.park_limit,
    )
    return [on_case_events]
