"""One case as somebody with the law, a wall calendar and a pencil keeps it: every day is looked at, and only a log is kept.

It shares the table of days with the product and nothing else. Whatever it says is worked out from the log anew each time, so that
a corrected line needs no rule of its own. Sources: Civil Code 2015 art. 147-148, Decree 61/2018/NĐ-CP art. 11, 17-21.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from tests.support.wall_calendar import DAY, ZONE, add_worked, clock, crossed, nth, on, rolled, works


class Law(NamedTuple):
    """What a procedure says: limits as (count, unit of w, c, h), what a supplement does, and until when it may be asked for."""

    committed: tuple[int, str] | None
    statutory: tuple[int, str] | None
    regime: str = "restart"
    within: int = 3
    until: int | None = None
    silent: bool = False
    duty: int | None = None


@dataclass
class Line:
    """One line of the log."""

    name: str
    at: datetime
    told: dict[str, Any] = field(default_factory=dict)


HALTS = {"request_supplement", "request_payment", "request_withdrawal", "stop"}
GOES = {"receive_supplement", "receive_payment", "resume", "resolve"}
KEPT = HALTS | GOES | {"submit", "accept", "extend", "return", "reopen", "refuse"}
NEXT: dict[str, dict[int, int]] = {
    "accept": {1: 2, 5: 2}, "refuse": {1: 3}, "complete_step": {2: 4, 4: 4, 9: 9, 10: 10}, "forward": {2: 4, 4: 4},
    "request_supplement": {1: 5, 2: 5, 4: 5}, "receive_supplement": {5: 4}, "request_payment": {2: 6, 4: 6},
    "receive_payment": {6: 4}, "extend": {2: 2, 4: 4}, "request_withdrawal": {1: 7, 2: 7, 4: 7, 5: 7, 6: 7},
    "stop": {2: 8, 4: 8, 5: 8, 6: 8, 7: 8}, "resume": {7: 4, 8: 4}, "resolve": {2: 9, 4: 9, 6: 9}, "return": {9: 10},
    "reopen": {9: 4, 10: 4}, "rate": {3: 3, 9: 9, 10: 10},
}  # fmt: skip
BESIDE = {"escalate": 2, "record_cause": 2, "reach_milestone": 2, "correct": 2, "link": 1, "record_contact": 1}
STAYS_TRUE = {"record_contact", "rate", "link"}
"""What is told beside the log: it has no place in its order."""
HOLDERS = {"complete_step", "forward", "record_cause", "reach_milestone"}


@dataclass
class Sheet:
    """The sheet of one case."""

    law: Law
    log: list[Line]
    status: int = 1
    unit: str | None = None
    holder: str | None = None
    answer_by: datetime | None = None
    asked_at: datetime | None = None
    until: datetime | None = None
    fee: int | None = None
    duty_done: bool = False
    said: set[tuple[Any, ...]] = field(default_factory=set)

    # what the log says

    def last(self, name: str) -> Line | None:
        """The latest line of a name that still holds."""
        lines = [line for line in self.log if line.name in {name, "reopen"}]
        if name in {"resolve", "return"}:
            return lines[-1] if lines and lines[-1].name != "reopen" else None
        return next((line for line in reversed(lines) if line.name == name), None)

    @property
    def accepted(self) -> datetime | None:
        """When it was."""
        line = self.last("accept")
        return line.at if line else None

    def __post_init__(self) -> None:
        """`latest` is when something last happened to it, as it was said then."""
        self.latest = self.log[0].at

    @property
    def stopped(self) -> datetime | None:
        """Since when it stands still."""
        since: datetime | None = None
        for line in self.log if self.accepted else ():
            if line.name in HALTS:
                since = since or line.at
            elif line.name in GOES | {"accept"}:
                since = None
        return since

    def due(self, *, statutory: bool = False) -> datetime | None:
        """The due date, worked out from the first line on."""
        law = self.law.statutory if statutory else self.law.committed or self.law.statutory
        started = self.accepted
        if law is None or started is None:
            return None
        count, unit = law
        due, walked, gaps = self._end(started, count, unit), True, list[tuple[date, date]]()
        for line, since in self._moves():
            if line.name == "extend":
                due, walked = (due, walked) if statutory else (_appointed(line.told["new_due_at"]), False)
            elif line.name == "receive_supplement" and self.law.regime == "restart":
                started, due, walked, gaps = line.at, self._end(line.at, count, unit), True, []
            elif line.name != "receive_supplement" or self.law.regime == "extend":
                if unit == "h":
                    due = line.at + (due - since) if since <= due else due
                elif on(since) <= on(due) and on(since) < on(line.at):
                    gaps.append((on(since), on(line.at)))
                    walked = walked and on(since) < on(due)
                    due = self._walk(started, count, gaps) if walked and unit == "w" else _push(due, *gaps[-1], unit)
        return due

    def _moves(self) -> Iterator[tuple[Line, datetime]]:
        """What moves the due date: new appointments, and the ends of standstills with their beginnings."""
        since: datetime | None = None
        begun = False
        for line in self.log:
            begun = begun or line.name == "accept"
            if begun and line.name in HALTS:
                since = since or line.at
            elif since and line.name in GOES:
                yield line, since
                since = None
            elif line.name == "extend":
                yield line, line.at

    @staticmethod
    def _end(start: datetime, count: int, unit: str) -> datetime:
        return start + timedelta(hours=count) if unit == "h" else clock(nth(on(start), count, unit))

    @staticmethod
    def _walk(start: datetime, count: int, gaps: list[tuple[date, date]]) -> datetime:
        """Cross out the days on which the clock ran."""
        day = on(start)
        while count:
            day += DAY
            count -= works(day) and not any(first < day <= last for first, last in gaps)
        return clock(day)

    # what is refused

    def refuses(self, name: str, at: datetime, told: dict[str, Any]) -> str | None:
        """The reason in the contract's words; None when it may be done."""
        if name in BESIDE:
            if self.status < BESIDE[name]:
                return "illegal_transition"
            if name == "escalate" and self.due() is None:
                return "no_due_date"
            return "not_supported" if name == "reach_milestone" else None
        if name == "request_withdrawal" and self.status > 8:
            return "decision_exists"
        if self.status not in NEXT[name]:
            return "illegal_transition"
        return getattr(self, f"_no_{name}", lambda _at, _told: None)(at, told)

    def _no_accept(self, _at: datetime, _told: dict[str, Any]) -> str | None:
        return "illegal_transition" if self.accepted else None

    def _no_complete_step(self, _at: datetime, told: dict[str, Any]) -> str | None:
        owed = self.law.duty and not self.duty_done and self.is_granted() and told["step"] == "publish"
        return "illegal_transition" if self.status > 8 and not owed else None

    def is_granted(self) -> bool:
        """Whether there is a result to publish."""
        line = self.last("resolve")
        return line is not None and line.told.get("outcome") in {"granted", "answered"}

    def _no_request_supplement(self, at: datetime, told: dict[str, Any]) -> str | None:
        if self.last("request_supplement"):
            return "supplement_used"
        if self.accepted and on(at) > nth(on(self.accepted), self.law.within):
            return "supplement_too_late"
        return "not_later" if told["until"] and told["until"] <= at else None

    def _no_receive_supplement(self, _at: datetime, _told: dict[str, Any]) -> str | None:
        return None if self.accepted else "illegal_transition"

    def _no_request_payment(self, at: datetime, told: dict[str, Any]) -> str | None:
        return "not_later" if told["until"] and told["until"] <= at else None

    def _no_receive_payment(self, _at: datetime, told: dict[str, Any]) -> str | None:
        return None if told["amount_vnd"] == self.fee else "wrong_amount"

    def _no_extend(self, at: datetime, told: dict[str, Any]) -> str | None:
        if self.last("extend"):
            return "extension_used"
        due, new = self.due(), told["new_due_at"]
        if due is None:
            return "no_due_date"
        return "not_later" if on(new) <= on(due) or on(new) < on(at) else None

    def _no_stop(self, _at: datetime, told: dict[str, Any]) -> str | None:
        kind = told["stop_kind"]
        wrong = (kind == "withdrawn") != (self.status == 7) or (kind == "suspended" and not self.accepted)
        return "illegal_transition" if wrong else None

    def _no_resume(self, _at: datetime, _told: dict[str, Any]) -> str | None:
        return None if self.accepted else "illegal_transition"

    def _no_resolve(self, _at: datetime, told: dict[str, Any]) -> str | None:
        return "reason_missing" if told["outcome"] == "refused" and told["reason"] is None else None

    def _no_forward(self, at: datetime, told: dict[str, Any]) -> str | None:
        due = self.due()
        ends = self.share(at, told)
        return "share_too_long" if due and ends and ends > due else None

    @staticmethod
    def share(at: datetime, told: dict[str, Any]) -> datetime | None:
        """When another's share of the limit ends: four hours of counter time to a half day."""
        halves = told["share_half_days"]
        return add_worked(at, timedelta(hours=4 * halves)) if halves else None

    # what is done

    def take(self, name: str, at: datetime, told: dict[str, Any]) -> None:
        """Write it down."""
        before = self.status
        if name in STAYS_TRUE:
            return
        if name == "escalate":
            self.said.add(("overdue", told["level"], self.due()))
            return
        self._assign(name, at, told)
        self._wait(name, at, told)
        self.status = NEXT.get(name, {}).get(before, before)
        if name in KEPT:
            self.log.append(Line(name, at, told))
        self.latest = at

    def _assign(self, name: str, at: datetime, told: dict[str, Any]) -> None:
        """Who works on it, and until when another has to answer."""
        if name == "forward":
            self.unit, self.answer_by, self.asked_at = told["to_unit"], self.share(at, told), at
            self.holder = {None: self.holder, "own": None}.get(told["to_agency"], told["to_agency"])
        elif name in {"accept", "complete_step"} and self.status < 9:
            self.unit, self.answer_by = told["unit"] or self.unit, None
        elif name == "complete_step":
            self.duty_done = True
        elif name in {"resolve", "reopen"}:
            self.duty_done, self.answer_by = False, None

    def _wait(self, name: str, at: datetime, told: dict[str, Any]) -> None:
        """What the applicant is waited for, and until when."""
        if name == "request_payment":
            self.fee, self.until = told["amount_vnd"], told["until"]
        elif name == "request_supplement":
            default = clock(nth(on(at), self.law.until, "c")) if self.law.until else None
            self.until = told["until"] or default
        elif name in HALTS | GOES or (name == "accept" and self.status == 5):
            self.fee, self.until = None, None

    # corrections

    def may_correct(self, line: Line, at: datetime, to: datetime) -> bool:
        """The acceptance, the resolution and the return that hold, without passing another line of the clock."""
        if line.name not in {"accept", "resolve", "return"} or self.last(line.name) is not line:
            return False
        place = next(number for number, each in enumerate(self.log) if each is line)
        before, after = self.log[place - 1], self.log[place + 1 :]
        if line.name == "resolve" and before.name in HALTS:
            return False
        return before.at <= to <= min([each.at for each in after[:1]] + [at])


def _appointed(at: datetime) -> datetime:
    """A new appointment; nobody can be invited to a closed counter (Civil Code art. 148.5)."""
    return datetime.combine(rolled(on(at)), at.astimezone(ZONE).time(), tzinfo=ZONE)


def _push(due: datetime, first: date, last: date, unit: str) -> datetime:
    """Days that were left when the clock stopped are left when it goes on."""
    left = crossed(first, on(due), unit)
    return datetime.combine(nth(last, left, unit), due.astimezone(ZONE).time(), tzinfo=ZONE)
