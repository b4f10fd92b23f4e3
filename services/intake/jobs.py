"""What intake does by itself: it looks for possible duplicates, and forgets old keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from services.intake.duplicates import CASES_AT_ONCE, flag_duplicates
from services.intake.forgetting import clear_digests, forget_keys
from services.intake.settings import IntakeSettings
from shared.clock import Clock, real_time
from shared.persistence.work import Store
from shared.service import Job

LOOK_SECONDS: Final = 5.0
FORGET_SECONDS: Final = 3600.0


def make_duplicates(store: Store[Any], settings: IntakeSettings, now: Clock = real_time) -> Job:
    """The loop that flags possible duplicates; replicas take different cases."""
    within = timedelta(days=settings.duplicate_days)

    async def look() -> None:
        looked = await flag_duplicates(store, now(), within)
        if looked.cases == CASES_AT_ONCE:
            job.wake()

    job = Job("possible duplicates", LOOK_SECONDS, look)
    return job


def make_forgetting(store: Store[Any], settings: IntakeSettings) -> Job:
    """The loop that forgets keys, and of erased cases what was digested."""
    after = timedelta(days=settings.idempotency_days)

    async def forget() -> None:
        await forget_keys(store.database, after)
        await clear_digests(store.database)

    return Job("forget old keys", FORGET_SECONDS, forget)
