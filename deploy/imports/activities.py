"""What was done in a case, and when: events of a log, or the steps of a table that has a row for each case."""

from __future__ import annotations

import re
from collections.abc import Mapping as Table
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TypeVar
from zoneinfo import ZoneInfo

from deploy.imports.cases import LogCase, LogEvent
from deploy.imports.errors import Fault, broken
from deploy.imports.mapping import EventMapping, FromAttribute, Mapping, StepMapping, UnitMapping
from deploy.imports.xes import Values
from shared.contracts.commands import FIRST_YEAR

T = TypeVar("T")
_LONGEST_ACTIVITY = 200


@dataclass(frozen=True, slots=True)
class Activity:
    """One event of the log: what becomes a completed step."""

    occurred_at: datetime
    activity: str
    unit: str | None
    officer: str | None


class LeftOutError(Exception):
    """A case that the mapping wants listed and left out."""

    def __init__(self, fault: Fault) -> None:
        """Keep what to list."""
        super().__init__(str(fault))
        self.fault = fault


@dataclass(frozen=True, slots=True)
class ActivityReader:
    """Reads the activities of cases under a mapping; nothing may lie after `now`."""

    mapping: Mapping
    now: datetime

    def of_event(self, event: LogEvent, names: EventMapping) -> Activity:
        """An event of the log. Raises BrokenRuleError."""
        name = required(event, names.activity)
        at = self._instant(event, names.time)
        officer = event.values.get(names.officer.attribute) if names.officer else None
        shown = officer and names.officer and re.fullmatch(names.officer.pseudonym, officer)
        return Activity(at, _name(event, name), _unit(event.values, names.unit), officer if shown else None)

    def of_step(self, case: LogCase, step: StepMapping) -> Activity | None:
        """A step of a row; None when it was not done. Raises BrokenRuleError."""
        if not step.required and not case.attributes.get(step.time, "").strip():
            return None
        at = self._instant(case, step.time)
        name = step.name if isinstance(step.name, str) else required(case, step.name.attribute)
        return Activity(at, _name(case, name), _unit(case.attributes, step.unit), None)

    def _instant(self, where: LogCase | LogEvent, key: str) -> datetime:
        """A time; without an offset it is the mapping's zone's, and the earlier one where clocks were set back."""
        text, pattern = required(where, key), self.mapping.time_format
        values = where.values if isinstance(where, LogEvent) else where.attributes
        try:
            at = datetime.strptime(text, pattern) if pattern else datetime.fromisoformat(text)  # noqa: DTZ007 - zone comes below
        except ValueError:
            wanted = f"like {pattern}" if pattern else "(ISO 8601)"
            broken(where.line, where.place, f"{key!r} is not a time {wanted}: {values[key][:40]!r}")
        if at.tzinfo is None:
            at = self._local(where, key, at)
        if at.year < FIRST_YEAR or at > self.now:
            broken(where.line, where.place, f"{key!r} lies before the year {FIRST_YEAR} or in the future: {text[:40]!r}")
        return at

    def _local(self, where: LogCase | LogEvent, key: str, at: datetime) -> datetime:
        zone = self.mapping.zone
        local = at.replace(tzinfo=zone)
        if _is_skipped(local, zone):
            broken(where.line, where.place, f"{key!r} is no time in {zone}: clocks were set forward over {at.isoformat()}")
        return local.astimezone(UTC)  # times of one zone would be compared by their clocks, an hour off where these are set


def _is_skipped(local: datetime, zone: ZoneInfo) -> bool:
    return local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None)


def check_order(case: LogCase, done: list[Activity], mapping: Mapping) -> None:
    """Steps of a row stand in the order of the mapping. Raises BrokenRuleError, or LeftOutError where the mapping says so."""
    for before, after in pairwise(done):
        if after.occurred_at < before.occurred_at:
            times = ", ".join(f"{one.occurred_at.astimezone(mapping.zone):%Y-%m-%d %H:%M:%S}" for one in (after, before))
            rule = f"{after.activity!r} lies before {before.activity!r} ({times})"
            if mapping.disorder == "leave_out":
                raise LeftOutError(Fault(case.line, case.place, rule))
            broken(case.line, case.place, rule)


def required(where: LogCase | LogEvent, key: str) -> str:
    """The value of an attribute or a column. Raises BrokenRuleError when it is missing or empty."""
    values = where.values if isinstance(where, LogEvent) else where.attributes
    value = values.get(key, "").strip()
    if not value:
        broken(where.line, where.place, f"{key!r} is missing or empty")
    return value


def word_of(case: LogCase, key: str, table: Table[str, T], what: str) -> T:
    """Our word for the log's. Raises BrokenRuleError when the table does not know it."""
    word = required(case, key)
    if word not in table:
        broken(case.line, case.place, f"{what} {word[:80]!r} is not in the mapping's table")
    return table[word]


def is_closed(case: LogCase, rule: FromAttribute | str) -> bool:
    """Whether the case counts as resolved."""
    if not isinstance(rule, FromAttribute):
        return True
    value = case.attributes.get(rule.attribute)
    return value is not None and (rule.values is None or value in rule.values)


def _name(where: LogCase | LogEvent, name: str) -> str:
    if len(name) > _LONGEST_ACTIVITY or not name.isprintable():
        broken(where.line, where.place, f"the activity is not printable or longer than {_LONGEST_ACTIVITY} characters")
    return name


def _unit(values: Values, unit: UnitMapping | None) -> str | None:
    """The unit as a slug: `Group 1` → `group-1`."""
    name = values.get(unit.attribute, "") if unit else ""
    if unit is None or name in unit.unknown:
        return None
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64].rstrip("-") or None
