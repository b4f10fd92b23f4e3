"""One case as somebody with the law, a wall calendar and a pencil keeps it: every day is looked at, nothing is remembered but a log.

It shares the table of days with the product and nothing else. Whatever it says is worked out from the log anew each time, so that
a corrected line needs no rule of its own. Sources: Civil Code 2015 art. 147-148, Decree 61/2018/NĐ-CP art. 11, 17-21.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from importlib import resources
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DAY = timedelta(days=1)
SPANS = (time(7), time(11, 30)), (time(13, 30), time(17))
TABLE = resources.files("shared.calendar").joinpath("days.csv").read_text(encoding="utf-8").splitlines()
EXCEPTIONS = {date.fromisoformat(row["date"]): row["kind"] == "WORK" for row in csv.DictReader(TABLE)}

# --- the wall calendar ----------------------------------------------------------------------------------


def works(day: date) -> bool:
    """Whether anybody works."""
    return EXCEPTIONS.get(day, day.weekday() < 5)


def on(at: datetime) -> date:
    """The local date."""
    return at.astimezone(ZONE).date()


def clock(day: date, hour: time = time(17)) -> datetime:
    """A local moment."""
    return datetime.combine(day, hour, tzinfo=ZONE)


def midnight(day: date) -> datetime:
    """When a day begins."""
    return clock(day, time(0))


def days(first: date, last: date) -> Iterator[date]:
    """Each day after the first through the last."""
    while first < last:
        first += DAY
        yield first


def rolled(day: date) -> date:
    """The same day, or the next on which somebody works."""
    while not works(day):
        day += DAY
    return day


def nth(day: date, count: int, unit: str = "w") -> date:
    """The day on which so many have been crossed out, the first day not counted."""
    while count:
        day += DAY
        count -= unit == "c" or works(day)
    return rolled(day)


def crossed(first: date, last: date, unit: str = "w") -> int:
    """How many days are crossed out."""
    return sum(unit == "c" or works(day) for day in days(first, last))


def worked(start: datetime, end: datetime) -> timedelta:
    """Counter hours between two moments."""
    total = timedelta()
    for day in days(on(start) - DAY, on(end)):
        for opens, closes in SPANS if works(day) else ():
            total += max(min(clock(day, closes), end) - max(clock(day, opens), start), timedelta())
    return total


def add_worked(start: datetime, amount: timedelta) -> datetime:
    """The moment by which so much counter time has passed."""
    day = on(start)
    while amount:
        for opens, closes in SPANS if works(day) else ():
            begins = max(clock(day, opens), start)
            open_for = max(clock(day, closes) - begins, timedelta())
            if open_for >= amount:
                return begins + amount
            amount -= open_for
        day += DAY
    return start


def hand_over(at: datetime) -> datetime:
    """Art. 18: before 15:00 on the same working day, otherwise at the start of the next."""
    if works(on(at)) and at.astimezone(ZONE).time() < time(15):
        return clock(on(at))
    return clock(nth(on(at), 1), time(7))


# --- one case -------------------------------------------------------------------------------------------


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


class Part(NamedTuple):
    """A time in which the clock ran, or did not."""

    start: datetime
    end: datetime
    runs: bool


HALTS = {"request_supplement", "request_payment", "request_withdrawal", "stop"}
GOES = {"receive_supplement", "receive_payment", "resume", "resolve"}
KEPT = HALTS | GOES | {"submit", "accept", "extend", "return", "reopen", "refuse"}
NEXT: dict[str, dict[int, int]] = {
    "accept": {1: 2, 5: 2}, "refuse": {1: 3}, "complete_step": {2: 4, 4: 4, 9: 9, 10: 10}, "forward": {2: 4, 4: 4},
    "request_supplement": {1: 5, 2: 5, 4: 5}, "receive_supplement": {5: 4}, "request_payment": {2: 6, 4: 6},
    "receive_payment": {6: 4}, "extend": {2: 2, 4: 4}, "request_withdrawal": {1: 7, 2: 7, 4: 7, 5: 7, 6: 7},
    "stop": {2: 8, 4: 8, 5: 8, 6: 8, 7: 8}, "resume": {7: 4, 8: 4}, "resolve": {2: 9, 4: 9, 6: 9}, "return": {9: 10},
    "reopen": {9: 4, 10: 4},
}  # fmt: skip
BESIDE = {"escalate": 2, "record_cause": 2, "reach_milestone": 2, "correct": 2, "link": 1}
HOLDERS = {"complete_step", "forward", "record_cause", "reach_milestone"}
CHAINS = {"overdue": (0, 2, 5), "unassigned": (0, 1), "answer_late": (0, 2), "duty_late": (0, 2), "undelivered": (0,)}


@dataclass
class Sheet:
    """The sheet of one case."""

    law: Law
    log: list[Line]
    status: int = 1
    unit: str | None = None
    holder: str | None = None
    answer_by: datetime | None = None
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

    @property
    def latest(self) -> datetime:
        """When something last happened to it, as it was said then."""
        return self._latest

    def __post_init__(self) -> None:
        self._latest = self.log[0].at

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
                due, walked = (due, walked) if statutory else (line.told["new_due_at"], False)
            elif line.name == "receive_supplement" and self.law.regime == "restart":
                started, due, walked, gaps = line.at, self._end(line.at, count, unit), True, []
            elif line.name != "receive_supplement" or self.law.regime == "extend":
                if unit == "h":
                    due = line.at + (due - since) if since <= due else due
                elif on(since) <= on(due) and on(since) < on(line.at):
                    gaps.append((on(since), on(line.at)))
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
        """Cross out the days on which the clock ran; at the end, wait for a clock that stood still that day."""
        day = on(start)
        while count:
            day += DAY
            count -= works(day) and not any(first < day <= last for first, last in gaps)
        for first, last in gaps:
            day = rolled(last) if first == day else day
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
        return getattr(self, f"_no_{name}", lambda _at, _told: None)(at, told)  # type: ignore[no-any-return]

    def _no_accept(self, _at: datetime, _told: dict[str, Any]) -> str | None:
        return "illegal_transition" if self.accepted else None

    def _no_complete_step(self, _at: datetime, told: dict[str, Any]) -> str | None:
        owed = self.law.duty and not self.duty_done and self._granted() and told["step"] == "publish"
        return "illegal_transition" if self.status > 8 and not owed else None

    def _granted(self) -> bool:
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
        self.status = NEXT.get(name, {}).get(before, before)
        if name == "escalate":
            self.said.add(("overdue", told["level"], self.due()))
            return
        if name == "forward":
            self.unit, self.answer_by = told["to_unit"], self.share(at, told)
            self.holder = {None: self.holder, "own": None}.get(told["to_agency"], told["to_agency"])
        elif name in {"accept", "complete_step"} and before < 9:
            self.unit, self.answer_by = told["unit"] or self.unit, None
        elif name == "complete_step":
            self.duty_done = True
        if name == "accept" and before == 5:
            self.until = None
        if name == "request_payment":
            self.fee, self.until = told["amount_vnd"], told["until"]
        elif name == "request_supplement":
            default = clock(nth(on(at), self.law.until, "c")) if self.law.until else None
            self.until = told["until"] or default
        elif name in HALTS | GOES:
            self.fee, self.until = None, None
        if name in {"resolve", "reopen"}:
            self.duty_done, self.answer_by = False, None if name == "resolve" else self.answer_by
        if name in KEPT:
            self.log.append(Line(name, at, told))
        self._latest = at

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

    # what time says

    def pass_time(self, until: datetime, *, duties: bool) -> list[tuple[datetime, str]]:
        """Everything that time says by a moment, each once for its deadline."""
        facts: list[tuple[datetime, str]] = []
        while True:
            ahead = [(max(at, self._latest), key) for at, key in self._ahead(duties=duties)]
            ahead = sorted((at, key) for at, key in ahead if at <= until)
            if not ahead:
                return facts
            at, key = ahead[0]
            self.said.add(key)
            facts.append((at, ".".join(str(each) for each in key[:2] if each)))
            if key[0] == "silence":
                self.take("resolve", at, {"outcome": "no_objection", "reason": None})

    def _ahead(self, *, duties: bool) -> Iterator[tuple[datetime, tuple[Any, ...]]]:
        due, accepted, resolved = self.due(), self.accepted, self.last("resolve")
        if self.status in {2, 4} and accepted:
            if due:
                yield from self._of_due_date(due)
            if self.unit is None and self.holder is None:
                yield from self._levels("unassigned", hand_over(accepted), "once", by_date=False)
            if self.answer_by:
                yield from self._levels("answer_late", self.answer_by, self.answer_by, by_date=False)
        elif self.status in {5, 6} and self.until:
            name = "supplement_timeout" if self.status == 5 else "payment_timeout"
            yield from self._new((midnight(on(self.until) + DAY), (name, 1, self.until)))
        elif self.status in {9, 10} and resolved:
            if self.law.duty and duties and not self.duty_done and self._granted():
                ends = nth(on(resolved.at), self.law.duty)
                yield from self._levels("duty_late", clock(ends), ends, by_date=True)
            if self.status == 9 and resolved.told["outcome"] != "no_objection":
                yield from self._levels("undelivered", clock(nth(on(resolved.at), 5)), resolved.at, by_date=True)

    def _of_due_date(self, due: datetime) -> Iterator[tuple[datetime, tuple[Any, ...]]]:
        begins, ends = midnight(on(due)), midnight(on(due) + DAY)
        if self._latest < ends:
            yield from self._new((begins, ("due_soon", 0, due)))
            if self.law.silent:
                yield ends - timedelta(seconds=1), ("silence", 0, due)
                return
        key = ("overdue", 0, due)
        if key not in self.said:
            yield ends, key
        else:
            yield from self._levels("overdue", due, due, by_date=True)

    def _levels(self, name: str, deadline: datetime, mark: Any, *, by_date: bool) -> Iterator[tuple[datetime, tuple[Any, ...]]]:
        """The lowest level that was not told."""
        for level, late in enumerate(CHAINS[name], 1):
            key = (name, level, mark)
            if key not in self.said:
                last = nth(on(deadline), late) if late else on(deadline)
                yield midnight(last + DAY) if by_date else add_worked(deadline, late * timedelta(hours=8)), key
                return

    def _new(self, one: tuple[datetime, tuple[Any, ...]]) -> Iterator[tuple[datetime, tuple[Any, ...]]]:
        if one[1] not in self.said:
            yield one

    # the segments

    def ended(self) -> datetime | None:
        """When it was over, if nobody took that back."""
        end: datetime | None = None
        for line in self.log:
            if line.name == "resolve" or (line.name == "stop" and line.told["stop_kind"] != "suspended"):
                end = line.at
            elif line.name in {"reopen", "resume"}:
                end = None
        return end

    def parts(self, now: datetime) -> list[Part]:
        """From line to line, running or not, without empty ones."""
        place = next((number for number, each in enumerate(self.log) if each.name == "accept"), None)
        if place is None:
            return []
        marks = [line for line in self.log[place:] if line.name in HALTS | GOES | {"accept", "reopen"}]
        end = self.ended() or max(now, *(line.at for line in marks))
        moments = [line.at for line in marks] + [end]
        pairs = zip(marks, moments, moments[1:], strict=False)
        return [Part(start, stop, line.name not in HALTS) for line, start, stop in pairs if start < stop]

    def is_overdue(self, now: datetime) -> bool:
        """Whether the due date had passed where the clock stands."""
        due = self.due()
        at = self.ended() or self.stopped or max(now, *(line.at for line in self.log))
        return due is not None and on(at) > on(due)


def _push(due: datetime, first: date, last: date, unit: str) -> datetime:
    """Days that were left when the clock stopped are left when it goes on."""
    left = crossed(first, on(due), unit)
    return datetime.combine(nth(last, left, unit), due.astimezone(ZONE).time(), tzinfo=ZONE)
