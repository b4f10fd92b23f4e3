"""What time makes of a sheet that is kept by hand, and the times in which its clock ran: all looked up in its log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tests.support.clock_model import GOES, HALTS, Sheet
from tests.support.wall_calendar import DAY, add_worked, clock, hand_over, midnight, nth, on

CHAINS = {"overdue": (0, 2, 5), "unassigned": (0, 1), "answer_late": (0, 2), "duty_late": (0, 2), "undelivered": (0,)}


class Part(NamedTuple):
    """A time in which the clock ran, or did not."""

    start: datetime
    end: datetime
    runs: bool


def sayings(sheet: Sheet, until: datetime, *, duties: bool) -> list[tuple[datetime, str]]:
    """Everything that time says by a moment, each once for its deadline."""
    facts: list[tuple[datetime, str]] = []
    while True:
        ahead = [(max(at, sheet.latest), key) for at, key in _ahead(sheet, duties=duties)]
        ahead = sorted((at, key) for at, key in ahead if at <= until)
        if not ahead:
            return facts
        at, key = ahead[0]
        sheet.said.add(key)
        facts.append((at, ".".join(str(each) for each in key[:2] if each)))
        if key[0] == "silence":
            sheet.take("resolve", at, {"outcome": "no_objection", "reason": None})


def _ahead(sheet: Sheet, *, duties: bool) -> Iterator[tuple[datetime, tuple[Any, ...]]]:
    due, accepted, resolved = sheet.due(), sheet.accepted, sheet.last("resolve")
    if sheet.status in {2, 4} and accepted:
        if due:
            yield from _of_due_date(sheet, due)
        if sheet.unit is None and sheet.holder is None:
            yield from _levels(sheet, "unassigned", hand_over(accepted), "once", by_date=False)
        if sheet.answer_by:
            yield from _levels(sheet, "answer_late", sheet.answer_by, sheet.asked_at, by_date=False)
    elif sheet.status in {5, 6} and sheet.until:
        name = "supplement_timeout" if sheet.status == 5 else "payment_timeout"
        yield from _new(sheet, (midnight(on(sheet.until) + DAY), (name, 1, sheet.until)))
    elif sheet.status in {9, 10} and resolved:
        if sheet.law.duty and duties and not sheet.duty_done and sheet.is_granted():
            ends = nth(on(resolved.at), sheet.law.duty)
            yield from _levels(sheet, "duty_late", clock(ends), ends, by_date=True)
        if sheet.status == 9 and resolved.told["outcome"] != "no_objection":
            yield from _levels(sheet, "undelivered", clock(nth(on(resolved.at), 5)), resolved.at, by_date=True)


def _of_due_date(sheet: Sheet, due: datetime) -> Iterator[tuple[datetime, tuple[Any, ...]]]:
    begins, ends = midnight(on(due)), midnight(on(due) + DAY)
    if sheet.latest < ends:
        yield from _new(sheet, (begins, ("due_soon", 0, due)))
        if sheet.law.silent:
            yield ends - timedelta(seconds=1), ("silence", 0, due)
            return
    key = ("overdue", 0, due)
    if key not in sheet.said:
        yield ends, key
    else:
        yield from _levels(sheet, "overdue", due, due, by_date=True)


def _levels(
    sheet: Sheet, name: str, deadline: datetime, mark: Any, *, by_date: bool
) -> Iterator[tuple[datetime, tuple[Any, ...]]]:
    """The lowest level that was not told."""
    for level, late in enumerate(CHAINS[name], 1):
        key = (name, level, mark)
        if key not in sheet.said:
            last = nth(on(deadline), late) if late else on(deadline)
            yield midnight(last + DAY) if by_date else add_worked(deadline, late * timedelta(hours=8)), key
            return


def _new(sheet: Sheet, one: tuple[datetime, tuple[Any, ...]]) -> Iterator[tuple[datetime, tuple[Any, ...]]]:
    if one[1] not in sheet.said:
        yield one


def ended(sheet: Sheet) -> datetime | None:
    """When it was over, if nobody took that back."""
    end: datetime | None = None
    for line in sheet.log:
        if line.name == "resolve" or (line.name == "stop" and line.told["stop_kind"] != "suspended"):
            end = line.at
        elif line.name in {"reopen", "resume"}:
            end = None
    return end


def parts(sheet: Sheet, now: datetime) -> list[Part]:
    """From line to line, running or not, without empty ones."""
    place = next((number for number, each in enumerate(sheet.log) if each.name == "accept"), None)
    if place is None:
        return []
    marks = [line for line in sheet.log[place:] if line.name in HALTS | GOES | {"accept", "reopen"}]
    end = ended(sheet) or max(now, *(line.at for line in marks))
    moments = [line.at for line in marks] + [end]
    pairs = zip(marks, moments, moments[1:], strict=False)
    return [Part(start, stop, line.name not in HALTS) for line, start, stop in pairs if start < stop]


def is_overdue(sheet: Sheet, now: datetime) -> bool:
    """Whether the due date had passed where the clock stands."""
    due = sheet.due()
    at = ended(sheet) or sheet.stopped or max(now, *(line.at for line in sheet.log))
    return due is not None and on(at) > on(due)
