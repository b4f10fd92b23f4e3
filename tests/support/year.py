"""A past case lived through the rules of processing, without any service."""

from __future__ import annotations

from datetime import UTC, datetime

from deploy.history.plan import PastCase
from services.processing.domain.case import Case
from services.processing.domain.machine import Context, Rejected, decide, evolve
from services.processing.domain.timers import Passed, pass_time
from shared.contracts import events as fact
from shared.contracts.words import Channel, Kind, Origin
from tests.support.timing import RULES, local


def lived(past: PastCase) -> tuple[Case, list[Passed]]:
    """A past case after all its commands, each after what time had made before it, and all facts."""
    filed = fact.CaseSubmitted(
        agency="so-year", kind=Kind(past.filing["kind"]), procedure=past.filing["procedure"],
        channel=Channel(past.filing["channel"]),
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
