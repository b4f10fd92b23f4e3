"""The explanation of a case's clock, from what the database holds of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.processing import repository
from services.processing.domain.case import Case
from services.processing.domain.explanation import Explanation, explain
from services.processing.domain.timeline import CLOCK_FACTS, Recorded
from services.processing.handlers.calendar import rules_in_force
from services.processing.handlers.settling import Rules
from shared.catalogue import LimitVersion
from shared.contracts.events import EVENTS, CaseEvent
from shared.persistence.database import Database


async def explain_case(
    database: Database, case_id: UUID, case: Case, business_now: datetime, rules: Rules
) -> tuple[Explanation, LimitVersion | None]:
    """Explain a case under the calendar in force, with the version of its procedure, as far as the catalogue knows it."""
    async with database.transaction() as tx:
        rules = (await rules_in_force(tx, rules)).of(case.agency)
        rows = await repository.read_facts(tx, [case_id], CLOCK_FACTS)
    history = [Recorded(event_id, _read(kind, body), occurred_at) for _, event_id, kind, occurred_at, body in rows]
    known = rules.catalogue.of(case.agency)
    number = case.procedure_version
    version = known.version(str(case.procedure), number) if number is not None else None
    return explain(history, version, rules.calendar, business_now, known.words_of), version


def _read(kind: str, body: str) -> CaseEvent:
    event = EVENTS[kind].model_validate_json(body)
    assert isinstance(event, CaseEvent)  # noqa: S101 - the clock's facts are all facts of a case
    return event
