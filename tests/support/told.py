"""A case explained at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.processing.clock_bodies import clock_body
from services.processing.domain.explanation import Explanation, explain
from shared.calendar import LimitUnit, WorkingCalendar, load_calendar
from shared.catalogue import load_catalogue
from shared.contracts.words import ClockMode, Kind, Regime
from tests.support.lives import Life, ask, catalogue, moment

CASE_ID = UUID("01936f3c-0000-7000-8000-000000000001")
SEED = "1.001806"


@dataclass(frozen=True, slots=True)
class Told:
    """A life, the moment at which it is explained, and the calendar then."""

    life: Life
    now: datetime
    calendar: WorkingCalendar

    @property
    def explanation(self) -> Explanation:
        """The clock of this case, with the words of the packaged catalogue."""
        return explain(self.life.history, self.life.version(), self.calendar, self.now, load_catalogue().words_of)

    @property
    def answer(self) -> dict[str, Any]:
        """The answer as it goes out over HTTP."""
        version = self.life.version()
        decision, assumed = (version.decision, version.assumed) if version else (None, False)
        body = clock_body(CASE_ID, self.life.case, ClockMode.LIVE, self.explanation, decision, assumed=assumed)
        return body.model_dump(mode="json", by_alias=True)


def told(life: Life, now: str, calendar: WorkingCalendar | None = None) -> Told:
    """A life explained at a moment of Viet Nam's time."""
    return Told(life, moment(now), calendar or load_calendar())


def seed(filed: str, accepted: str) -> Life:
    """A dossier of the seed procedure: 10 working days committed, 15 by law."""
    return Life(load_catalogue(), moment(filed), procedure=SEED).do(ask.Accept(unit="one-stop"), accepted)


def of_limit(accepted: str, count: int, unit: LimitUnit, regime: Regime = Regime.RESTART, kind: Kind = Kind.DOSSIER) -> Life:
    """A case with one limit, the law's own."""
    return Life(catalogue(None, (count, unit), regime), moment(accepted), kind).do(ask.Accept(unit="one-stop"), accepted)
