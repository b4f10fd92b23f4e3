"""What runs beside the doors: calls are stated when they are over, feeds when something changed, and old rows are forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from services.intake.hotline.calls import CALLS_AT_ONCE, forget_calls, state_ended
from services.intake.hotline.watching import MappingOf, forget_feeds, observe
from services.intake.settings import IntakeSettings
from shared.persistence.work import Store
from shared.service import Job

CALL_SECONDS: Final = 1.0
FORGET_SECONDS: Final = 600.0
LOOKS: Final = 3
"""Looks at the feeds within the least time between two statements, so that none is late by much."""


def make_call_job(store: Store[Any], settings: IntakeSettings) -> Job:
    """The loop that states calls; replicas take different ones."""
    settle = timedelta(seconds=settings.hotline_settle_seconds)

    async def run() -> None:
        if await state_ended(store, settle) == CALLS_AT_ONCE:
            job.wake()

    job = Job("hotline calls", CALL_SECONDS, run)
    return job


def make_feed_job(store: Store[Any], settings: IntakeSettings, mapping_of: MappingOf) -> Job:
    """The loop that states feeds; one replica at a time."""
    every = timedelta(seconds=settings.feed_seconds)

    async def run() -> None:
        await observe(store, mapping_of, every)

    return Job("hotline feeds", settings.feed_seconds / LOOKS, run)


def make_forgetting_of_feeds(store: Store[Any]) -> Job:
    """The loop that forgets calls that never ended, and what is two weeks old."""

    async def run() -> None:
        await forget_calls(store.database)
        await forget_feeds(store.database)

    return Job("forget old calls", FORGET_SECONDS, run)
