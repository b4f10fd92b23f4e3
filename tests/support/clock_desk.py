"""One case in the product's machine beside its sheet: whatever is said to one is said to the other, and both must agree."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

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
from shared.contracts.commands import Command
from shared.contracts.events import CaseAccepted, CaseEscalated, CaseEvent
from shared.contracts.words import Origin, Regime
from tests.support.clock_model import HOLDERS, Law, Line, Sheet
from tests.support.clock_says import ended, is_overdue, parts, sayings
from tests.support.life import AGENCY, NAME, days, procedure, submission
from tests.support.timing import Rules
from tests.support.wall_calendar import worked

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


class Desk:
    """The case, its history, and its sheet. `seen` counts what was compared."""

    def __init__(self, code: str, start: datetime) -> None:
        filed = submission(code, start)
        self.case = evolve(Case(), filed, start)._replace(origin=Origin.LIVE)
        self.history = [Recorded(uuid4(), filed, start)]
        self.lines: dict[UUID, Line] = {}
        self.sheet = Sheet(LAWS[code], [Line("submit", start)])
        self.now = start
        self.seen: Counter[str] = Counter()

    def correct(self, number: int, back: int, gap: timedelta) -> str | None:
        """Another time for a fact of the past: the sheet is changed, and everything counted again. What was corrected."""
        at = self.sheet.latest + gap
        self.pass_time(at)
        told = self.history[number % len(self.history)]
        line = self.lines.get(told.id)
        to = (line.at if line else told.occurred_at) - timedelta(minutes=back)
        command = ask.Correct(event_id=told.id, reason="typing_error", occurred_at=to)
        decided = decide(self.case, command, self.context(at, history=self.history))
        if self.sheet.status == 1:
            assert isinstance(decided, Rejected)
            assert decided.reason == "illegal_transition"
            return None
        allowed = line is not None and self.sheet.may_correct(line, at, to)
        assert isinstance(decided, list) == allowed, (decided, line)
        if not isinstance(decided, list) or line is None:
            return None
        line.at = to
        self.state(decided, at, None)
        self.sheet.take("correct", at, {})
        self.seen["corrections"] += 1
        return line.name

    def context(self, at: datetime, **changes: Any) -> Context:
        """A live command, told and decided at once, unless something is said otherwise."""
        told: dict[str, Any] = {"recorded_at": at, "now": at, "origin": Origin.LIVE, "agency": AGENCY} | changes
        return Context(occurred_at=at, calendar=CALENDAR, catalogue=RULES.catalogue, **told)

    def say(self, command: Command, gap: timedelta, ahead: int | None, agency: str = AGENCY) -> None:
        """Say a command to both; both carry it out, or refuse it for the same reason."""
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
        """Write into the history what the machine stated."""
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
        said = sayings(self.sheet, until, duties=True)
        assert (before is not None and before <= until) == bool(passed)
        assert [at for _, at in passed] == sorted(at for _, at in passed)
        assert sorted((at, name_of(each)) for each, at in passed) == sorted(said)
        for each, at in passed:
            self.history.append(Recorded(uuid4(), each, at))
            if each.type == "case.resolved":
                self.seen["silences"] += 1
                self.lines[self.history[-1].id] = self.sheet.log[-1]
        self.case = case

    def compare_state(self) -> None:
        """Status, due dates, deadlines and ends."""
        self.seen["due dates"] += 1
        case, sheet = self.case, self.sheet
        assert case.status == sheet.status
        assert (case.due_at, case.statutory_due_at) == (sheet.due(), sheet.due(statutory=True))
        assert (case.accepted_at, case.stopped_at) == (sheet.accepted, sheet.stopped)
        assert (case.answer_by, case.until, case.holder) == (sheet.answer_by, sheet.until, sheet.holder)
        ends = [line.at if line else None for line in (sheet.last("resolve"), sheet.last("return"))]
        assert [case.resolved_at, case.returned_at] == ends

    def compare_explanation(self) -> None:
        """Segments with their sums, where the clock stands, and what is left."""
        version = version_of(self.case, self.now, RULES.catalogue) if self.case.procedure_version else None
        said = explain(self.history, version, CALENDAR, self.now)
        expected = parts(self.sheet, self.now)
        assert [(each.from_at, each.to_at, each.running) for each in said.segments] == expected
        self.seen["segments"] += len(expected)
        for each in said.segments:
            assert each.elapsed_microseconds == (each.to_at - each.from_at) // MICROSECOND
            assert each.working_microseconds == worked(each.from_at, each.to_at) // MICROSECOND
        assert said.turnaround_microseconds == sum((part.end - part.start) // MICROSECOND for part in expected)
        position = said.position
        assert (position.due_at, position.statutory_due_at) == (self.sheet.due(), self.sheet.due(statutory=True))
        if self.sheet.accepted is None:
            assert position.state is ClockState.NOT_STARTED
            return
        assert position.overdue == is_overdue(self.sheet, self.now)
        due, running = self.sheet.due(), ended(self.sheet) is None and self.sheet.stopped is None
        assert (position.state is ClockState.RUNNING) == running
        left = worked(max(self.now, *(line.at for line in self.sheet.log)), due) // MICROSECOND if due else None
        assert position.working_left == (left if running and due and not position.overdue else None)
        assert said.statutory_count is None or said.statutory_count.complete
        assert said.count is None or said.count.complete or self.sheet.last("extend") is not None


def name_of(each: CaseEvent) -> str:
    """As the sheet names it."""
    if isinstance(each, CaseEscalated):
        return f"{each.reason}.{each.level}"
    return "silence" if each.type == "case.resolved" else each.type.removeprefix("case.")
