"""The tick: facts of time, raised for the cases whose timers are due. Whoever else moves a case meanwhile waits, or comes first.

Each replica ticks. One at a time leads, by an advisory lock of a transaction: it is free again whenever its holder ends, however
it ends. That saves work and no more; what makes a fact single is the case's own lock.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

import structlog

from services.processing import repository
from services.processing.domain.case import Case
from services.processing.domain.timers import pass_time
from services.processing.handlers.calendar import rules_in_force
from services.processing.handlers.settling import Fact, Rules, settle, timed
from shared.contracts.words import Origin
from shared.persistence.database import Tx
from shared.persistence.work import Store, Work

BATCH = 1000
"""Cases of one transaction."""
BUDGET_SECONDS = 10.0
"""After so long a tick ends, so that its loop is seen to be alive; the next one goes on."""
LATER = timedelta(minutes=10)
SOON = timedelta(minutes=1)
"""When a case is looked at again that could not be taken."""

log = structlog.get_logger()

CaughtUp = Callable[[], Awaitable[bool]]
"""Whether every command that was sent before this question has been carried out."""


@dataclass(frozen=True, slots=True)
class Ticker:
    """What a tick needs. `grace` is for commands on their way: what happened before a deadline may come a little after it."""

    store: Store[Case]
    rules: Rules
    caught_up: CaughtUp
    grace: timedelta = field(default=timedelta(0))


@dataclass(slots=True)
class Ticked:
    """What a tick did: how many cases it looked at, which facts it stated, and whether it left something for the next one."""

    cases: int = 0
    facts: dict[str, int] = field(default_factory=dict)
    more: bool = False


async def tick(ticker: Ticker) -> Ticked:
    """Raise everything that is due, batch by batch; nothing while another replica does it."""
    done, began = Ticked(), monotonic()
    async with ticker.store.database.transaction() as tx:
        if await repository.lead_timers(tx):
            for find in (_find_of_today, _find_of_history):
                while not done.more and (due := await find(ticker, tx)):
                    await _raise(ticker, due, done, may_end=await ticker.caught_up())
                    done.more = monotonic() - began > BUDGET_SECONDS
    return done


async def _find_of_today(ticker: Ticker, tx: Tx) -> Mapping[UUID, datetime]:
    now: datetime = await tx.driver.fetchval("select clock_timestamp()")
    return await repository.find_due(tx, now - ticker.grace, BATCH)


async def _find_of_history(ticker: Ticker, tx: Tx) -> Mapping[UUID, datetime]:
    """In the past time is set by hand, after commands were sent: those are carried out first, and may make a fact untrue."""
    due = await repository.find_due_in_history(tx, BATCH)
    return due if due and await ticker.caught_up() else {}


async def _raise(ticker: Ticker, due: Mapping[UUID, datetime], done: Ticked, *, may_end: bool) -> None:
    """One transaction: under the locks of these cases, what time has made of them by now.

    While commands are still on their way, silence ends no case (`may_end`): a refusal that was sent in time may be among them.
    Their timers are kept anew in any case: whatever was wrong about one, the next tick must not find it again.
    """
    async with ticker.store.open(due) as work:
        rules = await rules_in_force(work.tx, ticker.rules)
        facts = [fact for case_id, until in due.items() for fact in _pass(work, case_id, until, rules, may_end=may_end)]
        await settle(work, facts, rules)
        await repository.keep_timers(work.tx, [(case_id, work.cases[case_id].state) for case_id in due])
    done.cases += len(due)
    for fact in facts:
        done.facts[fact.event.type] = done.facts.get(fact.event.type, 0) + 1


def _pass(work: Work[Case], case_id: UUID, until: datetime, rules: Rules, *, may_end: bool) -> list[Fact]:
    """The case as it is under its lock decides, not the timer: it may have moved since the timer was read.

    A case that the rules cannot take must not hold up all others: it is named in the log, and looked at again later.
    """
    locked = work.cases[case_id]
    rules = rules.of(locked.state.agency)
    try:
        state, passed = pass_time(locked.state, until, rules)
        if not may_end and state.resolved_at != locked.state.resolved_at:
            locked.state = locked.state._replace(timer_at=until + SOON)
            return []
        locked.state = timed(state, rules)
    except Exception as error:
        log.exception("timer of a case failed", case_id=str(case_id), error=type(error).__name__)
        locked.state = locked.state._replace(timer_at=until + LATER)
        return []
    origin = Origin(state.origin or Origin.LIVE)
    return [Fact(case_id, event, at, origin, None) for event, at in passed]
