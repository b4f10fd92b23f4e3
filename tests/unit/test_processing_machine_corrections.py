"""A corrected acceptance leaves what the same life would have left, had it begun at the true time."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from services.processing.domain.case import Case
from services.processing.domain.machine import Context, decide, evolve
from services.processing.domain.timeline import Recorded
from shared.calendar import load_calendar
from shared.contracts import commands as ask
from shared.contracts.commands import Command
from shared.contracts.events import CaseAccepted, CaseCorrected, CaseResolved
from shared.contracts.words import Origin, Outcome, StopKind
from tests.support.life import AGENCY, KNOWN, local, submission

FILED = local("2020-12-28 08:00")
WORK: list[Command] = [
    ask.RequestSupplement(documents=("request",), reason="incomplete"),
    ask.ReceiveSupplement(),
    ask.RequestPayment(amount_vnd=100),
    ask.ReceivePayment(amount_vnd=100),
    ask.Stop(stop_kind=StopKind.SUSPENDED, reason="awaiting_court_decision"),
    ask.RequestWithdrawal(),
    ask.Resume(reason="obstacle_removed"),
    ask.CompleteStep(step="examine"),
    ask.Resolve(outcome=Outcome.GRANTED),
    ask.Reopen(reason="wrong_result"),
]
PROCEDURES = ["t.restart", "t.extend", "t.subtract", "t.calendar", "t.hours", "t.unknown"]


class Life:
    """A case and its history; what is illegal is left out."""

    def __init__(self, procedure: str) -> None:
        event = submission(procedure, FILED)
        self.case = evolve(Case(), event, FILED)
        self.history = [Recorded(uuid4(), event, FILED)]

    def take(self, command: Command, at: datetime) -> bool:
        context = Context(at, at, at, Origin.IMPORT, AGENCY, load_calendar(), KNOWN, self.history)
        decided = decide(self.case, command, context)
        for event in decided if isinstance(decided, list) else ():
            self.case = evolve(self.case, event, at)
            self.history.append(Recorded(uuid4(), event, at))
        return isinstance(decided, list)


@settings(max_examples=150, deadline=None)
@given(
    procedure=st.sampled_from(PROCEDURES),
    really=st.integers(0, 200),
    wrongly=st.integers(0, 200),
    way=st.lists(st.tuples(st.sampled_from(WORK), st.integers(0, 150)), max_size=10),
)
def test_a_corrected_life_is_the_true_one(procedure: str, really: int, wrongly: int, way: list[tuple[Command, int]]) -> None:
    true, told = Life(procedure), Life(procedure)
    true.take(ask.Accept(), FILED + timedelta(hours=really))
    told.take(ask.Accept(), FILED + timedelta(hours=wrongly))
    at = FILED + timedelta(hours=max(really, wrongly))
    for command, hours in way:
        at += timedelta(hours=hours)
        assert true.take(command, at) == told.take(command, at)
    accepted = next(each.id for each in told.history if isinstance(each.event, CaseAccepted))
    correction = ask.Correct(event_id=accepted, reason="wrong_date_entered", occurred_at=FILED + timedelta(hours=really))
    assert told.take(correction, at)
    names = ("status", "accepted_at", "clock_from", "due_at", "statutory_due_at", "stopped_at", "resolved_at", "duty_by")
    assert [getattr(told.case, name) for name in names] == [getattr(true.case, name) for name in names]
    corrected = told.history[-1].event
    assert isinstance(corrected, CaseCorrected)
    if true.case.resolved_at is not None:
        resolved = [each.event for each in true.history if isinstance(each.event, CaseResolved)][-1]
        assert (corrected.timeliness, corrected.statutory_timeliness) == (resolved.timeliness, resolved.statutory_timeliness)
