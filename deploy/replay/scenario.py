"""The scenario file of a simulated year: strict models, and loading with errors that name the field.

Units: weights and factors have none and are relative; the `share`s of fields, channels, mixtures and
processes must add up to 1; working days have eight hours; `wait_minutes` and `return_hours` are working time.
"""

from __future__ import annotations

from datetime import date
from importlib import resources
from math import isclose
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import (
    AfterValidator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from deploy.replay.strict import Share, Spread, Strict
from deploy.replay.tasks import TaskPlan
from shared.contracts.model import Code, Label, Slug
from shared.contracts.words import Channel

DEFAULT_SCENARIO: Final = "scenario-2020.yaml"
DIVISION: Final = "division"
"""In a process: the unit of the case's field."""


class ScenarioError(ValueError):
    """The scenario cannot be used; one line naming the file, the field and the rule."""


def _adds_up(shares: list[float], what: str) -> None:
    if not isclose(sum(shares), 1, abs_tol=1e-6):
        message = f"shares of {what} must add up to 1, not {sum(shares):g}"
        raise ValueError(message)


class Bilingual(Strict):
    """A text for people: Vietnamese first."""

    vi: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]


class Agency(Strict):
    """Whose year it is."""

    code: Slug
    name: Bilingual
    dossier_code_prefix: Code


class Totals(Strict):
    """What the year must come to, and who says so."""

    received: PositiveInt
    resolved: NonNegativeInt
    source: str


class Weekdays(Strict):
    """A factor for each weekday; a make-up Saturday counts as a Friday."""

    mon: PositiveFloat
    tue: PositiveFloat
    wed: PositiveFloat
    thu: PositiveFloat
    fri: PositiveFloat

    def factor(self, on: date) -> float:
        """The factor of a date."""
        return (self.mon, self.tue, self.wed, self.thu, self.fri)[min(on.weekday(), 4)]


class Arrivals(Strict):
    """How acceptances spread over the days and over a day's eighths."""

    weekday: Weekdays
    month: dict[Annotated[int, Field(ge=1, le=12)], PositiveFloat]
    eighth_of_day: Annotated[list[PositiveFloat], Field(min_length=8, max_length=8)]

    @model_validator(mode="after")
    def _twelve_months(self) -> Arrivals:
        if len(self.month) != 12:
            raise ValueError("month needs a factor for each of 1 to 12")
        return self


def _files_dossiers(channel: Channel) -> Channel:
    if channel is Channel.HOTLINE:
        raise ValueError("the hotline is no channel for dossiers (Decree 61/2018/NĐ-CP, art. 15-16)")
    return channel


DossierChannel = Annotated[Channel, Field(strict=False), AfterValidator(_files_dossiers)]


class ChannelUse(Strict):
    """How one channel is used."""

    share: Share
    wait_minutes: Spread
    outside_hours: Share
    returned_by: dict[DossierChannel, Share]

    @model_validator(mode="after")
    def _whole(self) -> ChannelUse:
        _adds_up(list(self.returned_by.values()), "returned_by")
        return self


class ProcessStep(Strict):
    """One internal step; `unit` may be the word `division`."""

    step: Label
    unit: Slug
    share: Share


class Component(Strict):
    """One part of a mixture of handling times: in working days, or as a part of the committed limit."""

    share: Share
    working_days: Spread | None = None
    of_limit: Spread | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Component:
        if (self.working_days is None) == (self.of_limit is None):
            raise ValueError("give exactly one of working_days and of_limit")
        return self


class Handling(Strict):
    """A kind of work: how long it takes, and through which process."""

    process: str
    mixture: Annotated[list[Component], Field(min_length=1)]

    @model_validator(mode="after")
    def _whole(self) -> Handling:
        _adds_up([part.share for part in self.mixture], "mixture")
        return self


class LimitFrom(Strict):
    """A committed limit from a day on."""

    valid_from: date = Field(alias="from")
    working_days: PositiveInt


class ProcedureUse(Strict):
    """How often a procedure is asked for within its field, and its kind of work."""

    code: Code
    weight: PositiveFloat
    handling: str
    limits: list[LimitFrom] = Field(default_factory=list)

    def limit_on(self, on: date) -> int:
        """The committed limit in working days on a date; the first one before any."""
        versions = sorted(self.limits, key=lambda limit: limit.valid_from)
        known = [limit for limit in versions if limit.valid_from <= on] or versions[:1]
        return known[-1].working_days


class FieldUse(Strict):
    """A field's share of the year and the division that works on it."""

    slug: Slug
    share: Share
    division: Slug
    procedures: Annotated[list[ProcedureUse], Field(min_length=1)]


class Scenario(Strict):
    """Everything the model assumes."""

    simulated: Literal[True]
    title: Bilingual
    agency: Agency
    year: Annotated[int, Field(ge=2000, le=2100)]
    closing_on: date
    seed: int
    totals: Totals
    assumptions: Annotated[list[str], Field(min_length=1)]
    arrivals: Arrivals
    channels: dict[DossierChannel, ChannelUse]
    return_hours: dict[DossierChannel, Spread]
    refused_share: Share
    processes: dict[str, Annotated[list[ProcessStep], Field(min_length=1)]]
    handling: dict[str, Handling]
    fields: Annotated[list[FieldUse], Field(min_length=1)]
    tasks: TaskPlan | None = None

    @model_validator(mode="after")
    def _hangs_together(self) -> Scenario:
        if self.closing_on.year != self.year:
            raise ValueError("closing_on must lie in the year")
        _adds_up([use.share for use in self.channels.values()], "channels")
        _adds_up([use.share for use in self.fields], "fields")
        for name, steps in self.processes.items():
            _adds_up([step.share for step in steps], f"process {name}")
        return self

    @model_validator(mode="after")
    def _names_exist(self) -> Scenario:
        for name, handling in self.handling.items():
            if handling.process not in self.processes:
                message = f"handling.{name}: there is no process {handling.process!r}"
                raise ValueError(message)
        for used in [use.returned_by for use in self.channels.values()]:
            if missing := used.keys() - self.return_hours.keys():
                message = f"return_hours: {min(missing)} is a way of return but has no hours"
                raise ValueError(message)
        for procedure in (one for use in self.fields for one in use.procedures):
            self._check_procedure(procedure)
        return self

    def _check_procedure(self, procedure: ProcedureUse) -> None:
        handling = self.handling.get(procedure.handling)
        if handling is None:
            message = f"procedure {procedure.code}: there is no handling {procedure.handling!r}"
            raise ValueError(message)
        if not procedure.limits and any(part.of_limit for part in handling.mixture):
            message = f"procedure {procedure.code}: handling {procedure.handling!r} needs its limits"
            raise ValueError(message)


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in fault["loc"])
    text = fault["msg"].removeprefix("Value error, ")
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{where}: {text}{more}" if where else f"{text}{more}"


def parse_scenario(text: str, name: str) -> Scenario:
    """A scenario from YAML text; `name` is the file's name in errors. Raises ScenarioError."""
    try:
        return Scenario.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        message = f"{name}: not readable as YAML: {' '.join(str(error).split())}"
        raise ScenarioError(message) from None
    except ValidationError as error:
        message = f"{name}: {_first_fault(error)}"
        raise ScenarioError(message) from None


def load_scenario(path: Path | None = None) -> Scenario:
    """The scenario of a file, or the packaged one of 2020. Raises ScenarioError."""
    if path is None:
        return parse_scenario(
            resources.files("deploy.replay").joinpath(DEFAULT_SCENARIO).read_text(encoding="utf-8"),
            DEFAULT_SCENARIO,
        )
    try:
        return parse_scenario(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path.name}: cannot be read: {error}"
        raise ScenarioError(message) from None
