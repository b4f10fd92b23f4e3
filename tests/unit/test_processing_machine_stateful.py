"""Any sequence of commands, legal or not, leaves a case whose facts explain it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.processing.domain.case import TRANSITIONS, Case
from services.processing.domain.machine import Context, Rejected, decide, evolve
from shared.calendar import load_calendar
from shared.catalogue import load_catalogue
from shared.contracts import commands as ask
from shared.contracts.commands import Command
from shared.contracts.events import CaseEvent, CaseSubmitted, CommandRejected
from shared.contracts.words import Channel, Kind, Origin, Outcome, Rejection

AGENCY = "agency"
START = datetime(2020, 1, 2, 1, tzinfo=UTC)
COMMANDS = st.one_of(
    st.builds(ask.Accept, unit=st.sampled_from([None, "one-stop"])),
    st.builds(ask.Refuse, reason=st.just("incomplete")),
    st.builds(ask.CompleteStep, step=st.sampled_from(["examine", "approve"]), unit=st.sampled_from([None, "labour"])),
    st.sampled_from([ask.Forward(to_unit="labour"), ask.Forward(to_agency="tax")]),
    st.builds(ask.Resolve, outcome=st.sampled_from(Outcome)),
    st.builds(ask.Return, channel=st.sampled_from([Channel.COUNTER, Channel.POST])),
    st.builds(ask.Resume, reason=st.just("unlikely")),
)


class CaseLife(RuleBasedStateMachine):
    """One case under random commands; the facts are kept beside the state that they led to."""

    @initialize(procedure=st.sampled_from(["1.001806", "2.000189", "log.receipt", "0.unknown"]))
    def submit(self, procedure: str) -> None:
        event = CaseSubmitted(agency=AGENCY, kind=Kind.DOSSIER, procedure=procedure, channel=Channel.ONLINE, filed_at=START)
        self.facts: list[tuple[CaseEvent, datetime]] = [(event, START)]
        self.case = evolve(Case(), event, START)
        self.path = [self.case]

    @rule(command=COMMANDS, hours=st.integers(-30, 400), agency=st.sampled_from([AGENCY, AGENCY, AGENCY, "other"]))
    def command(self, command: Command, hours: int, agency: str) -> None:
        last = self.case.last_fact_at or START
        at = last + timedelta(hours=hours)
        decided = decide(self.case, command, Context(at, at, at, Origin.REPLAY, agency, load_calendar(), load_catalogue()))
        if isinstance(decided, Rejected):
            self._check_rejection(decided, hours, agency)
            return
        assert decided
        assert agency == AGENCY
        for event in decided:
            assert event.agency == AGENCY
            assert not isinstance(event, CommandRejected)
            self.facts.append((event, at))
            self.case = evolve(self.case, event, at)
            self.path.append(self.case)

    def _check_rejection(self, rejected: Rejected, hours: int, agency: str) -> None:
        if agency != AGENCY:
            assert rejected.reason is Rejection.WRONG_AGENCY
        elif rejected.reason is Rejection.OUT_OF_ORDER:
            assert hours < 0
        else:
            assert rejected.reason in {Rejection.ILLEGAL_TRANSITION, Rejection.NOT_SUPPORTED}

    @invariant()
    def the_status_moves_along_the_table_only(self) -> None:
        for before, case in zip(self.path, self.path[1:], strict=False):
            assert case.status in TRANSITIONS[before.status or 0]

    @invariant()
    def replaying_the_facts_gives_the_same_case(self) -> None:
        again = Case()
        for event, at in self.facts:
            again = evolve(again, type(event).model_validate_json(event.model_dump_json()), at)
        assert again == self.case
        assert len(self.path) == len(self.facts)

    @invariant()
    def a_return_implies_a_resolution_and_that_an_acceptance(self) -> None:
        times = [self.case.submitted_at, self.case.accepted_at, self.case.resolved_at, self.case.returned_at]
        known = [at for at in times if at is not None]
        assert times[: len(known)] == known
        assert known == sorted(known)

    @invariant()
    def times_never_go_back(self) -> None:
        happened = [at for _, at in self.facts]
        assert happened == sorted(happened)
        assert self.case.last_fact_at == happened[-1]

    @invariant()
    def a_due_date_comes_with_acceptance_and_stays(self) -> None:
        if self.case.accepted_at is None:
            assert self.case.due_at is None
        elif self.case.procedure in {"1.001806", "2.000189"}:
            assert self.case.due_at is not None
            assert self.case.due_at > self.case.accepted_at
        else:
            assert self.case.due_at is None


CaseLife.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestCaseLife = CaseLife.TestCase
