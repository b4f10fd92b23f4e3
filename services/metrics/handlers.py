"""What the service does with facts and with questions: fold, count, read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.metrics.answers import (
    BacklogAnswer,
    ClockAnswer,
    FiguresAnswer,
    ProceduresAnswer,
    TurnaroundAnswer,
    backlog_answer,
    figures_answer,
    procedures_answer,
    turnaround_answer,
)
from services.metrics.collectors import backlog_rows, call_rows, feed_rows, turnaround_rows, version_rows
from services.metrics.domain.case import Case
from services.metrics.domain.feeds import FeedFact
from services.metrics.domain.figures import Window
from services.metrics.domain.projection import project
from services.metrics.domain.tallies import Tallies
from services.metrics.feed_answers import FeedsAnswer, feeds_answer
from services.metrics.measuring import KnownCalendars
from services.metrics.metrics import ServiceMetrics
from services.metrics.reading import reading
from services.metrics.repository.feeds import take_facts
from services.metrics.repository.figures import clock_of, figures_of
from services.metrics.repository.writes import Advance, ClockChange, add_tallies, advance, set_clocks
from shared.clock import Clock, real_time
from shared.contracts.events import CalendarChanged, ClockSet
from shared.contracts.words import Origin
from shared.messaging.delivery import Delivery
from shared.persistence.database import Database, Tx
from shared.persistence.work import Work


@dataclass(frozen=True, slots=True)
class Projector:
    """Folds a batch of facts into the projection. Repeatable: everything it changes is in the batch's transaction."""

    metrics: ServiceMetrics
    clock: Clock = real_time
    calendars: KnownCalendars = field(default_factory=KnownCalendars)

    async def project(self, work: Work[Case], deliveries: Sequence[Delivery]) -> None:
        """Take new facts, in order: cases, tallies, clocks, progress. A newer calendar comes first, for all of them."""
        stated = (delivery.body for delivery in deliveries if isinstance(delivery.body, CalendarChanged))
        calendars = await self.calendars.take(work.tx, max(stated, key=lambda event: event.revision, default=None))
        tallies = Tallies.empty()
        steps: dict[int, Advance] = defaultdict(Advance)
        clocks, of_feeds = [], []
        for delivery in deliveries:
            partition, body = delivery.record.partition, delivery.body
            step = steps[partition]
            step.position, step.facts = max(step.position, delivery.record.offset + 1), step.facts + 1
            if delivery.case_id is not None:
                locked = work.cases[delivery.case_id]
                before = locked.state
                calendar = calendars.of(before.agency or body.agency)
                locked.state = project(before, delivery.envelope, body, calendar)
                tallies.add(before, locked.state, body, calendar)
            elif isinstance(body, ClockSet):
                clocks.append(ClockChange(body.agency, body.mode, body.at, delivery.envelope.sequence))
            elif isinstance(body, FeedFact):
                of_feeds.append((body, delivery.envelope.sequence))
        await set_clocks(work.tx, clocks)
        await take_facts(work.tx, of_feeds)
        await add_tallies(work.tx, min(steps), tallies)
        await advance(work.tx, steps)
        self._observe(deliveries)

    def _observe(self, deliveries: Sequence[Delivery]) -> None:
        """Seconds from writing a live fact to this batch's end; the commit follows within milliseconds."""
        now = self.clock()
        for delivery in deliveries:
            envelope = delivery.envelope
            if envelope.origin is Origin.LIVE:
                stage = envelope.source.lstrip("/")
                self.metrics.visible_seconds(stage, (now - envelope.recorded_at).total_seconds())


async def figures(database: Database, agency: str, as_of: datetime | None) -> FiguresAnswer:
    """An agency's figures, now or at a moment of the past."""
    return figures_answer(await figures_of(database, agency, as_of))


async def backlog(database: Database, agency: str, fields: Sequence[str]) -> BacklogAnswer:
    """An agency's open cases."""
    async with reading(database) as tx:
        return backlog_answer(agency, await _clock(tx, agency), await backlog_rows(tx, agency, fields))


async def turnaround(database: Database, agency: str, fields: Sequence[str], window: Window) -> TurnaroundAnswer:
    """An agency's turnaround in a window."""
    async with reading(database) as tx:
        rows = await turnaround_rows(tx, agency, fields, window)
        return turnaround_answer(agency, window, await _clock(tx, agency), rows)


async def procedures(database: Database, agency: str) -> ProceduresAnswer:
    """An agency's cases by procedure and by the limits in force."""
    async with reading(database) as tx:
        return procedures_answer(agency, await _clock(tx, agency), await version_rows(tx, agency))


async def feeds(database: Database, agency: str) -> FeedsAnswer:
    """How an agency's feeds stand."""
    async with reading(database) as tx:
        return feeds_answer(agency, tx.now, await feed_rows(tx, agency), await call_rows(tx, agency))


async def _clock(tx: Tx, agency: str) -> ClockAnswer:
    clock = await clock_of(tx, agency)
    return ClockAnswer(mode=clock.mode, at=clock.business(tx.now))
