"""What processing does by itself: it raises facts of time, gives up on commands whose case never came, forgets old answers."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from services.processing import repository
from services.processing.domain.case import Case
from services.processing.domain.machine import COMMAND_LIFE
from services.processing.handlers.notes import rewrap_notes
from services.processing.handlers.recalculating import recalculate_cases
from services.processing.handlers.records import reject_stale
from services.processing.handlers.settling import Rules
from services.processing.handlers.timers import Ticker, tick
from services.processing.metrics import ProcessingMetrics
from shared.clock import Clock, real_time
from shared.persistence.work import Store
from shared.security.key_ring import KeyRing
from shared.service import Job

log = structlog.get_logger()

STALE_CASES = 500
"""Cases of one transaction."""


def make_jobs(
    store: Store[Case], rules: Rules, metrics: ProcessingMetrics, patience_seconds: float, now: Clock = real_time
) -> list[Job]:
    """The loops of one replica; several replicas disturb each other in nothing but time."""

    async def reject_unknown() -> None:
        await reject_all_stale(store, rules, now() - timedelta(seconds=patience_seconds))
        async with store.database.session() as session:
            metrics.set_waiting(*await repository.count_waiting(session))

    async def forget() -> None:
        async with store.database.transaction() as tx:
            await repository.forget_answers(tx, tx.now - COMMAND_LIFE)

    return [Job("unknown cases", min(5.0, patience_seconds), reject_unknown), Job("answers", 3600.0, forget)]


def make_rewrapping(store: Store[Case], keys: KeyRing) -> Job:
    """The loop that follows a rotation of master keys."""
    unreadable = 0

    async def rewrap() -> None:
        nonlocal unreadable
        if len(keys.ids) == 1:  # there is no older one
            return
        found = (await rewrap_notes(store, keys)).unreadable
        if found > unreadable:
            log.warning("notes do not open under the master key that they name", notes=found)
        unreadable = found

    return Job("rewrap notes", 10.0, rewrap)


def make_timers(ticker: Ticker, metrics: ProcessingMetrics, every_seconds: float) -> Job:
    """The loop of the timers; to be woken when an agency's business clock was set."""

    async def raise_due() -> None:
        done = await tick(ticker)
        metrics.count_facts(done.facts)
        async with ticker.store.database.transaction() as tx:
            metrics.set_oldest_due(await repository.find_oldest_due(tx, tx.now))
        if done.more:
            job.wake()

    job = Job("timers", every_seconds, raise_due)
    return job


def make_recalculation(store: Store[Case], rules: Rules) -> Job:
    """The loop that counts open cases again after a change of the calendar; to be woken by who changes it."""

    async def recalculate() -> None:
        if await recalculate_cases(store, rules):
            job.wake()

    job = Job("calendar", 2.0, recalculate)
    return job


async def reject_all_stale(store: Store[Case], rules: Rules, arrived_by: datetime) -> int:
    """Reject, batch by batch and under the cases' locks, what has waited since then; give how many commands."""
    rejected = 0
    while True:
        async with store.database.session() as session:
            case_ids = await repository.find_stale(session, arrived_by, STALE_CASES)
        if not case_ids:
            return rejected
        async with store.open(case_ids) as work:
            rejected += await reject_stale(work, arrived_by, rules)
