"""A second, simple-minded machine: statuses as one table, due dates by stepping from day to day. It shares no code with ours."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib import resources
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DAY = timedelta(days=1)

WITH_CSV = resources.files("shared.calendar").joinpath("days.csv").read_text(encoding="utf-8")
DAYS = {row["date"]: row["kind"] for row in csv.DictReader(WITH_CSV.splitlines())}

AFTER = {
    "accept": {1: 2, 5: 2}, "refuse": {1: 3}, "complete_step": {2: 4, 4: 4, 9: 9, 10: 10}, "forward": {2: 4, 4: 4},
    "request_supplement": {1: 5, 2: 5, 4: 5}, "receive_supplement": {5: 4}, "request_payment": {2: 6, 4: 6},
    "receive_payment": {6: 4}, "extend": {2: 2, 4: 4}, "request_withdrawal": {1: 7, 2: 7, 4: 7, 5: 7, 6: 7, 9: 9, 10: 10},
    "stop": {2: 8, 4: 8, 5: 8, 6: 8, 7: 8}, "resume": {7: 4, 8: 4}, "resolve": {2: 9, 4: 9, 6: 9}, "return": {9: 10},
    "reopen": {9: 4, 10: 4}, "escalate": {status: status for status in range(2, 11)},
    "record_cause": {status: status for status in range(2, 11)}, "link": {status: status for status in range(1, 11)},
    "reach_milestone": {}, "record_contact": {status: status for status in range(1, 11)}, "rate": {3: 3, 9: 9, 10: 10},
}  # fmt: skip


def works(on: date) -> bool:
    """Whether a day is worked, looked up in the table as it lies there."""
    kind = DAYS.get(on.isoformat())
    return kind == "WORK" or (kind is None and on.weekday() < 5)


def step(on: date, count: int, *, calendar: bool = False) -> date:
    """The day on which so many days have been counted, one by one; a last day off moves on."""
    while count > 0:
        on += DAY
        count -= 1 if calendar or works(on) else 0
    while not works(on):
        on += DAY
    return on


def between(first: date, last: date, *, calendar: bool = False) -> int:
    """Days after the first up to the last, one by one."""
    count = 0
    while first < last:
        first += DAY
        count += 1 if calendar or works(first) else 0
    return count


def local(at: datetime) -> date:
    """The date of a moment in Viet Nam."""
    return at.astimezone(ZONE).date()


@dataclass
class Limit:
    """A limit: `unit` is w, c or h."""

    count: int
    unit: str

    def end(self, at: datetime) -> datetime:
        """Where it ends."""
        if self.unit == "h":
            return at + timedelta(hours=self.count)
        return close(step(local(at), self.count, calendar=self.unit == "c"))

    def push(self, due: datetime, stop: datetime, go: datetime) -> datetime:
        """Where a standstill moves its end: what was left of it is left afterwards."""
        if self.unit == "h":
            return go + (due - stop) if stop <= due else due
        first, last, on = local(stop), local(go), local(due)
        if on < first or first == last:
            return due
        calendar = self.unit == "c"
        moved = step(last, between(first, on, calendar=calendar), calendar=calendar)
        return datetime.combine(moved, due.astimezone(ZONE).time(), tzinfo=ZONE)


def close(on: date) -> datetime:
    """The close of the counter."""
    return datetime(on.year, on.month, on.day, 17, tzinfo=ZONE)


@dataclass
class Naive:
    """One case. `limits` are the committed and the law's own, `regime` what a supplement does, `within` when it may be asked."""

    limits: tuple[Limit | None, Limit | None]
    regime: str
    within: int = 3
    status: int = 1
    accepted: datetime | None = None
    due: list[datetime | None] = field(default_factory=lambda: [None, None])
    stopped: datetime | None = None
    supplements: int = 0
    extended: bool = False
    fee: int | None = None
    ended: bool = False

    def refuses(self, name: str, at: datetime, told: dict[str, object]) -> str | None:
        """The reason, in the words of the contract, or None."""
        if name == "reach_milestone":
            return "illegal_transition" if self.status == 1 else "not_supported"
        if self.status not in AFTER[name]:
            return "illegal_transition"
        return getattr(self, f"_{name}", lambda _at, _told: None)(at, told)

    def take(self, name: str, at: datetime, told: dict[str, object]) -> None:
        """Carry out a command that is not refused."""
        getattr(self, f"_do_{name}", lambda _at, _told: None)(at, told)
        self.status = AFTER[name][self.status]

    # what refuses

    def _accept(self, _at: datetime, _told: dict[str, object]) -> str | None:
        return "illegal_transition" if self.accepted else None

    def _complete_step(self, _at: datetime, _told: dict[str, object]) -> str | None:
        return "illegal_transition" if self.status > 8 else None

    def _request_supplement(self, at: datetime, _told: dict[str, object]) -> str | None:
        if self.supplements:
            return "supplement_used"
        late = self.accepted and local(at) > step(local(self.accepted), self.within)
        return "supplement_too_late" if late else None

    def _receive_supplement(self, _at: datetime, _told: dict[str, object]) -> str | None:
        return None if self.accepted else "illegal_transition"

    def _receive_payment(self, _at: datetime, told: dict[str, object]) -> str | None:
        return None if told["amount_vnd"] == self.fee else "wrong_amount"

    def _extend(self, at: datetime, told: dict[str, object]) -> str | None:
        if self.extended:
            return "extension_used"
        if self.due[0] is None:
            return "no_due_date"
        new = told["new_due_at"]
        assert isinstance(new, datetime)
        return None if local(new) > local(self.due[0]) and local(new) >= local(at) else "not_later"

    def _escalate(self, _at: datetime, _told: dict[str, object]) -> str | None:
        return "no_due_date" if self.due[0] is None else None

    def _request_withdrawal(self, _at: datetime, _told: dict[str, object]) -> str | None:
        return "decision_exists" if self.status > 8 else None

    def _stop(self, _at: datetime, told: dict[str, object]) -> str | None:
        withdrawn = told["stop_kind"] == "withdrawn"
        asked = self.status == 7
        never = told["stop_kind"] == "suspended" and not self.accepted
        return "illegal_transition" if withdrawn != asked or never else None

    def _resume(self, _at: datetime, _told: dict[str, object]) -> str | None:
        return None if self.accepted else "illegal_transition"

    def _resolve(self, _at: datetime, told: dict[str, object]) -> str | None:
        return "reason_missing" if told["outcome"] == "refused" and told["reason"] is None else None

    # what changes

    def _do_accept(self, at: datetime, _told: dict[str, object]) -> None:
        self.accepted = at
        self.due = [limit.end(at) if limit else None for limit in self.limits]

    def _do_request_supplement(self, at: datetime, _told: dict[str, object]) -> None:
        self.supplements += 1
        self._stand(at)

    def _do_receive_supplement(self, at: datetime, _told: dict[str, object]) -> None:
        if self.regime == "restart" and self.limits[0]:
            self.due = [limit.end(at) if limit else None for limit in self.limits]
        elif self.regime == "extend":
            self._push(at)
        self.stopped = None

    def _do_request_payment(self, at: datetime, told: dict[str, object]) -> None:
        self.fee = told["amount_vnd"]  # type: ignore[assignment]
        self._stand(at)

    def _do_receive_payment(self, at: datetime, _told: dict[str, object]) -> None:
        self._go(at)

    def _do_request_withdrawal(self, at: datetime, _told: dict[str, object]) -> None:
        self._stand(at)

    def _do_stop(self, at: datetime, _told: dict[str, object]) -> None:
        self._stand(at)

    def _do_resume(self, at: datetime, _told: dict[str, object]) -> None:
        self._go(at)

    def _do_resolve(self, at: datetime, _told: dict[str, object]) -> None:
        self._go(at)

    def _do_extend(self, _at: datetime, told: dict[str, object]) -> None:
        new = told["new_due_at"]
        assert isinstance(new, datetime)
        self.extended, self.due[0] = True, datetime.combine(step(local(new), 0), new.astimezone(ZONE).time(), tzinfo=ZONE)

    def _stand(self, at: datetime) -> None:
        self.stopped = self.stopped or (at if self.accepted else None)

    def _go(self, at: datetime) -> None:
        self._push(at)
        self.stopped, self.fee = None, None

    def _push(self, at: datetime) -> None:
        for place, limit in enumerate(self.limits):
            due = self.due[place]
            if self.stopped and due:
                self.due[place] = (limit or Limit(1, "w")).push(due, self.stopped, at)
