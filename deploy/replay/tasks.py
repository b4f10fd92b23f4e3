"""The tasks of the year: what the city assigned to the agency, beside the dossiers and never counted with them.

How many were assigned and done is sourced, and so is how many key tasks and programmes there were. No source says when any
of them was due: they bring no deadline, and none of them is ever shown as late. Days and milestones are simulated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from deploy.replay.pace import choose_pace, handling_seconds
from deploy.replay.strict import Share, Spread, Strict
from deploy.replay.working_time import WorkingTime
from shared.contracts.model import Code, Slug

WHOLE = 100
"""Per cent."""
EARLY = 10
"""Key tasks and programmes begin in the first tenth of the year."""


class TaskUse(Strict):
    """One sort of assigned task: how many, and how many of them were done at the close."""

    code: Code
    assigned: PositiveInt
    done: NonNegativeInt

    @model_validator(mode="after")
    def _not_more_done(self) -> TaskUse:
        if self.done > self.assigned:
            raise ValueError("done must not be more than assigned")
        return self


class Undertaking(Strict):
    """Key tasks, or programmes: how many; they run through the year and show milestones."""

    code: Code
    count: PositiveInt


class TaskTotals(Strict):
    """What all tasks come to, and who says so."""

    assigned: PositiveInt
    done: NonNegativeInt
    source: str


class TaskPlan(Strict):
    """The tasks of the year. `handling_days` are working days; `milestones` the equal parts of an undertaking."""

    totals: TaskTotals
    assigned: Annotated[list[TaskUse], Field(min_length=1)]
    undertakings: list[Undertaking]
    units: Annotated[list[Slug], Field(min_length=1)]
    handling_days: Spread
    milestones: PositiveInt
    variation: Share

    @model_validator(mode="after")
    def _adds_up(self) -> TaskPlan:
        sums = sum(use.assigned for use in self.assigned), sum(use.done for use in self.assigned)
        if sums != (self.totals.assigned, self.totals.done):
            message = f"assigned comes to {sums[0]} with {sums[1]} done, the totals say otherwise"
            raise ValueError(message)
        return self


@dataclass(frozen=True, slots=True)
class Milestone:
    """A part of an undertaking that was reached before the close."""

    occurred_at: datetime
    milestone: str
    percent: int


@dataclass(frozen=True, slots=True)
class Task:
    """One task up to the close; `resolved_at` is None while it is open."""

    external_id: str
    procedure: str
    unit: str
    accepted_at: datetime
    milestones: tuple[Milestone, ...] = ()
    resolved_at: datetime | None = None


def make_tasks(plan: TaskPlan, time: WorkingTime, random: Random, prefix: str) -> tuple[Task, ...]:
    """The tasks in the order of their kinds; exactly as many are done at the close as the plan says."""
    assigned = [task for use in plan.assigned for task in _assigned(use, plan, time, random, prefix)]
    undertaken = [task for use in plan.undertakings for task in _undertaken(use, plan, time, random, prefix)]
    return tuple(assigned + undertaken)


def _assigned(use: TaskUse, plan: TaskPlan, time: WorkingTime, random: Random, prefix: str) -> Iterator[Task]:
    """Each has its own length; one pace for all leaves as many open as there were."""
    least, likely, most = plan.handling_days
    begins = sorted(random.randrange(1, time.total) for _ in range(use.assigned))
    lengths = [max(1.0, random.triangular(least, most, likely) * time.per_day) for _ in begins]
    critical = [(time.total - begin) / length for begin, length in zip(begins, lengths, strict=True)]
    pace = choose_pace(critical, use.assigned - use.done)
    for number, (begin, length) in enumerate(zip(begins, lengths, strict=True), 1):
        end = begin + handling_seconds(pace, length)
        resolved_at = time.instant(end) if end <= time.total else None
        yield Task(_id(prefix, use.code, number), use.code, _unit(plan.units, number), time.instant(begin), (), resolved_at)


def _undertaken(use: Undertaking, plan: TaskPlan, time: WorkingTime, random: Random, prefix: str) -> Iterator[Task]:
    """Equal parts over the year, each a little earlier or later; no source says that one was finished, so the last is not."""
    for number in range(1, use.count + 1):
        begin = random.randrange(1, time.total // EARLY)
        part = (time.total - begin) / plan.milestones
        reached = [
            Milestone(
                time.instant(begin + int(part * (place - plan.variation * random.random()))),
                f"milestone-{place}",
                WHOLE * place // plan.milestones,
            )
            for place in range(1, plan.milestones)
        ]
        yield Task(_id(prefix, use.code, number), use.code, _unit(plan.units, number), time.instant(begin), tuple(reached))


def _id(prefix: str, code: str, number: int) -> str:
    return f"{prefix}:{code}:{number:04d}"


def _unit(units: Sequence[str], number: int) -> str:
    return units[number % len(units)]
