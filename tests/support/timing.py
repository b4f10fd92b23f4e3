"""A case of December 2020 under the packaged rules, and what time makes of it in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.processing.domain.case import Case
from services.processing.domain.escalation import Escalation
from services.processing.domain.timers import Passed
from shared.calendar import ZONE, WorkingCalendar, load_calendar
from shared.catalogue import Catalogue, load_catalogue
from shared.contracts import events as fact
from shared.contracts.words import Kind, Status


@dataclass(frozen=True)
class Rules:
    calendar: WorkingCalendar = field(default_factory=load_calendar)
    catalogue: Catalogue = field(default_factory=load_catalogue)
    escalation: Escalation = field(default_factory=Escalation)


RULES = Rules()
ABOUT: dict[str, Any] = {"agency": "so-test", "kind": Kind.DOSSIER}


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


ACCEPTED = local("2020-12-17T10:00")
DUE = local("2020-12-31T17:00")
LATER = local("2021-06-01T00:00")


def accepted(**changes: Any) -> Case:
    case = Case(
        agency="so-test", kind="dossier", procedure="1.001806", procedure_version=2, status=Status.ACCEPTED, origin="live",
        unit="labour", accepted_at=ACCEPTED, clock_from=ACCEPTED, last_fact_at=ACCEPTED, due_at=DUE,
    )  # fmt: skip
    return case._replace(**changes)


def said(facts: Sequence[Passed]) -> list[tuple[str, str]]:
    """Each fact with its local time; of an escalation reason, level and who is told."""
    return [(name_of(event), at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")) for event, at in facts]


def name_of(event: fact.CaseEvent) -> str:
    name = event.type.removeprefix("case.")
    return f"{event.reason}.{event.level} {event.to}" if isinstance(event, fact.CaseEscalated) else name
