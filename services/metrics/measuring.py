"""Working time by the calendar in force: batches measure by it, and after a change every resolved case is measured again.

So the figures do not depend on the order in which the calendar and the cases were read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic

from services.metrics.domain.calendars import Calendars
from services.metrics.domain.case import Case
from services.metrics.domain.projection import measure
from services.metrics.repository import calendars as repository
from shared.contracts.events import CalendarChanged
from shared.persistence.database import Tx
from shared.persistence.work import Store

BATCH = 1000
"""Cases of one transaction."""
BUDGET_SECONDS = 10.0
"""After so long a round ends, so that its loop is seen to be alive; the next one goes on."""


@dataclass(slots=True)
class KnownCalendars:
    """The calendar that this process read last."""

    newest: Calendars = field(default_factory=Calendars)

    async def in_force(self, tx: Tx) -> Calendars:
        """The calendar as it stands, which stays so until this transaction ends; read when it has changed."""
        if await repository.hold_calendars(tx) != self.newest.revision:
            self.newest = await repository.read_calendars(tx)
        return self.newest

    async def take(self, tx: Tx, stated: CalendarChanged | None) -> Calendars:
        """The calendar in force, after one that was stated."""
        if stated is not None:
            await repository.set_calendars(tx, stated)
        return await self.in_force(tx)


async def measure_again(store: Store[Case], known: KnownCalendars, budget: float = BUDGET_SECONDS) -> bool:
    """Measure resolved cases by the newest calendar, unless another replica does; whether some are left for the next round."""
    async with store.database.transaction() as tx:
        if (await repository.read_sweep(tx)).measured or not await repository.lead_measuring(tx):
            return False
        began, more = monotonic(), True
        while more and monotonic() - began < budget:
            more = await _measure_batch(store, known)
    return more


async def _measure_batch(store: Store[Case], known: KnownCalendars) -> bool:
    async with store.database.transaction() as tx:
        sweep = await repository.read_sweep(tx)
        case_ids = [] if sweep.measured else await repository.find_resolved(tx, sweep.after, BATCH)
    async with store.open(case_ids) as work:
        calendars = await known.in_force(work.tx)
        if calendars.revision != sweep.revision or sweep.measured:
            return not sweep.measured  # a newer calendar came meanwhile
        for locked in work.cases.values():
            locked.state = measure(locked.state, calendars.of(locked.state.agency))
        after, measured = (case_ids[-1], False) if len(case_ids) == BATCH else (None, True)
        await repository.go_on(work.tx, sweep.revision, after, measured=measured)
        return not measured
