"""Open cases are counted again after a change of the calendar: in the background, batch by batch, from where it was left.

How far it is stands in the database. A second change meanwhile starts it anew; a case that was counted twice is the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from time import monotonic
from uuid import UUID

from services.processing import repository
from services.processing.domain.case import Case
from services.processing.domain.clock import AgencyClock
from services.processing.domain.limits import version_of
from services.processing.domain.machine import evolve
from services.processing.domain.recalculation import COUNTED, recalculate
from services.processing.handlers.calendar import rules_in_force
from services.processing.handlers.histories import read_histories
from services.processing.handlers.settling import Fact, Rules, keep_timers, settle, timed
from services.processing.repository import Sweep
from shared.contracts.events import CITY, CaseEvent
from shared.contracts.words import ClockMode, Origin
from shared.persistence.work import Store, Work

BATCH = 1000
"""Cases of one transaction."""
BREATH = 100
"""After so many cases everybody else in this process has a turn."""
BUDGET_SECONDS = 10.0
"""After so long a round ends, so that its loop is seen to be alive; the next one goes on."""


async def recalculate_cases(store: Store[Case], rules: Rules, budget: float = BUDGET_SECONDS) -> bool:
    """Do what there is to do, unless another replica does it; whether something is left for the next round."""
    async with store.database.transaction() as tx:
        if not (await repository.is_sweep_pending(tx) and await repository.lead_sweep(tx)):
            return False
        await tell_first_calendar(store, rules)
        began, more = monotonic(), True
        while more and monotonic() - began < budget:
            more = await recalculate_batch(store, rules)
    return more


async def tell_first_calendar(store: Store[Case], rules: Rules) -> None:
    """State the calendar that the installation began with, once: who counts by it hears of no other way."""
    async with store.open(()) as work:
        sweep = await repository.read_sweep(work.tx, lock=True)
        if sweep.told:
            return
        revision = (await rules_in_force(work.tx, rules)).revision
        if revision == 1:
            stated = (await repository.read_almanac(work.tx, revision)).stated()
            work.emit_agency(stated, agency=CITY, sequence=revision, occurred_at=work.now, origin=Origin.LIVE)
        await repository.write_sweep(work.tx, replace(sweep, told=True))


async def recalculate_batch(store: Store[Case], rules: Rules, limit: int = BATCH) -> bool:
    """Count the next open cases again; False when all were."""
    async with store.database.transaction() as tx:
        seen, revision = await repository.read_sweep(tx), (await repository.hold_calendar(tx)).revision
        if seen.revision == revision and seen.ended_at is not None:
            return False
        start = seen.after if seen.revision == revision else None
        case_ids = await repository.find_countable(tx, start, limit)
    async with store.open(case_ids) as work:
        sweep = await repository.read_sweep(work.tx, lock=True)
        rules = await rules_in_force(work.tx, rules)
        if sweep.revision != rules.revision:
            sweep = Sweep(rules.revision, None, 0, 0, work.now, None, sweep.told)
        if sweep.after != start or sweep.ended_at is not None:
            return True  # another replica was faster, or the calendar changed again meanwhile
        moved = await _recalculate(work, case_ids, rules)
        ended_at = work.now if len(case_ids) < limit else None
        sweep = replace(sweep, after=case_ids[-1] if case_ids else start, ended_at=ended_at)
        await repository.write_sweep(work.tx, replace(sweep, cases=sweep.cases + len(case_ids), moved=sweep.moved + moved))
        return ended_at is None


async def _recalculate(work: Work[Case], case_ids: list[UUID], rules: Rules) -> int:
    """State the other due dates of these cases; give how many there are."""
    histories = await read_histories(work.tx, case_ids, COUNTED)
    clocks = await repository.read_clocks(work.tx)
    facts = []
    for place, case_id in enumerate(case_ids):
        if place % BREATH == 0:
            await asyncio.sleep(0)
        locked = work.cases[case_id]
        own = rules.of(locked.state.agency)
        version = version_of(locked.state, work.now, rules.catalogue.of(locked.state.agency))
        event = recalculate(locked.state, histories.get(case_id, ()), version, own.calendar)
        if event is not None:
            facts.append(_fact(work, case_id, event, clocks))
        locked.state = timed(locked.state, own)  # what time makes next is counted by the calendar, too
    if facts:
        await settle(work, facts, rules)
    else:
        await keep_timers(work)
    return len(facts)


def _fact(work: Work[Case], case_id: UUID, event: CaseEvent, clocks: Mapping[str, AgencyClock]) -> Fact:
    """It happens at the agency's business time, not before the case's last fact; in a past year it is part of the replay."""
    locked = work.cases[case_id]
    case, clock = locked.state, clocks.get(str(locked.state.agency), AgencyClock())
    business_now = clock.time(work.now)
    occurred_at = max(business_now, case.last_fact_at or business_now)
    locked.state = evolve(case, event, occurred_at)
    replayed = clock.mode is ClockMode.HISTORICAL
    origin = Origin.REPLAY if replayed else Origin(case.origin or Origin.LIVE)
    return Fact(case_id, event, occurred_at, origin, None)
