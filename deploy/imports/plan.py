"""The cases that a log gives under a mapping, ready to be sent: pure but for reading the file.

The same file and mapping always give the same plan, in the order of the first event, so that an import can
be resumed and repeated. Nothing of a trace leaves except what the mapping names; officers only under the
log's own pseudonyms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from deploy.imports.errors import ImportFileError
from deploy.imports.mapping import FromAttribute, Mapping, UnitMapping
from deploy.imports.xes import Values, XesTrace, read_traces
from shared.contracts.words import Channel, Kind

_LONGEST_ID, _LONGEST_ACTIVITY = 200, 200


@dataclass(frozen=True, slots=True)
class Activity:
    """One event of the log: what becomes a completed step."""

    occurred_at: datetime
    activity: str
    unit: str | None
    officer: str | None


@dataclass(frozen=True, slots=True)
class PlannedCase:
    """One case of the log; `activities` in order, one at least. `closed_at` is None for a case left open."""

    external_id: str
    channel: Channel
    filed_at: datetime
    activities: tuple[Activity, ...]
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import will send. `officers_left_out` counts events whose officer had no pseudonym."""

    agency: str
    kind: Kind
    procedure: str
    cases: tuple[PlannedCase, ...]
    officers_left_out: int

    @property
    def events(self) -> int:
        """Events of the log."""
        return sum(len(case.activities) for case in self.cases)

    @property
    def closed(self) -> int:
        """Cases that will be resolved."""
        return sum(case.closed_at is not None for case in self.cases)


def make_plan(log: Path, mapping: Mapping, agency: str | None = None) -> Plan:
    """The plan of a log; `agency` overrides the mapping's. Raises ImportFileError at the first fault."""
    planned = [_planned(_Trace(log.name, trace), mapping) for trace in read_traces(log)]
    if not planned:
        raise ImportFileError(log.name, "", "holds no trace")
    _refuse_twins(log.name, [case for case, _ in planned])
    return Plan(
        agency=mapping.agency if agency is None else agency,
        kind=mapping.kind,
        procedure=mapping.procedure,
        cases=tuple(sorted((case for case, _ in planned), key=lambda case: case.filed_at)),
        officers_left_out=sum(left_out for _, left_out in planned),
    )


@dataclass(frozen=True, slots=True)
class _Trace:
    """A trace with its place in the file, for errors."""

    file: str
    trace: XesTrace

    def refuse(self, rule: str, event: int = 0) -> NoReturn:
        place = f"trace {self.trace.index}" + (f", event {event}" if event else "")
        raise ImportFileError(self.file, place, rule)

    def attribute(self, key: str) -> str:
        value = self.trace.attributes.get(key, "").strip()
        if not value:
            self.refuse(f"attribute {key!r} is missing or empty")
        return value

    def is_closed(self, rule: FromAttribute | str) -> bool:
        return not isinstance(rule, FromAttribute) or rule.attribute in self.trace.attributes

    def events(self) -> Iterator[_Event]:
        for number, values in enumerate(self.trace.events, start=1):
            yield _Event(self, number, values)


@dataclass(frozen=True, slots=True)
class _Event:
    """An event with its place in the file."""

    trace: _Trace
    number: int
    values: Values

    def attribute(self, key: str) -> str:
        value = self.values.get(key, "").strip()
        if not value:
            self.trace.refuse(f"attribute {key!r} is missing or empty", self.number)
        return value


def _planned(trace: _Trace, mapping: Mapping) -> tuple[PlannedCase, int]:
    """The case, and how many of its events lost their officer."""
    activities = sorted(
        (_activity(event, mapping) for event in trace.events()),
        key=lambda activity: activity.occurred_at,
    )
    if not activities:
        trace.refuse("has no event")
    external_id = trace.attribute(mapping.case.id)
    if len(external_id) > _LONGEST_ID:
        trace.refuse(f"its id is longer than {_LONGEST_ID} characters")
    case = PlannedCase(
        external_id=external_id,
        channel=_channel(trace, mapping),
        filed_at=activities[0].occurred_at,
        activities=tuple(activities),
        closed_at=activities[-1].occurred_at if trace.is_closed(mapping.closed) else None,
    )
    left_out = sum(one.officer is None for one in activities) if mapping.event.officer else 0
    return case, left_out


def _channel(trace: _Trace, mapping: Mapping) -> Channel:
    word = trace.attribute(mapping.case.channel.attribute)
    channel = mapping.case.channel.table.get(word)
    if channel is None:
        trace.refuse(f"channel {word!r} is not in the mapping's table")
    return channel


def _activity(event: _Event, mapping: Mapping) -> Activity:
    names = mapping.event
    activity = event.attribute(names.activity)
    if len(activity) > _LONGEST_ACTIVITY or not activity.isprintable():
        rule = f"the activity is not printable or longer than {_LONGEST_ACTIVITY} characters"
        event.trace.refuse(rule, event.number)
    officer = event.values.get(names.officer.attribute) if names.officer else None
    shown = officer and names.officer and re.fullmatch(names.officer.pseudonym, officer)
    return Activity(
        occurred_at=_instant(event, mapping),
        activity=activity,
        unit=_unit(event.values, names.unit) if names.unit else None,
        officer=officer if shown else None,
    )


def _instant(event: _Event, mapping: Mapping) -> datetime:
    """The event's time; a time without an offset is the mapping's zone's."""
    text = event.attribute(mapping.event.time)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        rule = f"{mapping.event.time!r} is not a time (ISO 8601): {text[:40]!r}"
        event.trace.refuse(rule, event.number)
    return at if at.tzinfo else at.replace(tzinfo=mapping.zone)


def _unit(values: Values, unit: UnitMapping) -> str | None:
    """The unit as a slug: `Group 1` → `group-1`."""
    name = values.get(unit.attribute, "")
    if name in unit.unknown:
        return None
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64].rstrip("-") or None


def _refuse_twins(file: str, cases: list[PlannedCase]) -> None:
    seen: set[str] = set()
    for number, case in enumerate(cases, start=1):
        if case.external_id in seen:
            rule = f"its id {case.external_id!r} stands twice in the log"
            raise ImportFileError(file, f"trace {number}", rule)
        seen.add(case.external_id)
