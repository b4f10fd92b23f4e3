"""Random commands at random times, with everything that time says between them, beside a sheet that is kept by hand.

After every step status, due dates, refusals, facts of time and the explanation's segments are those of the sheet, which knows the
law and a wall calendar and none of the product's code.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.processing.domain.machine import Rejected, decide
from shared.contracts import commands as ask
from shared.contracts.commands import COMMANDS, Command
from shared.contracts.words import Channel, ContactVia, Outcome, StopKind
from tests.support.clock_desk import LAWS, MICROSECOND, Desk
from tests.support.clock_model import STAYS_TRUE
from tests.support.life import AGENCY, local

AHEAD = st.one_of(st.none(), st.integers(-20, 400))
"""Hours from the command to a deadline that it names."""
GAPS = st.one_of(
    st.integers(0, 40).map(lambda each: timedelta(minutes=30 * each)),
    st.integers(0, 15).map(lambda each: timedelta(days=each)),
    st.integers(0, 24 * 60 * 20).map(lambda each: timedelta(minutes=each)),
    st.integers(0, 60).map(lambda each: timedelta(seconds=each, microseconds=7 * each)),
)
STARTS = st.one_of(
    st.integers(0, 7 * 365 * 24 * 4).map(lambda each: local("2020-01-02 00:00") + timedelta(minutes=15 * each)),
    st.sampled_from(["2021-02-05 16:00", "2024-05-04 15:00", "2026-08-22 09:00", "2021-03-01 23:59", "2020-01-22 14:59"]).map(
        local
    ),
)
SHARES = st.one_of(st.none(), st.integers(1, 8))
ANYBODY = st.sampled_from(["tax", AGENCY])
SAYINGS: dict[str, st.SearchStrategy[Command]] = {
    "accept": st.builds(ask.Accept, unit=st.sampled_from([None, "one-stop"])),
    "refuse": st.builds(ask.Refuse, reason=st.just("incomplete")),
    "complete_step": st.builds(ask.CompleteStep, step=st.sampled_from(["examine", "publish"]), unit=st.just(None)),
    "forward": st.one_of(
        st.builds(ask.Forward, to_unit=st.just("labour"), share_half_days=SHARES),
        st.builds(ask.Forward, to_agency=ANYBODY, share_half_days=st.one_of(st.none(), st.integers(1, 8))),
    ),
    "request_supplement": st.just(ask.RequestSupplement(documents=("request",), reason="incomplete")),
    "receive_supplement": st.just(ask.ReceiveSupplement()),
    "request_payment": st.builds(ask.RequestPayment, amount_vnd=st.sampled_from([100, 200])),
    "receive_payment": st.builds(ask.ReceivePayment, amount_vnd=st.sampled_from([100, 200])),
    "extend": st.builds(
        ask.Extend, new_due_at=st.just(local("2020-01-01 00:00")), reason=st.just("late"), apology=st.just("sorry")
    ),
    "escalate": st.builds(ask.Escalate, level=st.integers(1, 4)),
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
MOSTLY = {
    1: ("accept", "accept", "accept", "request_supplement"),
    2: ("complete_step", "request_supplement", "request_payment", "extend", "stop", "resolve", "request_withdrawal"),
    4: ("request_supplement", "request_payment", "extend", "stop", "resolve", "forward", "request_withdrawal"),
    5: ("receive_supplement", "receive_supplement", "accept", "request_withdrawal", "stop"),
    6: ("receive_payment", "receive_payment", "resolve", "stop"),
    7: ("resume", "resume", "stop"),
    8: ("resume",),
    9: ("return", "reopen", "complete_step"),
    10: ("reopen", "complete_step"),
}
"""What is likely to be allowed; the other rules say anything at any time."""


ANY_COMMAND = st.sampled_from(sorted(SAYINGS)).flatmap(SAYINGS.__getitem__)


class ClockLife(RuleBasedStateMachine):
    """One case beside its sheet."""

    @initialize(procedure=st.sampled_from(sorted(LAWS)), start=STARTS)
    def submit(self, procedure: str, start: datetime) -> None:
        self.desk = Desk(procedure, start)

    @rule(data=st.data(), gap=GAPS)
    def likely(self, data: st.DataObject, gap: timedelta) -> None:
        names = MOSTLY.get(self.desk.sheet.status)
        if names:
            self.desk.say(data.draw(SAYINGS[data.draw(st.sampled_from(names))]), gap, data.draw(AHEAD))

    @rule(command=ANY_COMMAND, gap=GAPS, ahead=AHEAD)
    def anything(self, command: Command, gap: timedelta, ahead: int | None) -> None:
        self.desk.say(command, gap, ahead)

    @rule(command=ANY_COMMAND, agency=st.sampled_from(["police", "tax"]), gap=GAPS)
    def a_stranger(self, command: Command, agency: str, gap: timedelta) -> None:
        self.desk.say(command, gap, None, agency=agency)

    @rule(
        command=ANY_COMMAND,
        wrong=st.sampled_from(
            [
                (timedelta(minutes=-301), timedelta(), "in_the_future"),
                (timedelta(minutes=6), timedelta(), "past_not_allowed"),
                (timedelta(), timedelta(days=14, seconds=1), "expired"),
            ]
        ),
    )
    def at_a_wrong_time(self, command: Command, wrong: tuple[timedelta, timedelta, str]) -> None:
        """Told too late, waiting too long, or from a clock that is ahead."""
        late, waited, reason = wrong
        at = self.desk.case.last_fact_at
        assert at is not None
        context = self.desk.context(at, recorded_at=at + late, now=at + late + waited)
        assert decide(self.desk.case, command, context) == Rejected(reason)  # type: ignore[arg-type]

    @rule(command=ANY_COMMAND, early=st.integers(1, 10**9))
    def before_the_last_fact(self, command: Command, early: int) -> None:
        at = self.desk.sheet.latest - early * MICROSECOND
        decided = decide(self.desk.case, command, self.desk.context(at))
        expected = self.desk.sheet.refuses(command.type, at, {}) if command.type in STAYS_TRUE else "out_of_order"
        assert (decided.reason.value if isinstance(decided, Rejected) else None) == expected

    @rule(number=st.integers(0, 30), gap=GAPS, back=st.integers(-60 * 24, 60 * 24 * 12))
    def correct(self, number: int, gap: timedelta, back: int) -> None:
        corrected = self.desk.correct(number, back, gap)
        if corrected:
            event(f"corrected {corrected}")

    @invariant()
    def the_sheet_says_the_same(self) -> None:
        self.desk.compare_state()
        self.desk.compare_explanation()


def test_every_command_takes_part() -> None:
    assert set(SAYINGS) | {"correct"} == set(COMMANDS)


ClockLife.TestCase.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
TestClockLife = ClockLife.TestCase
