"""The loops of the service: one per channel, one that ends waiting for contacts, one that counts."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from services.notification import repository
from services.notification.domain.case import Case
from services.notification.handlers import Planner
from services.notification.metrics import NotificationMetrics
from services.notification.sending import Sender
from shared.persistence.work import Store
from shared.service import Job

BATCH = 500
ROUND_SECONDS = 10.0
"""After so long a loop comes round, so that its heartbeat is seen, even while there is more to do."""


def make_jobs(store: Store[Case], planner: Planner, senders: list[Sender], metrics: NotificationMetrics) -> list[Job]:
    """The service's loops."""
    sending = [
        Job(f"send by {sender.channel.way.name}", 0.2, _drain(sender.send_due, sender.channel.batch)) for sender in senders
    ]
    return [
        *sending,
        Job("end waiting", 2.0, _drain(_end_waiting(store, planner), BATCH)),
        Job("count messages", 5.0, _count(store, metrics)),
    ]


def _drain(step: Callable[[], Awaitable[int]], full: int) -> Callable[[], Awaitable[None]]:
    """Repeat a step while it finds a full batch."""

    async def run() -> None:
        ends_at = time.monotonic() + ROUND_SECONDS
        while await step() >= full and time.monotonic() < ends_at:
            pass

    return run


def _end_waiting(store: Store[Case], planner: Planner) -> Callable[[], Awaitable[int]]:
    async def step() -> int:
        found = await repository.waited_out(store.database, BATCH)
        if found:
            async with store.open({case_id for _, case_id in found}) as work:
                await planner.end_waiting(work, [message_id for message_id, _ in found])
        return len(found)

    return step


def _count(store: Store[Case], metrics: NotificationMetrics) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        metrics.set_open(await repository.count_open(store.database))

    return run
