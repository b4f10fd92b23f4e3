"""What processing listens to: cases as intake submits them, and commands of officers' systems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.processing.domain.case import Case
from services.processing.handlers.notes import erase_notes
from services.processing.handlers.records import UnknownCommand, open_cases, run_commands
from services.processing.handlers.settling import Rules
from shared.contracts.commands import COMMANDS
from shared.contracts.events import PROCESSING, CaseSubmitted, DuplicateSuspected
from shared.contracts.private import Erased
from shared.contracts.topics import CASE_COMMANDS, CASE_EVENTS, CASE_PRIVATE
from shared.messaging.consumer import Consumer
from shared.messaging.delivery import Delivery, decode_model
from shared.messaging.memory import Memory
from shared.observability.metrics import PipelineMetrics
from shared.persistence.work import Store, Work
from shared.settings import ServiceSettings


def make_consumers(settings: ServiceSettings, store: Store[Case], rules: Rules, metrics: PipelineMetrics) -> list[Consumer[Case]]:
    """One consumer per topic."""

    async def on_events(work: Work[Any], deliveries: Sequence[Delivery]) -> None:
        await open_cases(work, deliveries, rules)

    async def on_commands(work: Work[Any], deliveries: Sequence[Delivery]) -> None:
        await run_commands(work, deliveries, rules)

    events = Consumer(
        service=PROCESSING,
        topic=CASE_EVENTS,
        prefix=settings.topic_prefix,
        wanted={event.type: decode_model(event) for event in (CaseSubmitted, DuplicateSuspected)},
        store=store,
        handle=on_events,
        metrics=metrics,
        park_limit=settings.park_limit,
    )
    commands = Consumer(
        service=PROCESSING,
        topic=CASE_COMMANDS,
        prefix=settings.topic_prefix,
        wanted={name: decode_model(model) for name, model in COMMANDS.items()},
        store=store,
        handle=on_commands,
        metrics=metrics,
        memory=Memory.INBOX,
        unknown=lambda _: UnknownCommand(),
        park_limit=settings.park_limit,
    )
    erasures = Consumer(
        service=PROCESSING,
        topic=CASE_PRIVATE,
        prefix=settings.topic_prefix,
        wanted={Erased.type: lambda _: None},
        store=store,
        handle=erase_notes,
        metrics=metrics,
        memory=Memory.LATEST,
        park_limit=settings.park_limit,
    )
    return [events, commands, erasures]
