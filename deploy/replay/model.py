"""A year of one agency as planned dossiers: pure, seeded, and exact in its totals.

Acceptances are drawn from the scenario's shape of days, so that their number is given; filings, steps,
resolution and return follow from them in working time. How many are open at the close is set by one
calibrated number, the pace (see `deploy.replay.pace`). The same scenario, totals and seed always give the
same year, whatever the agency is called; ids carry agency and seed. All of it is simulated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, chain, repeat
from random import Random

from deploy.replay.pace import choose_pace, handling_seconds
from deploy.replay.scenario import (
    DIVISION,
    FieldUse,
    ProcedureUse,
    ProcessStep,
    Scenario,
)
from deploy.replay.strict import Spread
from deploy.replay.tasks import Task, make_tasks
from deploy.replay.working_time import WorkingTime, make_working_time
from shared.calendar import load_calendar
from shared.contracts.words import Channel, Outcome

_MINUTE, _HOUR = 60, 3600
_EIGHTHS = 8
_VARIATION = 0.4
_QUIET_FROM, _QUIET_UNTIL = 23, 6
_AWAKE_AT_NIGHT = 0.08


class YearError(ValueError):
    """The year asked for cannot be made; one line saying why."""


@dataclass(frozen=True, slots=True)
class Step:
    """An internal step that was completed before the close."""

    occurred_at: datetime
    step: str
    unit: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """One dossier's life up to the close; what would come after it is None or left out."""

    index: int
    external_id: str
    procedure: str
    field: str
    channel: Channel
    return_channel: Channel
    unit: str
    submitted_at: datetime
    accepted_at: datetime
    steps: tuple[Step, ...]
    resolved_at: datetime | None
    returned_at: datetime | None
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Year:
    """A simulated year; `dossiers` in the order of acceptance, `received` and `resolved` are theirs alone.

    `tasks` are there only when the totals are the scenario's own: nobody asks for a part of them.
    """

    agency: str
    seed: int
    received: int
    resolved: int
    opened_at: datetime
    closing_at: datetime
    pace: float
    dossiers: tuple[Dossier, ...]
    tasks: tuple[Task, ...] = ()

    def tasks_by_procedure(self) -> list[tuple[str, int, int]]:
        """Procedure, how many were assigned, and how many of them are done."""
        assigned = Counter(task.procedure for task in self.tasks)
        done = Counter(task.procedure for task in self.tasks if task.resolved_at is not None)
        return [(code, count, done[code]) for code, count in assigned.items()]


@dataclass(frozen=True, slots=True)
class _Draft:
    """A dossier before the pace is known; positions and `undisturbed` in working seconds."""

    field: FieldUse
    procedure: ProcedureUse
    channel: Channel
    return_channel: Channel
    submitted_at: datetime
    accepted: int
    accepted_at: datetime
    undisturbed: float
    return_seconds: int
    steps: tuple[tuple[ProcessStep, float], ...]
    refused: bool


def make_year(
    scenario: Scenario,
    received: int | None = None,
    resolved: int | None = None,
    seed: int | None = None,
    agency: str | None = None,
) -> Year:
    """The year with exactly these totals at the close; None means the scenario's. Raises YearError."""
    received = scenario.totals.received if received is None else received
    resolved = scenario.totals.resolved if resolved is None else resolved
    seed = scenario.seed if seed is None else seed
    agency = scenario.agency.code if agency is None else agency
    _check_totals(received, resolved)
    time = make_working_time(load_calendar(), scenario.closing_on)
    drafts = list(_Drawer(scenario, time, Random(str(seed))).drafts(received))  # noqa: S311 - simulation
    pace = choose_pace([(time.total - one.accepted) / one.undisturbed for one in drafts], received - resolved)
    dossiers = tuple(
        _dossier(draft, f"{agency}:{seed}:{index:05d}", index, pace, time) for index, draft in enumerate(drafts, start=1)
    )
    if sum(one.resolved_at is not None for one in dossiers) != resolved:
        message = f"two dossiers of seed {seed} tie, so the totals cannot be met exactly; take another seed"
        raise YearError(message)
    tasks = _tasks(scenario, time, seed, agency) if (received, resolved) == _totals(scenario) else ()
    return Year(agency, seed, received, resolved, time.opened_at, time.closing_at, pace, dossiers, tasks)


def _totals(scenario: Scenario) -> tuple[int, int]:
    return scenario.totals.received, scenario.totals.resolved


def _tasks(scenario: Scenario, time: WorkingTime, seed: int, agency: str) -> tuple[Task, ...]:
    """With a generator of their own, so that the dossiers are the same with and without them."""
    if scenario.tasks is None:
        return ()
    return make_tasks(scenario.tasks, time, Random(f"tasks:{seed}"), f"{agency}:{seed}")  # noqa: S311 - simulation


def _check_totals(received: int, resolved: int) -> None:
    if received < 1:
        message = f"a year needs at least 1 received dossier, not {received}"
        raise YearError(message)
    if not 0 <= resolved <= received:
        message = f"resolved must lie between 0 and the {received} received (no opening stock), not {resolved}"
        raise YearError(message)


class _Drawer:
    """Draws drafts with one generator, in the order of acceptance."""

    def __init__(self, scenario: Scenario, time: WorkingTime, random: Random) -> None:
        self._scenario, self._time, self._random = scenario, time, random
        pairs = [(use, one, use.share * one.weight / sum(each.weight for each in use.procedures))
                 for use in scenario.fields for one in use.procedures]  # fmt: skip
        self._procedures = [(use, one) for use, one, _ in pairs]
        self._procedure_weights = list(accumulate(weight for *_, weight in pairs))

    def drafts(self, count: int) -> Iterator[_Draft]:
        """So many drafts."""
        for accepted in self._acceptances(count):
            yield self._draft(accepted)

    def _acceptances(self, count: int) -> list[int]:
        """Positions of acceptance, sorted; never on the closing instant itself."""
        shape, days = self._scenario.arrivals, self._time.days
        weights = [shape.weekday.factor(day) * shape.month[day.month] for day in days]
        eighth = self._time.per_day // _EIGHTHS
        return sorted(
            (day * _EIGHTHS + part) * eighth + self._random.randrange(1, eighth)
            for day, part in zip(
                self._random.choices(range(len(days)), weights, k=count),
                self._random.choices(range(_EIGHTHS), shape.eighth_of_day, k=count),
                strict=True,
            )
        )

    def _draft(self, accepted: int) -> _Draft:
        scenario = self._scenario
        use, procedure = self._random.choices(self._procedures, cum_weights=self._procedure_weights)[0]
        channel = self._one_of({name: one.share for name, one in scenario.channels.items()})
        return_channel = self._one_of(scenario.channels[channel].returned_by)
        accepted_at = self._time.instant(accepted)
        return _Draft(
            field=use,
            procedure=procedure,
            channel=channel,
            return_channel=return_channel,
            submitted_at=self._submitted_at(channel, accepted),
            accepted=accepted,
            accepted_at=accepted_at,
            undisturbed=self._undisturbed(procedure, accepted_at),
            return_seconds=int(self._between(scenario.return_hours[return_channel]) * _HOUR) + 1,
            steps=self._steps(procedure),
            refused=self._random.random() < scenario.refused_share,
        )

    def _submitted_at(self, channel: Channel, accepted: int) -> datetime:
        """When it was filed: at a counter on the same day, online at any hour, always within the year."""
        use = self._scenario.channels[channel]
        if self._random.random() < use.outside_hours:
            return self._while_closed(accepted)
        wait = int(self._between(use.wait_minutes) * _MINUTE)
        earliest = 1 + (0 if channel is Channel.ONLINE else self._time.day_start(accepted))
        filed = accepted - wait
        return self._time.instant(filed if filed >= earliest else self._random.randint(earliest, accepted))

    def _while_closed(self, accepted: int) -> datetime:
        """A moment of the night, weekend or holiday before the day of acceptance; few in the small hours."""
        closed_at, opens_at = self._time.closed_span(accepted)
        seconds = int((opens_at - closed_at).total_seconds())
        while True:
            at = closed_at + timedelta(seconds=self._random.randrange(seconds))
            awake = _QUIET_UNTIL <= at.hour < _QUIET_FROM
            if awake or self._random.random() < _AWAKE_AT_NIGHT:
                return at

    def _undisturbed(self, procedure: ProcedureUse, accepted_at: datetime) -> float:
        """Handling time at pace 1, in working seconds; a positive, continuous quantity."""
        mixture = self._scenario.handling[procedure.handling].mixture
        part = self._random.choices(mixture, [one.share for one in mixture])[0]
        if part.working_days is not None:
            days = self._between(part.working_days)
        else:
            days = self._between(part.of_limit or (0, 0, 1)) * procedure.limit_on(accepted_at.date())
        return max(1e-3, days) * self._time.per_day

    def _steps(self, procedure: ProcedureUse) -> tuple[tuple[ProcessStep, float], ...]:
        """The steps with the part of the handling time that has passed at the end of each; at last 1."""
        process = self._scenario.processes[self._scenario.handling[procedure.handling].process]
        parts = [step.share * self._random.uniform(1 - _VARIATION, 1 + _VARIATION) for step in process]
        whole = sum(parts)
        passed = [so_far / whole for so_far in accumulate(parts)]
        return tuple(zip(process, [*passed[:-1], 1.0], strict=True))

    def _between(self, spread: Spread) -> float:
        least, likely, most = spread
        return self._random.triangular(least, most, likely)

    def _one_of(self, shares: dict[Channel, float]) -> Channel:
        return self._random.choices(list(shares), list(shares.values()))[0]


def _dossier(draft: _Draft, external_id: str, index: int, pace: float, time: WorkingTime) -> Dossier:
    """The draft at this pace, cut off at the close."""
    resolved = draft.accepted + handling_seconds(pace, draft.undisturbed)
    returned = resolved + draft.return_seconds
    is_resolved = resolved <= time.total
    return Dossier(
        index=index,
        external_id=external_id,
        procedure=draft.procedure.code,
        field=draft.field.slug,
        channel=draft.channel,
        return_channel=draft.return_channel,
        unit=draft.field.division,
        submitted_at=draft.submitted_at,
        accepted_at=draft.accepted_at,
        steps=tuple(_completed(draft, resolved - draft.accepted, time)),
        resolved_at=time.instant(resolved) if is_resolved else None,
        returned_at=time.instant(returned) if returned <= time.total else None,
        outcome=(Outcome.REFUSED if draft.refused else Outcome.GRANTED) if is_resolved else None,
    )


def _completed(draft: _Draft, seconds: int, time: WorkingTime) -> Iterator[Step]:
    """The steps that end by the close."""
    for step, passed in draft.steps:
        position = draft.accepted + int(seconds * passed)
        if position <= time.total:
            unit = draft.field.division if step.unit == DIVISION else step.unit
            yield Step(time.instant(position), step.step, unit)


def moments(dossier: Dossier) -> Iterator[tuple[datetime, str]]:
    """When what happened, in order: the types of the facts, from `submitted` to `returned`."""
    steps = zip((step.occurred_at for step in dossier.steps), repeat("step_completed"), strict=False)
    ends = [(dossier.resolved_at, "resolved"), (dossier.returned_at, "returned")]
    yield from chain([(dossier.submitted_at, "submitted"), (dossier.accepted_at, "accepted")], steps)
    yield from ((at, what) for at, what in ends if at is not None)
