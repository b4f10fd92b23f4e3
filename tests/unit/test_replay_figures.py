"""The default year, lived through the rules of processing and counted by the projection of metrics: what its figures must say."""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import mean

import pytest

from deploy.replay.driver import past_of
from deploy.replay.model import make_year
from deploy.replay.scenario import load_scenario
from services.metrics.domain.case import Case
from services.metrics.domain.figures import Standing, is_overdue, standing
from services.metrics.domain.projection import project
from shared.calendar import load_calendar
from shared.contracts.envelope import Envelope
from shared.contracts.words import Origin
from tests.support.year import lived

YEAR = make_year(load_scenario(), agency="so-year")
WORKING_DAY = 8 * 3600


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """Every case of the year as metrics has it at the close."""
    calendar, counted = load_calendar(), []
    for past in past_of(YEAR).cases:
        case = Case()
        for number, (event, at) in enumerate(lived(past)[1], 1):
            about = (str(number), event.type, "/processing", past.external_id, event.agency, at, at)
            case = project(case, Envelope(*about, Origin.REPLAY, number), event, calendar)
        counted.append(case)
    return counted


def test_the_dossiers_are_those_of_the_inspection_whatever_stands_beside_them(cases: list[Case]) -> None:
    dossiers = Counter(standing(case) for case in cases if case.kind == "dossier")
    assert dossiers == {Standing.RESOLVED: 5644, Standing.OPEN: 63}


def test_262_tasks_were_assigned_and_226_done_and_none_is_late_without_a_source(cases: list[Case]) -> None:
    by_field: dict[str | None, Counter[Standing]] = defaultdict(Counter)
    tasks = [case for case in cases if case.kind == "task"]
    for case in tasks:
        by_field[case.field][standing(case)] += 1
    assert by_field == {
        "tasks": {Standing.RESOLVED: 226, Standing.OPEN: 36},
        "key-tasks": {Standing.OPEN: 3},
        "programmes": {Standing.OPEN: 22},
    }
    assert not any(is_overdue(case.due_at, YEAR.closing_at, case.stopped_at) for case in tasks)
    assert {case.timeliness for case in tasks if case.resolved_at} == {"no_due_date"}


@pytest.mark.parametrize(
    ("code", "version", "statutory", "committed"),
    [("1.001806", 1, 15, None), ("1.001806", 2, 15, 10), ("2.000189", 1, 10, None), ("2.000189", 2, 10, 7)],
)
def test_the_mean_handling_time_lies_below_the_limit_in_force(
    cases: list[Case], code: str, version: int, statutory: int, committed: int | None
) -> None:
    mine = [case for case in cases if (case.procedure, case.procedure_version) == (code, version)]
    assert {case.statutory for case in mine} == {f"{statutory} working_days"}
    assert {case.committed for case in mine} == {f"{committed} working_days" if committed else None}
    used = [case.working_seconds / WORKING_DAY for case in mine if case.working_seconds is not None]
    assert len(used) > 20
    assert 0.5 < mean(used) / (committed or statutory) < 0.95
