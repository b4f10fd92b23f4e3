"""What processing takes and answers over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Generic, TypeVar
from unicodedata import category
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError, model_validator
from pydantic_core import PydanticCustomError, from_json, to_json

from shared.contracts.commands import COMMANDS, Command
from shared.contracts.model import Instant
from shared.contracts.words import ClockMode, Kind, Origin
from shared.problems import Problem, faults_of

Item = TypeVar("Item")
CONTROL: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("time_range", "must lie in the years 1 to 9999") from None


Time = Annotated[Instant, AfterValidator(_in_utc)]


class Body(BaseModel):
    """A body that comes in; a field nobody knows is an error, and errors never show the input."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


def _known_command(name: str) -> str:
    if name not in COMMANDS:
        raise PydanticCustomError("unknown_command", "must be one of {names}", {"names": ", ".join(COMMANDS)})
    return name


def _text(value: str) -> str:
    if any(category(letter) in CONTROL and letter not in "\n\r\t" for letter in value):
        raise PydanticCustomError("control_characters", "must hold no control characters")
    return value


class Occasion(Body):
    """What every command says besides itself: its type, when it happened (default: now), and where it comes from.

    `note` is an officer's free text: it is sealed, and reaches no event.
    """

    type: Annotated[str, AfterValidator(_known_command)]
    occurred_at: Time | None = None
    origin: Origin = Origin.LIVE
    note: Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(_text)] | None = None


OCCASION_FIELDS: Final = frozenset(Occasion.model_fields)


@dataclass(frozen=True, slots=True)
class CommandBody:
    """A valid command with its occasion."""

    command: Command
    occurred_at: datetime | None
    origin: Origin
    note: str | None = field(default=None, repr=False)


def read_command(raw: bytes) -> CommandBody:
    """Read the body of `POST …/commands`.

    A field of the command comes before one of its occasion: the `occurred_at` of `correct` is when the corrected fact really
    happened, and the correction itself happens now.

    Raises:
        Problem: 422 with every fault at once.
    """
    try:
        content = from_json(raw)
    except (ValueError, RecursionError):
        raise _faulty([{"pointer": "/", "rule": "must be a JSON object", "code": "json_invalid"}]) from None
    if not isinstance(content, dict):
        raise _faulty([{"pointer": "/", "rule": "must be a JSON object", "code": "json_type"}])
    model = COMMANDS.get(content["type"]) if isinstance(content.get("type"), str) else None
    around = OCCASION_FIELDS.difference(model.model_fields) if model else OCCASION_FIELDS
    occasion, faults = _read(Occasion, {name: value for name, value in content.items() if name in around})
    own = {name: value for name, value in content.items() if name not in around}
    command, more = _read(model, own) if model else (None, [])
    if command is None or occasion is None:
        raise _faulty(faults + more)
    return CommandBody(command, occasion.occurred_at, occasion.origin, occasion.note)


_Model = TypeVar("_Model", bound=BaseModel)


def _read(model: type[_Model], content: dict[str, Any]) -> tuple[_Model | None, list[dict[str, str]]]:
    try:
        return model.model_validate_json(to_json(content)), []
    except ValidationError as error:
        return None, faults_of(error)


def _faulty(faults: list[dict[str, str]]) -> Problem:
    return Problem(422, "invalid", "The content is not valid", errors=faults)


def command_schema() -> dict[str, Any]:
    """The JSON schema of the body: one variant per command."""
    return {"oneOf": [_variant(model) for model in COMMANDS.values()]}


def _variant(model: type[Command]) -> dict[str, Any]:
    own, occasion = inlined(model.model_json_schema()), inlined(Occasion.model_json_schema())
    properties = occasion["properties"] | {"type": {"const": model.type}} | own["properties"]
    return own | {"properties": properties, "required": ["type", *own.get("required", ())]}


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without `$defs`: references are replaced by what they name."""
    definitions = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, list):
            return [resolve(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return resolve(definitions[node["$ref"].rpartition("/")[2]])
        return {name: resolve(value) for name, value in node.items()}

    resolved: dict[str, Any] = resolve(schema)
    return resolved


class ClockSetting(Body):
    """Where an agency's business clock is to stand; `at` belongs to a historical one."""

    mode: ClockMode
    at: Time | None = None

    @model_validator(mode="after")
    def _consistent(self) -> ClockSetting:
        if (self.mode is ClockMode.HISTORICAL) != (self.at is not None):
            raise PydanticCustomError("clock_at", "a historical clock needs `at`, a live one has none")
        return self


def read_clock_setting(raw: bytes) -> ClockSetting:
    """Read the body of `PUT …/clock`.

    Raises:
        Problem: 422 with every fault at once.
    """
    try:
        return ClockSetting.model_validate_json(raw)
    except ValidationError as error:
        raise _faulty(faults_of(error)) from None


# --- answers ---------------------------------------------------------------------------------------


class Answered(BaseModel):
    """A body that goes out."""

    model_config = ConfigDict(from_attributes=True)


class Page(Answered, Generic[Item]):
    """A page; `next` is the cursor of the following one, null on the last."""

    items: list[Item]
    next: str | None


def _codes(missing: str | None) -> list[str]:
    return missing.split(" ") if missing else []


def _count(known: int | None) -> int:
    return known or 0


class CaseBody(Answered):
    """A case as it stands. Times are in UTC.

    `holder` is the other agency that works on it, `answer_by` when that, or a unit, has to answer; `until` is the deadline of a
    supplement or a payment, `missing` the required documents that were not filed, `duty` what has to follow the result.

    `matter` is what feedback is about, `contacts` how often citizens asked after the case, last at `contacted_at`; `score` is how
    content they are with the answer, 1 to 5, and `reopenings` how often an answer was taken back.
    """

    case_id: UUID
    agency: str
    kind: Kind
    procedure: str
    procedure_version: int | None
    field: str | None
    channel: str
    return_channel: str | None
    status: int
    step: str | None
    unit: str | None
    code: str | None
    origin: Origin
    submitted_at: datetime
    accepted_at: datetime | None
    due_at: datetime | None
    statutory_due_at: datetime | None
    resolved_at: datetime | None
    returned_at: datetime | None
    outcome: str | None
    last_fact_at: datetime
    stopped_at: datetime | None = None
    stop_kind: str | None = None
    payment_vnd: int | None = None
    missing: Annotated[list[str], BeforeValidator(_codes)] = []
    holder: str | None = None
    until: datetime | None = None
    answer_by: datetime | None = None
    duty: str | None = None
    duty_by: datetime | None = None
    matter: str | None = None
    contacts: Annotated[int, BeforeValidator(_count)] = 0
    contacted_at: datetime | None = None
    score: int | None = None
    reopenings: Annotated[int, BeforeValidator(_count)] = 0


class StatedEvent(Answered):
    """An event that a command led to."""

    id: UUID
    type: str
    sequence: int
    occurred_at: datetime


class CommandDone(Answered):
    """A command that was carried out: where the case stands now, and what was stated."""

    case_id: UUID
    status: int
    code: str | None
    due_at: datetime | None
    events: list[StatedEvent]


class HistoryEvent(Answered):
    """One fact of a case's history; `data` is the event's body."""

    id: UUID
    type: str
    source: str
    sequence: int
    occurred_at: datetime
    recorded_at: datetime
    origin: Origin
    causation_id: str | None
    data: dict[str, Any]


class AgencyClockBody(Answered):
    """An agency's business clock: live, or historical and where it stands."""

    agency: str
    mode: ClockMode
    at: datetime | None
    business_time: datetime
