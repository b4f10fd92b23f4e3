"""The cases of a log of any format and shape, each with its own attributes and its events, and with their lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from deploy.imports.errors import Fault, Faults
from deploy.imports.mapping import Mapping
from deploy.imports.opening import format_of
from deploy.imports.rows import read_rows
from deploy.imports.xes import Values, read_traces


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event as written; `place` is in the log's own terms."""

    line: int
    place: str
    values: Values


@dataclass(frozen=True, slots=True)
class LogCase:
    """One case as written. It has no events where its steps stand in its attributes."""

    line: int
    place: str
    attributes: Values
    events: list[LogEvent] = field(default_factory=list)


def read_cases(path: Path, mapping: Mapping, faults: Faults) -> Iterator[LogCase]:
    """The cases in the order of their first lines. Raises ImportFileError when the file cannot be read."""
    if format_of(path) == "xes":
        yield from _of_traces(path)
        return
    rows = read_rows(path, mapping.columns, faults)
    if mapping.steps:
        for line, values in rows:
            yield LogCase(line, "", _own(values, mapping))
        return
    grouped: dict[str, LogCase] = {}
    for line, values in rows:
        own = _own(values, mapping)
        name = own.get(mapping.case.id, "").strip()
        if not name:
            faults.add(Fault(line, "", f"column {mapping.case_prefix + mapping.case.id!r} is empty"))
            continue
        case = grouped.setdefault(name, LogCase(line, "", own))
        case.events.append(LogEvent(line, "", values))
        for attribute in mapping.case_attributes:
            if own.get(attribute) != case.attributes.get(attribute):
                rule = f"{mapping.case_prefix + attribute!r} is not what line {case.line} says of the same case"
                faults.add(Fault(line, "", rule))
    yield from grouped.values()


def _of_traces(path: Path) -> Iterator[LogCase]:
    for trace in read_traces(path):
        place = f"trace {trace.index}"
        events = [
            LogEvent(line, f"{place}, event {number}", values)
            for number, (line, values) in enumerate(zip(trace.lines, trace.events, strict=True), start=1)
        ]
        yield LogCase(trace.line, place, trace.attributes, events)


def _own(values: Values, mapping: Mapping) -> Values:
    """What a row says of its case: nothing is kept but what the mapping names."""
    return {name: values[column] for name in mapping.case_attributes if (column := mapping.case_prefix + name) in values}
