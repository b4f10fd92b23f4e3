"""Every procedure of the catalogue, accepted at any time of seven years: both due dates as somebody counts them on fingers."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from services.processing.domain.machine import Context, decide
from shared.calendar import LimitUnit, load_calendar
from shared.catalogue import Limit, Procedure, load_catalogue
from shared.contracts import commands as ask
from shared.contracts.events import CaseAccepted
from shared.contracts.words import Origin
from tests.support import naive
from tests.support.life import AGENCY, local, submitted

UNITS = {LimitUnit.WORKING_DAYS: "w", LimitUnit.CALENDAR_DAYS: "c", LimitUnit.HOURS: "h"}
YEARS = 7 * 365 * 24 * 60
PER_PROCEDURE = 15


def counted(limit: Limit | None, at: datetime) -> datetime | None:
    return naive.Limit(limit.count, UNITS[limit.unit]).end(at) if limit else None


@pytest.mark.parametrize("procedure", list(load_catalogue()), ids=lambda each: each.code)
def test_the_due_dates_are_those_that_are_counted_day_by_day(procedure: Procedure) -> None:
    rng = random.Random(procedure.code)
    for _ in range(PER_PROCEDURE):
        at = local("2020-01-02 00:00") + timedelta(minutes=rng.randrange(YEARS))
        context = Context(at, at, at, Origin.IMPORT, AGENCY, load_calendar(), load_catalogue())
        decided = decide(submitted(procedure.code, at), ask.Accept(), context)
        assert isinstance(decided, list)
        (event,) = decided
        assert isinstance(event, CaseAccepted)
        version = procedure.version_at(naive.local(at))
        assert event.procedure_version == (version.version if version else None)
        if version is not None:
            assert event.due_at == counted(version.committed or version.statutory, at)
            assert event.statutory_due_at == counted(version.statutory, at)
