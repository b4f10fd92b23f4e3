"""A whole simulated year through the rules: every command is carried out, and only late cases are overdue."""

from __future__ import annotations

from collections import Counter

from deploy.replay.driver import past_of
from deploy.replay.model import make_year
from deploy.replay.scenario import load_scenario
from shared.calendar import local_date
from tests.support.timing import local
from tests.support.year import lived


def test_a_simulated_year_is_carried_out_whole_and_only_its_late_cases_are_overdue() -> None:
    cases = [
        each for each in past_of(make_year(load_scenario(), 600, 560, 5, "so-year")).cases if each.filing["kind"] == "dossier"
    ]
    outcomes: Counter[str] = Counter()
    for each in cases:
        case, facts = lived(each)
        ended = case.resolved_at or local("2020-12-17T17:00")
        late = case.due_at is not None and local_date(ended) > local_date(case.due_at)
        names = [event.type for event, _ in facts]
        assert names.count("case.overdue") == (1 if late else 0)
        outcomes.update(names, late=late)
    assert outcomes["late"] > 0
    expected = Counter(move.body.type for each in cases for move in each.commands)
    assert (outcomes["case.accepted"], outcomes["case.resolved"]) == (600, 560)
    assert outcomes["case.step_completed"] == expected["complete_step"]
    assert outcomes["case.returned"] == expected["return"]
