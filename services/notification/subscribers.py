"""The topics that the service reads."""

from __future__ import annotations

from typing import Any

from services.notification.domain.case import Case
from services.notification.domain.policy import HEARD
from services.notification.handlers import Planner
from services.notification.settings import NotificationSettings
from shared.contracts.private import Contact
from shared.contracts.topics import CASE_EVENTS, CASE_PRIVATE
from shared.messaging.consumer import Consumer
from shared.messaging.delivery import decode_model
from shared.messaging.memory import Memory
from shared.observability.metrics import PipelineMetrics
from shared.persistence.work import Store


def make_consumers(
    settings: NotificationSettings, store: Store[Case], planner: Planner, metrics: PipelineMetrics
) -> list[Consumer[Case]]:
    """One consumer for facts, one for contacts; a contact stays encrypted until the handler needs it."""
    common: dict[str, Any] = {
        "service": store.service,
        "prefix": settings.topic_prefix,
        "store": store,
        "metrics": metrics,
        "park_limit": settings.park_limit,
    }
    facts = Consumer[Case](
        topic=CASE_EVENTS,
        wanted={name: decode_model(model) for name, model in HEARD.items()},
        handle=planner.plan_messages,
        **common,
    )
    contacts = Consumer[Case](
        topic=CASE_PRIVATE,
        wanted={Contact.type: lambda ciphertext: ciphertext},
        handle=planner.take_contacts,
        memory=Memory.LATEST,
        **common,
    )
    return [facts, contacts]
