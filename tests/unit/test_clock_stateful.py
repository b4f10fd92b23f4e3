"""Random commands at random times, with everything that time says between them, beside a sheet that is kept by hand.

After every step status, due dates, refusals, facts of time and the explanation's segments are those of the sheet, which knows the
law and a wall calendar and none of the product's code.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.processing.domain.case import Case
from services.processing.domain.clock import ClockState
from services.processing.domain.explanation import explain
from services.processing.domain.limits import version_of
from services.processing.domain.machine import Context, Rejected, decide, evolve
from services.processing.domain.timeline import Recorded
from services.processing.domain.timers import next_timer, pass_time
from shared.calendar import LimitUnit, load_calendar
from shared.catalogue import Catalogue
from shared.catalogue.conduct import AfterResult, Supplement
from shared.contracts import commands as ask
from shared.contracts.commands import COMMANDS, Command
from shared.contracts.events import CaseAccepted, CaseEvent, CaseEscalated, DueDateRecalculated
from shared.contracts.words import Channel, Origin, Outcome, Regime, StopKind
from tests.support.clock_model import HOLDERS, Law, Line, Sheet, worked
from tests.support.life import AGENCY, NAME, days, local, procedure, submission
from tests.support.timing import Rules

C, H = LimitUnit.CALENDAR_DAYS, LimitUnit.HOURS
EXTEND, SUBTRACT = Supplement(regime=Regime.EXTEND), Supplement(regime=Regime.SUBTRACT)
PROCEDURES = [
    procedure("c.restart", days(15), days(10)),
    procedure("c.extend", days(15), days(10), supplement=EXTEND),
    procedure("c.short", days(2), days(1), supplement=EXTEND),
    procedure("c.subtract", days(15), days(10), supplement=SUBTRACT),
    procedure("c.calendar", days(12, C), supplement=EXTEND),
    procedure("c.week", days(7, C), days(3), supplement=EXTEND),
    procedure("c.hours", days(12, H), supplement=EXTEND),
    procedure("c.sector", days(20), supplement=Supplement(within=days(10), until=days(30, C))),
    procedure("c.silent", days(7), silent_approval=True),
    procedure("c.silent_subtract", days(7), silent_approval=True, supplement=SUBTRACT),
    procedure("c.duty", days(10), after_result=AfterResult(step="publish", name=NAME, limit=days(2))),
    procedure("c.unknown", None),
]
LAWS = {
    "c.restart": Law((10, "w"), (15, "w")),
    "c.extend": Law((10, "w"), (15, "w"), "extend"),
    "c.short": Law((1, "w"), (2, "w"), "extend"),
    "c.subtract": Law((10, "w"), (15, "w"), "subtract"),
    "c.calendar": Law(None, (12, "c"), "extend"),
    "c.week": Law((3, "w"), (7, "c"), "extend"),
    "c.hours": Law(None, (12, "h"), "extend"),
    "c.sector": Law(None, (20, "w"), within=10, until=30),
    "c.silent": Law(None, (7, "w"), silent=True),
    "c.silent_subtract": Law(None, (7, "w"), "subtract", silent=True),
    "c.duty": Law(None, (10, "w"), duty=2),
    "c.unknown": Law(None, None),
    "9.nobody_knows": Law(None, None),
}
RULES = Rules(catalogue=Catalogue({each.code: each for each in PROCEDURES}, {each.code: "other" for each in PROCEDURES}, {}))
CALENDAR = load_calendar()
MICROSECOND = timedelta(microseconds=1)
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
    st.sampled_from(["2021-02-05 16:00", "2024-05-04 15:00", "2026-08-22 09:00", "2021-03-01 23:59", "2020-01-22 14:59"]).map(local),
)
SAYINGS: dict[str, st.SearchStrategy[Command]] = {
    "accept": st.builds(ask.Accept, unit=st.sampled_from([None, "one-stop"])),
    "refuse": st.builds(ask.Refuse, reason=st.just("incomplete")),
    "complete_step": st.builds(ask.CompleteStep, step=st.sampled_from(["examine", "publish"]), unit=st.just(None)),
    "forward": st.one_of(
        st.builds(ask.Forward, to_unit=st.just("labour"), share_half_days=st.one_of(st.none(), st.integers(1, 8))),
        st.builds(ask.Forward, to_agency=st.sampled_from(["tax", AGENCY]), share_half_days=st.one_of(st.none(), st.integers(1, 8))),
    ),
    "request_supplement": st.just(ask.RequestSupplement(documents=("request",), reason="incomplete")),
    "receive_supplement": st.just(ask.ReceiveSupplement()),
    "request_payment": st.builds(ask.RequestPayment, amount_vnd=st.sampled_from([100, 200])),
    "receive_payment": st.builds(ask.ReceivePayment, amount_vnd=st.sampled_from([100, 200])),
    "extend": st.builds(ask.Extend, new_due_at=st.just(local("2020-01-01 00:00")), reason=st.just("late"), apology=st.just("sorry")),
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


class ClockLife(RuleBasedStateMachine):
    """One case beside its sheet."""

    @initialize(procedure=st.sampled_from(sorted(LAWS)), start=STARTS)
    def submit(self, procedure: str, start: datetime) -> None:
        filed = submission(procedure, start)
        self.case = evolve(Case(), filed, start)._replace(origin=Origin.LIVE)
        self.history = [Recorded(uuid4(), filed, start)]
        self.lines: dict[UUID, Line] = {}
        self.sheet = Sheet(LAWS[procedure], [Line("submit", start)])
        self.now = start

    @rule(data=st.data(), gap=GAPS)
    def likely(self, data: st.DataObject, gap: timedelta) -> None:
        names = MOSTLY.get(self.sheet.status)
        if names:
            self.say(data.draw(SAYINGS[data.draw(st.sampled_from(names))]), gap, data.draw(AHEAD))

    @rule(command=st.sampled_from(sorted(SAYINGS)).flatmap(SAYINGS.__getitem__), gap=GAPS, ahead=AHEAD)
    def anything(self, command: Command, gap: timedelta, ahead: int | None) -> None:
        self.say(command, gap, ahead)

    @rule(command=st.sampled_from(sorted(SAYINGS)).flatmap(SAYINGS.__getitem__), agency=st.sampled_from(["police", "tax"]), gap=GAPS)
    def a_stranger(self, command: Command, agency: str, gap: timedelta) -> None:
        self.say(command, gap, None, agency=agency)

    @rule(
        command=st.sampled_from(sorted(SAYINGS)).flatmap(SAYINGS.__getitem__),
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
        at = self.case.last_fact_at
        assert at is not None
        context = self.context(at, recorded_at=at + late, now=at + late + waited)
        assert decide(self.case, command, context) == Rejected(reason)  # type: ignore[arg-type]

    @rule(command=st.sampled_from(sorted(SAYINGS)).flatmap(SAYINGS.__getitem__), early=st.integers(1, 10**9))
    def before_the_last_fact(self, command: Command, early: int) -> None:
        at = self.sheet.latest - early * MICROSECOND
        decided = decide(self.case, command, self.context(at))
        assert isinstance(decided, Rejected)
        assert decided.reason == "out_of_order"

    @rule(data=st.data(), gap=GAPS, back=st.integers(-60 * 24, 60 * 24 * 12))
    def correct(self, data: st.DataObject, gap: timedelta, back: int) -> None:
        """Another time for a fact of the past; the sheet is changed and everything counted again."""
        at = self.sheet.latest + gap
        self.pass_time(at)
        number = data.draw(st.integers(0, len(self.history) - 1))
        told = self.history[number]
        line = self.lines.get(told.id)
        to = (line.at if line else told.occurred_at) - timedelta(minutes=back)
        command = ask.Correct(event_id=told.id, reason="typing_error", occurred_at=to)
        decided = decide(self.case, command, self.context(at, history=self.history))
        if self.sheet.status == 1:
            assert decided == Rejected("illegal_transition", "from 1")  # type: ignore[arg-type]
            return
        allowed = line is not None and self.sheet.may_correct(line, at, to)
        assert isinstance(decided, list) == allowed, (decided, line)
        if isinstance(decided, list) and line is not None:
            event(f"corrected {line.name}")
            line.at = to
            self.state(decided, at, None)
            self.sheet.take("correct", at, {})

    # how it is done

    def context(self, at: datetime, **changes: Any) -> Context:
        told = {"recorded_at": at, "now": at, "origin": Origin.LIVE, "agency": AGENCY} | changes
        return Context(occurred_at=at, calendar=CALENDAR, catalogue=RULES.catalogue, **told)

    def say(self, command: Command, gap: timedelta, ahead: int | None, agency: str = AGENCY) -> None:
        at = self.sheet.latest + gap
        self.pass_time(at)
        command = self.aimed(command, at, ahead)
        told = command.model_dump()
        decided = decide(self.case, command, self.context(at, agency=agency))
        expected = self.sheet.refuses(command.type, at, told)
        if agency != AGENCY and not (agency == self.sheet.holder and command.type in HOLDERS):
            expected = "wrong_agency"
        assert (decided.reason.value if isinstance(decided, Rejected) else None) == expected, (command, at)
        if isinstance(decided, list):
            if command.type == "forward" and told["to_agency"] == AGENCY:
                told["to_agency"] = "own"
            self.sheet.take(command.type, at, told)
            self.state(decided, at, self.sheet.log[-1] if self.sheet.log[-1].at == at else None)

    def aimed(self, command: Command, at: datetime, ahead: int | None) -> Command:
        """With the deadlines that a command names drawn around the moment, or around the due date."""
        moment = None if ahead is None else at + timedelta(hours=ahead)
        if isinstance(command, ask.Extend):
            base = self.case.due_at if self.case.due_at and (ahead or 0) % 2 else at
            return command.model_copy(update={"new_due_at": base + timedelta(hours=ahead or 30)})
        if isinstance(command, ask.RequestSupplement | ask.RequestPayment):
            return command.model_copy(update={"until": moment})
        return command

    def state(self, decided: list[CaseEvent], at: datetime, line: Line | None) -> None:
        for each in decided:
            self.case = evolve(self.case, each, at)
            stated = each.model_copy(update={"code": "1"}) if isinstance(each, CaseAccepted) else each
            self.history.append(Recorded(uuid4(), stated, at))
            if line is not None and each.type in {"case.accepted", "case.resolved", "case.returned"}:
                self.lines[self.history[-1].id] = line

    def pass_time(self, until: datetime) -> None:
        """What time says until then is what the sheet says."""
        self.now = max(self.now, until)
        before = next_timer(self.case, RULES)
        case, passed = pass_time(self.case, until, RULES)
        said = self.sheet.pass_time(until, duties=True)
        assert (before is not None and before <= until) == bool(passed)
        assert [at for _, at in passed] == sorted(at for _, at in passed)
        assert sorted((at, name_of(each)) for each, at in passed) == sorted(said)
        for each, at in passed:
            self.history.append(Recorded(uuid4(), each, at))
            if each.type == "case.resolved":
                event("silence")
                self.lines[self.history[-1].id] = self.sheet.log[-1]
        self.case = case

    # what must hold

    @invariant()
    def the_sheet_says_the_same(self) -> None:
        case, sheet = self.case, self.sheet
        assert case.status == sheet.status
        assert (case.due_at, case.statutory_due_at) == (sheet.due(), sheet.due(statutory=True))
        assert (case.accepted_at, case.stopped_at) == (sheet.accepted, sheet.stopped)
        assert (case.answer_by, case.until, case.holder) == (sheet.answer_by, sheet.until, sheet.holder)
        ends = [line.at if line else None for line in (sheet.last("resolve"), sheet.last("return"))]
        assert [case.resolved_at, case.returned_at] == ends

    @invariant()
    def the_explanation_is_the_sheets(self) -> None:
        version = version_of(self.case, self.now, RULES.catalogue) if self.case.procedure_version else None
        said = explain(self.history, version, CALENDAR, self.now)
        parts = self.sheet.parts(self.now)
        assert [(each.from_at, each.to_at, each.running) for each in said.segments] == parts
        for each in said.segments:
            assert each.elapsed_microseconds == (each.to_at - each.from_at) // MICROSECOND
            assert each.working_microseconds == worked(each.from_at, each.to_at) // MICROSECOND
        assert said.turnaround_microseconds == sum((part.end - part.start) // MICROSECOND for part in parts)
        position = said.position
        assert (position.due_at, position.statutory_due_at) == (self.sheet.due(), self.sheet.due(statutory=True))
        if self.sheet.accepted is None:
            assert position.state is ClockState.NOT_STARTED
            return
        assert position.overdue == self.sheet.is_overdue(self.now)
        due, running = self.sheet.due(), self.sheet.ended() is None and self.sheet.stopped is None
        assert (position.state is ClockState.RUNNING) == running
        left = worked(max(self.now, *(line.at for line in self.sheet.log)), due) // MICROSECOND if due else None
        assert position.working_left == (left if running and due and not position.overdue else None)
        assert all(count.complete for count in (said.count, said.statutory_count) if count)


def name_of(each: CaseEvent) -> str:
    """As the sheet names it."""
    if isinstance(each, CaseEscalated):
        return f"{each.reason}.{each.level}"
    return "silence" if each.type == "case.resolved" else each.type.removeprefix("case.")


def test_every_command_takes_part() -> None:
    assert set(SAYINGS) | {"correct"} == set(COMMANDS)
    assert DueDateRecalculated.type == "case.due_date_recalculated"


ClockLife.TestCase.settings = settings(
    max_examples=120, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestClockLife = ClockLife.TestCase
