"""The cases that a log gives under a mapping, ready to be sent: pure but for reading the file.

The same file and mapping always give the same plan, in the order of the first event, so that an import can be resumed and
repeated. Nothing of a case leaves except what the mapping names; officers only under the log's own pseudonyms. The whole file is
read before the first case is sent, and every fault in it is counted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from deploy.imports.activities import Activity, ActivityReader, LeftOutError, check_order, is_closed, required, word_of
from deploy.imports.cases import LogCase, LogEvent, read_cases
from deploy.imports.errors import BrokenRuleError, Fault, Faults, ImportFileError, broken
from deploy.imports.mapping import Mapping, StepMapping
from shared.catalogue import Catalogue
from shared.contracts.words import Channel, Kind

_LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class PlannedCase:
    """One case of the log; `activities` in order, one at least. `closed_at` is None for a case left open."""

    agency: str
    external_id: str
    procedure: str
    channel: Channel
    filed_at: datetime
    activities: tuple[Activity, ...]
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import will send. `officers_left_out` counts events whose officer had no pseudonym; `left_out` lists cases."""

    kind: Kind
    cases: tuple[PlannedCase, ...]
    officers_left_out: int
    left_out: tuple[Fault, ...] = ()

    @property
    def agencies(self) -> Counter[str]:
        """How many cases each agency gets."""
        return Counter(case.agency for case in self.cases)

    def of(self, agency: str) -> Plan:
        """The plan of one agency's cases alone."""
        return replace(self, cases=tuple(case for case in self.cases if case.agency == agency))

    @property
    def events(self) -> int:
        """Events of the log."""
        return sum(len(case.activities) for case in self.cases)

    @property
    def closed(self) -> int:
        """Cases that will be resolved."""
        return sum(case.closed_at is not None for case in self.cases)

    @property
    def activities(self) -> Counter[str]:
        """How often each activity was done."""
        return Counter(one.activity for case in self.cases for one in case.activities)

    @property
    def variants(self) -> Counter[tuple[str, ...]]:
        """How many cases took each way through the activities."""
        return Counter(tuple(one.activity for one in case.activities) for case in self.cases)

    @property
    def procedures(self) -> Counter[str]:
        """How many cases each procedure has."""
        return Counter(case.procedure for case in self.cases)


def make_plan(log: Path, mapping: Mapping, agency: str | None = None) -> Plan:
    """The plan of a log; `agency` overrides the mapping's. Raises ImportFileError for the first of its faults."""
    plan, faults = read_plan(log, mapping, agency)
    for fault in faults.first:
        more = f" (and {faults.count - 1:,} more)" if faults.count > 1 else ""
        raise ImportFileError(log.name, fault.where, fault.rule + more)
    return plan


def read_plan(
    log: Path, mapping: Mapping, agency: str | None = None, *, catalogue: Catalogue | None = None, now: datetime | None = None
) -> tuple[Plan, Faults]:
    """What the good cases of a log give, and every fault of the others.

    With a catalogue, procedures must be in it. Raises ImportFileError when the file cannot be read, or holds no case.
    """
    faults, left_out, seen = Faults(), list[Fault](), set[str]()
    reader = _Reader(mapping, agency, faults, now or datetime.now(UTC))
    planned = []
    for case in read_cases(log, mapping, faults):
        try:
            made = reader.planned(case)
            if made is not None:
                _refuse_twin(case, made.external_id, seen)
                planned.append(made)
        except BrokenRuleError as error:
            faults.add(error.fault)
        except LeftOutError as error:
            left_out.append(error.fault)
    if not planned and not faults.count:
        raise ImportFileError(log.name, "", "holds no case" if not left_out else "every case would be left out")
    plan = Plan(
        kind=mapping.kind,
        cases=tuple(sorted(planned, key=lambda case: case.filed_at)),
        officers_left_out=sum(one.officer is None for case in planned for one in case.activities) if reader.knows_officers else 0,
        left_out=tuple(left_out),
    )
    if catalogue is not None:
        _check_procedures(plan, catalogue)
    return plan, faults


class _Reader:
    """Reads one case after the other; every broken event of a case is a fault of its own."""

    def __init__(self, mapping: Mapping, agency: str | None, faults: Faults, now: datetime) -> None:
        self._mapping, self._faults, self._read = mapping, faults, ActivityReader(mapping, now)
        self._agency = mapping.agency if agency is None else agency
        self.knows_officers = mapping.event is not None and mapping.event.officer is not None

    def planned(self, case: LogCase) -> PlannedCase | None:
        """The case, or None when faults in its events were kept. Raises BrokenRuleError and LeftOutError."""
        mapping = self._mapping
        external_id = required(case, mapping.case.id)
        if len(external_id) > _LONGEST_ID or not external_id.isprintable():
            broken(case.line, case.place, f"its id is not printable or longer than {_LONGEST_ID} characters")
        agency, channel, procedure = self._agency, mapping.case.channel, mapping.procedure
        if not isinstance(agency, str):
            agency = word_of(case, agency.attribute, agency.table, "agency")
        if not isinstance(channel, Channel):
            channel = word_of(case, channel.attribute, channel.table, "channel")
        if not isinstance(procedure, str):
            procedure = word_of(case, procedure.attribute, procedure.table, "procedure")
        done = self._activities(case)
        if done is None:
            return None
        if not done:
            broken(case.line, case.place, "has no event")
        if mapping.steps:
            check_order(case, done, mapping)
        ordered = tuple(sorted(done, key=lambda one: one.occurred_at))
        return PlannedCase(
            agency=agency,
            external_id=external_id,
            procedure=procedure,
            channel=channel,
            filed_at=ordered[0].occurred_at,
            activities=ordered,
            closed_at=ordered[-1].occurred_at if is_closed(case, mapping.closed) else None,
        )

    def _activities(self, case: LogCase) -> list[Activity] | None:
        """The activities in the file's order; None when one of them is a fault."""
        done, before = list[Activity | None](), self._faults.count
        sources: list[LogEvent | StepMapping] = [*case.events, *self._mapping.steps]
        for source in sources:
            try:
                done.append(self._activity(case, source))
            except BrokenRuleError as error:
                self._faults.add(error.fault)
        return [one for one in done if one is not None] if self._faults.count == before else None

    def _activity(self, case: LogCase, source: LogEvent | StepMapping) -> Activity | None:
        if isinstance(source, StepMapping):
            return self._read.of_step(case, source)
        return self._read.of_event(source, self._mapping.event) if self._mapping.event else None


def _refuse_twin(case: LogCase, external_id: str, seen: set[str]) -> None:
    if external_id in seen:
        broken(case.line, case.place, f"its id {external_id!r} stands twice in the log")
    seen.add(external_id)


def _check_procedures(plan: Plan, catalogue: Catalogue) -> None:
    for agency, code in sorted({(case.agency, case.procedure) for case in plan.cases}):
        procedure = catalogue.of(agency).get(code)
        if procedure is None or procedure.kind != plan.kind.value:
            raise ImportFileError("mapping", "procedure", f"there is no {plan.kind} procedure {code!r} in the catalogue")
