"""A whole simulated year through the rules: every command is carried out, and only late cases are overdue."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from deploy.history.plan import PastCase
from deploy.replay.driver import past_of
from deploy.replay.model import make_year
from deploy.replay.scenario import load_scenario
from services.processing.domain.case import Case
from services.processing.domain.machine import Context, Rejected, decide, evolve
from services.processing.domain.timers import Passed, pass_time
from shared.calendar import local_date
from shared.contracts import events as fact
from shared.contracts.words import Channel, Kind, Origin
from tests.support.timing import RULES, local


def test_a_simulated_year_is_carried_out_whole_and_only_its_late_cases_are_overdue() -> None:
    cases = [
        each for each in past_of(make_year(load_scenario(), 600, 560, 5, "so-year")).cases if each.filing["kind"] == "dossier"
    ]
    outcomes: Counter[str] = Counter()
    for each in cases:
        case, facts = _lived(each)
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


def _lived(past: PastCase) -> tuple[Case, list[Passed]]:
    """A past case after all its commands, each after what time had made before it, and all facts."""
    filed = fact.CaseSubmitted(
        agency="so-year", kind=Kind.DOSSIER, procedure=past.filing["procedure"], channel=Channel(past.filing["channel"]),
        filed_at=past.filed_at,
    )  # fmt: skip
    case, facts = evolve(Case(), filed, past.filed_at)._replace(origin="replay"), []
    for move in past.commands:
        at, now = move.occurred_at, datetime.now(UTC)
        case, passed = pass_time(case, at, RULES)
        decided = decide(case, move.body, Context(at, now, now, Origin.REPLAY, "so-year", RULES.calendar, RULES.catalogue))
        assert not isinstance(decided, Rejected), (move, decided)
        for event in decided:
            case = evolve(case, event, at)
        facts += [*passed, *((event, at) for event in decided)]
    case, passed = pass_time(case, local("2020-12-17T17:00"), RULES)
    return case, facts + passed
