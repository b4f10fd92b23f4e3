"""A mapping file: what the attributes or columns of a log mean; strict, so that a misspelt key is an error.

A log comes in two shapes. With `event`, it is a log of events: XES, or a table with a row for each event whose rows of one case
have the same id. With `steps`, it is a table with a row for each case, whose columns tell when its steps were done.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from deploy.imports.errors import ImportFileError
from shared.contracts.model import Code, Label, Slug
from shared.contracts.words import Channel, Kind

_FOLDER: Final = Path(__file__).parent / "mappings"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        message = f"there is no time zone {name!r}"
        raise ValueError(message) from None
    return name


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        message = f"not a regular expression: {error}"
        raise ValueError(message) from None
    return text


def _time_format(text: str) -> str:
    moment = datetime(2001, 12, 13, 14, 15)  # noqa: DTZ001 - a local time, as formats without an offset give
    try:
        same = datetime.strptime(moment.strftime(text), text).replace(tzinfo=None) == moment  # noqa: DTZ007 - likewise
    except ValueError:
        same = False
    if not same:
        raise ValueError("does not tell the day, the hour and the minute")
    return text


Attribute = Annotated[str, Field(min_length=1)]
"""The key of an attribute in the log, or the name of a column."""

ChannelWord = Annotated[Channel, Field(strict=False)]


class Strict(BaseModel):
    """Nothing is coerced, misspelt or changed."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Title(Strict):
    """What people read: Vietnamese first."""

    vi: Attribute
    en: Attribute


class ChannelMapping(Strict):
    """The log's word for a channel, and ours."""

    attribute: Attribute
    table: dict[str, ChannelWord]


class ProcedureMapping(Strict):
    """The log's word for what is asked for, and the procedure of the catalogue."""

    attribute: Attribute
    table: dict[str, Code]


class AgencyMapping(Strict):
    """The log's word for an office, and the agency; a word that is not in the table is a fault, so nothing goes elsewhere."""

    attribute: Attribute
    table: dict[str, Slug]


class CaseMapping(Strict):
    """Where a case says who it is and how it came; one channel for all where the log does not tell."""

    id: Attribute
    channel: ChannelWord | ChannelMapping


class OfficerMapping(Strict):
    """Who acted; kept only when the whole value matches the pattern of the log's pseudonyms."""

    attribute: Attribute
    pseudonym: Annotated[str, AfterValidator(_pattern)]


class UnitMapping(Strict):
    """Which unit acted; the words that mean nobody knows."""

    attribute: Attribute
    unknown: list[str] = []


class EventMapping(Strict):
    """Where an event says what happened, and when."""

    activity: Attribute
    time: Attribute
    officer: OfficerMapping | None = None
    unit: UnitMapping | None = None


class FromAttribute(Strict):
    """A rule that looks at one attribute of the case: it is there, or it has one of these values."""

    attribute: Attribute
    values: list[str] | None = None


class WordOf(Strict):
    """A name that stands in an attribute of the case."""

    attribute: Attribute


class StepMapping(Strict):
    """A step of which a row for a whole case tells the time; it was not done where there is none, unless it is `required`."""

    name: Label | WordOf
    time: Attribute
    required: bool = False
    unit: UnitMapping | None = None


class Mapping(Strict):
    """A whole mapping file."""

    title: Title
    source: str
    agency: Slug | AgencyMapping
    kind: Annotated[Kind, Field(strict=False)]
    procedure: Code | ProcedureMapping
    time_zone: Annotated[str, AfterValidator(_known_zone)]
    time_format: Annotated[str, AfterValidator(_time_format)] | None = None
    case_prefix: str = ""
    case: CaseMapping
    event: EventMapping | None = None
    steps: list[StepMapping] = []
    filed: Literal["first_event"]
    closed: Literal["every_case"] | FromAttribute
    disorder: Literal["refuse", "leave_out"] = "refuse"

    @model_validator(mode="after")
    def _one_shape(self) -> Mapping:
        if (self.event is None) == (not self.steps):
            raise ValueError("give exactly one of event and steps")
        return self

    @property
    def case_attributes(self) -> list[str]:
        """The attributes of a case that are read: nothing else of it ever leaves the file."""
        rules = (self.agency, self.case.channel, self.procedure, self.closed)
        return [self.case.id, *(rule.attribute for rule in rules if not isinstance(rule, str)), *_names_of(self.steps)]

    @property
    def columns(self) -> list[str]:
        """The columns that a table must have."""
        event = self.event
        of_events = [event.activity, event.time, *(one.attribute for one in (event.officer, event.unit) if one)] if event else []
        return [self.case_prefix + name for name in self.case_attributes] + of_events

    @property
    def zone(self) -> ZoneInfo:
        """The zone of times without an offset."""
        return ZoneInfo(self.time_zone)


def _names_of(steps: list[StepMapping]) -> Iterator[str]:
    for step in steps:
        yield step.time
        if isinstance(step.name, WordOf):
            yield step.name.attribute
        if step.unit is not None:
            yield step.unit.attribute


def load_mapping(path: Path) -> Mapping:
    """The mapping of a file. Raises ImportFileError naming the field."""
    try:
        return Mapping.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise ImportFileError(path.name, "", f"cannot be read: {error}") from None
    except yaml.YAMLError as error:
        rule = f"not readable as YAML: {' '.join(str(error).split())}"
        raise ImportFileError(path.name, "", rule) from None
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        of_first = [fault for fault in faults if fault["loc"][:1] == faults[0]["loc"][:1]]
        fault = max(of_first, key=lambda fault: len(fault["loc"]))  # of several forms, the one that was meant fits furthest
        place = ".".join(str(part) for part in fault["loc"] if part != "constrained-str")  # pydantic's name of one of two forms
        raise ImportFileError(path.name, place, fault["msg"].removeprefix("Value error, ")) from None


def packaged_mapping(log: Path) -> Path | None:
    """The shipped mapping for a log of this name: `receipt.xes.gz` → `mappings/receipt.yaml`; or None."""
    path = _FOLDER / f"{log.name.split('.', 1)[0]}.yaml"
    return path if path.is_file() else None
