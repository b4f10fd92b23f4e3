"""A mapping file: what the attributes of a log mean; strict, so that a misspelt key is an error."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from deploy.imports.errors import ImportFileError
from shared.contracts.model import Code, Slug
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


Attribute = Annotated[str, Field(min_length=1)]
"""The key of an attribute in the log."""


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
    table: dict[str, Annotated[Channel, Field(strict=False)]]


class CaseMapping(Strict):
    """Where a trace says who it is and how it came."""

    id: Attribute
    channel: ChannelMapping


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
    """A rule that looks at one attribute of the trace."""

    attribute: Attribute


class Mapping(Strict):
    """A whole mapping file."""

    title: Title
    source: str
    agency: Slug
    kind: Annotated[Kind, Field(strict=False)]
    procedure: Code
    time_zone: Annotated[str, AfterValidator(_known_zone)]
    case: CaseMapping
    event: EventMapping
    filed: Literal["first_event"]
    closed: Literal["every_case"] | FromAttribute

    @property
    def zone(self) -> ZoneInfo:
        """The zone of times without an offset."""
        return ZoneInfo(self.time_zone)


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
        fault = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise ImportFileError(path.name, place, fault["msg"].removeprefix("Value error, ")) from None


def packaged_mapping(log: Path) -> Path | None:
    """The shipped mapping for a log of this name: `receipt.xes.gz` → `mappings/receipt.yaml`; or None."""
    path = _FOLDER / f"{log.name.split('.', 1)[0]}.yaml"
    return path if path.is_file() else None
