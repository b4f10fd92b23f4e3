"""Any sequence of commands, legal or not, goes as a naive machine says, and leaves a case whose facts explain it."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.processing.domain.case import TRANSITIONS, Case
from services.processing.domain.machine import Context, Rejected, decide, evolve
from shared.calendar import load_calendar
from shared.contracts import commands as ask
from shared.contracts.commands import COMMANDS, Command
from shared.contracts.events import CaseEscalated, CaseEvent, CaseLinked, CaseRated, CommandRejected, ContactRecorded
from shared.contracts.words import Channel, ContactVia, Origin, Outcome, Rejection, StopKind
from tests.support.life import AGENCY, KNOWN, local, submission
from tests.support.naive import Limit, Naive

STARTS = st.integers(0, 6 * 365 * 24).map(lambda hour: local("2020-01-02 00:00") + timedelta(hours=hour))
SOME_DAY = local("2020-01-17 17:00")
"""Appointments are drawn as days after it, and moved to the case's own beginning."""
LONG = Limit(10, "w"), Limit(15, "w")
MODELS: dict[str, tuple[tuple[Limit | None, Limit | None], str, int]] = {
    "t.restart": (LONG, "restart", 3),
    "t.extend": (LONG, "extend", 3),
    "t.subtract": (LONG, "subtract", 3),
    "t.calendar": ((Limit(12, "c"), Limit(12, "c")), "extend", 3),
    "t.hours": ((Limit(12, "h"), Limit(12, "h")), "extend", 3),
    "t.sector": ((Limit(20, "w"), Limit(20, "w")), "restart", 10),
    "t.unknown": ((None, None), "restart", 3),
    "0.nobody_knows": ((None, None), "restart", 3),
}
LATER = st.integers(0, 60).map(lambda day: SOME_DAY + timedelta(days=day * 5))
SAYINGS: dict[str, st.SearchStrategy[Command]] = {
    "accept": st.builds(ask.Accept, unit=st.sampled_from([None, "one-stop"])),
    "refuse": st.builds(ask.Refuse, reason=st.just("incomplete")),
    "complete_step": st.builds(ask.CompleteStep, step=st.just("examine"), unit=st.sampled_from([None, "labour"])),
    "forward": st.sampled_from([ask.Forward(to_unit="labour"), ask.Forward(to_agency="tax"), ask.Forward(to_agency=AGENCY)]),
    "request_supplement": st.just(ask.RequestSupplement(documents=("request",), reason="incomplete")),
    "receive_supplement": st.just(ask.ReceiveSupplement()),
    "request_payment": st.builds(ask.RequestPayment, amount_vnd=st.sampled_from([100, 200])),
    "receive_payment": st.builds(ask.ReceivePayment, amount_vnd=st.sampled_from([100, 200])),
    "extend": st.builds(ask.Extend, new_due_at=LATER, reason=st.just("overload"), apology=st.just("sorry")),
    "escalate": st.builds(ask.Escalate, level=st.integers(1, 3)),
    "request_withdrawal": st.just(ask.RequestWithdrawal()),
    "stop": st.builds(ask.Stop, stop_kind=st.sampled_from(StopKind), reason=st.just("no_answer")),
    "resume": st.just(ask.Resume(reason="obstacle_removed")),
    "resolve": st.builds(ask.Resolve, outcome=st.sampled_from(Outcome), reason=st.sampled_from([None, "not_eligible"])),
    "return": st.builds(ask.Return, channel=st.sampled_from([Channel.COUNTER, Channel.POST])),
    "reopen": st.just(ask.Reopen(reason="wrong_result")),
    "record_cause": st.just(ask.RecordCause(cause="overload")),
    "reach_milestone": st.just(ask.ReachMilestone(milestone="half", percent=50)),
    "link": st.just(ask.Link(other_case_id=UUID(int=1), reason="same_applicant")),
    "record_contact": st.builds(ask.RecordContact, via=st.sampled_from(ContactVia), source=st.just("ticket-1022")),
    "rate": st.builds(ask.Rate, score=st.integers(1, 5)),
}
WORKING_COMMANDS = ("accept", "complete_step", "request_supplement", "receive_supplement", "request_payment", "receive_payment")


class CaseLife(RuleBasedStateMachine):
    """One case under random commands, beside its naive model; the facts are kept beside the state that they led to."""

    @initialize(procedure=st.sampled_from(sorted(MODELS)), start=STARTS)
    def submit(self, procedure: str, start: datetime) -> None:
        event = submission(procedure, start)
        self.start = start
        self.facts: list[tuple[CaseEvent, datetime]] = [(event, start)]
        self.case = evolve(Case(), event, start)
        self.path = [self.case]
        self.naive = Naive(*MODELS[procedure])

    @rule(command=st.sampled_from(sorted(SAYINGS)).flatmap(SAYINGS.__getitem__), hours=st.integers(-30, 200))
    def any_command(self, command: Command, hours: int) -> None:
        self.command(command, hours)

    @rule(command=st.sampled_from(WORKING_COMMANDS).flatmap(SAYINGS.__getitem__), hours=st.integers(0, 30))
    def work(self, command: Command, hours: int) -> None:
        self.command(command, hours)

    def command(self, command: Command, hours: int) -> None:
        at = (self.case.last_fact_at or self.start) + timedelta(hours=hours)
        if isinstance(command, ask.Extend):
            command = command.model_copy(update={"new_due_at": self.start + (command.new_due_at - SOME_DAY)})
        decided = decide(self.case, command, Context(at, at, at, Origin.REPLAY, AGENCY, load_calendar(), KNOWN))
        told = command.model_dump()
        out_of_order = hours < 0 and command.type not in {"record_contact", "rate", "link"}
        expected = "out_of_order" if out_of_order else self.naive.refuses(command.type, at, told)
        if isinstance(decided, Rejected):
            assert decided.reason.value == expected
            return
        assert expected is None, expected
        assert decided
        for event in decided:
            assert event.agency == AGENCY
            assert not isinstance(event, CommandRejected)
            self.facts.append((event, at))
            self.case = evolve(self.case, event, at)
        self.path.append(self.case)
        self.naive.take(command.type, at, told)

    @rule(command=st.sampled_from(sorted(SAYINGS)).flatmap(SAYINGS.__getitem__), agency=st.sampled_from(["police", "tax"]))
    def a_stranger(self, command: Command, agency: str) -> None:
        """Another agency works on what it holds, and decides nothing."""
        at = self.case.last_fact_at or self.start
        decided = decide(self.case, command, Context(at, at, at, Origin.LIVE, agency, load_calendar(), KNOWN))
        if isinstance(decided, Rejected) and decided.reason is Rejection.WRONG_AGENCY:
            return
        assert self.case.holder == agency
        assert command.type in {"complete_step", "forward", "record_cause", "reach_milestone"}

    @invariant()
    def the_naive_machine_agrees(self) -> None:
        assert self.case.status == self.naive.status
        assert [self.case.due_at, self.case.statutory_due_at] == self.naive.due
        assert self.case.stopped_at == self.naive.stopped

    def teardown(self) -> None:
        """The whole story, once it is over."""
        if not hasattr(self, "case"):
            return
        again = Case()
        for event, at in self.facts:
            again = evolve(again, type(event).model_validate_json(event.model_dump_json()), at)
        assert again == self.case
        for before, case in pairwise(self.path):
            assert case.status == before.status or case.status in TRANSITIONS[before.status or 0]
        happened = [
            at for event, at in self.facts if not isinstance(event, CaseEscalated | CaseRated | ContactRecorded | CaseLinked)
        ]
        assert happened == sorted(happened)
        known = [self.case.submitted_at, self.case.accepted_at, self.case.resolved_at, self.case.returned_at]
        told = [at for at in known if at is not None]
        assert told == sorted(told)

    @invariant()
    def only_a_stopped_case_stands_still_and_only_an_accepted_one_has_a_code(self) -> None:
        standing = self.case.status in {5, 6, 7, 8} and self.case.accepted_at is not None
        assert (self.case.stopped_at is not None) == standing
        assert (self.case.payment_vnd is not None) == (self.case.status == 6)
        assert (self.case.stop_kind is not None) == (self.case.status == 8)
        assert self.case.accepted_at is not None or self.case.status in {1, 3, 5, 7, 8}


def test_every_command_but_a_correction_takes_part() -> None:
    assert set(SAYINGS) | {"correct"} == set(COMMANDS)


CaseLife.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestCaseLife = CaseLife.TestCase
