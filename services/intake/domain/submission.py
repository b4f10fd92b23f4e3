"""What is filed: the body of `POST /v1/cases` and of one bulk line, checked in one pass that finds every fault.

Strings are limited and hold no control characters. The rules that need the catalogue or the time get both as validation
context (`FilingRules`), so that they speak together with the rules of form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, TypeVar
from unicodedata import category

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from shared.catalogue import Catalogue
from shared.contracts.model import Code, Slug
from shared.contracts.private import Contact, Email, Phone
from shared.contracts.words import Channel, Kind, Origin

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""How far `filed_at` may lie from the real time before it counts as past or future (ARCHITECTURE §7)."""

EARLIEST_YEAR, LATEST_YEAR = 1900, 9998
LONGEST_POINTER: Final = 128
_CONTROL: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_SHOULD: Final = re.compile(r"^\w+ should")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule: where (a JSON pointer into the body), what it must be, and the rule's code. Never the value."""

    pointer: str
    rule: str
    code: str

    def as_dict(self) -> dict[str, str]:
        """The fault as a member of the problem's `errors`."""
        return {"pointer": self.pointer, "rule": self.rule, "code": self.code}


class NotValidError(ValueError):
    """What was filed breaks rules; `faults` holds every one of them."""

    def __init__(self, faults: list[Fault]) -> None:
        """Keep the faults."""
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


@dataclass(frozen=True, slots=True)
class FilingRules:
    """What a filing is held against: the catalogue in force and the real time."""

    catalogue: Catalogue
    now: datetime


def _rules(info: ValidationInfo) -> FilingRules:
    if not isinstance(info.context, FilingRules):
        raise TypeError("a submission is read by read_submission, which brings the rules")
    return info.context


def _rfc3339(value: Any) -> str:
    """The text itself; pydantic alone would take a number of seconds too."""
    if not isinstance(value, str) or not _TIME.match(value):
        raise ValueError("must be a time by RFC 3339, with an offset")
    return value


def _in_utc(at: datetime) -> datetime:
    if at.year < EARLIEST_YEAR:
        raise ValueError("must not be earlier than the year 1900")
    if at.year > LATEST_YEAR:  # near the end of all time, the step to UTC would overflow
        raise ValueError("must not lie in the future")
    return at.astimezone(UTC)


def _no_control_characters(value: str) -> str:
    if not value.isprintable() and any(category(letter) in _CONTROL for letter in value):
        raise ValueError("must hold no control characters")
    return value


FiledAt = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_rfc3339), AfterValidator(_in_utc)]
PersonName = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_no_control_characters)]
Language = Annotated[str, StringConstraints(pattern=r"^(vi|en)$")]
IdempotencyKey = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
"""1 to 200 printable ASCII characters without spaces."""


class _Filed(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class Applicant(_Filed):
    """Who files, and where and in which language to tell them. Personal data."""

    name: PersonName | None = None
    email: Annotated[Email, AfterValidator(_no_control_characters)] | None = None
    phone: Phone | None = None
    language: Language = "vi"

    def contact(self) -> Contact | None:
        """What travels encrypted to the notification service; None when there is nothing personal to say."""
        if self.name is None and self.email is None and self.phone is None:
            return None
        return Contact(name=self.name, email=self.email, phone=self.phone, language=self.language)


class Submission(_Filed):
    """A case to open. `filed_at` is when the citizen filed it; without it, it is filed now."""

    agency: Slug
    kind: Kind
    procedure: Code
    channel: Channel
    applicant: Applicant | None = None
    documents: Annotated[tuple[Code, ...], Field(max_length=100)] = ()
    return_channel: Channel | None = None
    filed_at: FiledAt | None = None
    origin: Origin = Origin.LIVE

    @field_validator("procedure")
    @classmethod
    def _in_the_catalogue(cls, code: str, info: ValidationInfo) -> str:
        procedure, kind = _rules(info).catalogue.of(info.data.get("agency")).get(code), info.data.get("kind")
        if procedure is None:
            raise ValueError("must be the code of a procedure in the catalogue (GET /v1/procedures)")
        if kind is not None and procedure.kind.value != kind.value:
            raise ValueError("must be a procedure of the same kind as the case's `kind`")
        return code

    @field_validator("channel", "return_channel")
    @classmethod
    def _no_hotline_for_dossiers(cls, channel: Channel | None, info: ValidationInfo) -> Channel | None:
        """The hotline guides and takes feedback (Decree 61/2018/NĐ-CP, art. 15 and 16)."""
        if channel is Channel.HOTLINE and info.data.get("kind") is Kind.DOSSIER:
            raise ValueError("must be counter, online or post: the hotline is no channel for dossiers")
        return channel

    @field_validator("filed_at")
    @classmethod
    def _not_in_the_future(cls, at: datetime | None, info: ValidationInfo) -> datetime | None:
        if at is not None and at > _rules(info).now + CLOCK_TOLERANCE:
            raise ValueError("must not lie in the future")
        return at

    def is_past(self, now: datetime) -> bool:
        """Whether it was filed more than the tolerance ago."""
        return self.filed_at is not None and self.filed_at < now - CLOCK_TOLERANCE

    def canonical(self) -> bytes:
        """One text for one content: members in the order of the model, defaults left out, times in UTC.

        A default that is spelt out changes nothing, and neither does a field that a later version adds; the order of the
        fields, once published, stays.
        """
        text: bytes = self.__pydantic_serializer__.to_json(self, exclude_defaults=True, exclude={"idempotency_key"})
        return text


class SubmissionLine(Submission):
    """One line of a bulk file: a submission with its idempotency key."""

    idempotency_key: IdempotencyKey


_S = TypeVar("_S", bound=Submission)


def read_submission(model: type[_S], raw: bytes | bytearray, rules: FilingRules) -> _S:
    """Read one JSON document.

    Raises:
        NotValidError: With every fault, in the order of the fields; unknown fields last.
    """
    try:
        read: _S = model.__pydantic_validator__.validate_json(raw, context=rules)
    except ValidationError as error:
        raise NotValidError(_faults_of(error)) from None
    return read


def check_idempotency_key(key: str | None) -> list[Fault]:
    """The faults of the header `Idempotency-Key`: none, or one."""
    if key is not None and 0 < len(key) <= 200 and key.isascii() and key.isprintable() and " " not in key:
        return []
    rule = "must be given: 1 to 200 printable ASCII characters without spaces"
    return [Fault("/header/Idempotency-Key", rule, "missing" if key is None else "idempotency_key")]


def _faults_of(error: ValidationError) -> list[Fault]:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return [Fault(_pointer(detail["loc"]), _rule(detail), detail["type"]) for detail in details]


def _pointer(path: Iterable[int | str]) -> str:
    """RFC 6901; a name that is too long or not printable is shortened, since the client chose it."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    pointer = "".join(f"/{part}" for part in parts)
    return "".join(letter if letter.isprintable() else "?" for letter in pointer[:LONGEST_POINTER])


def _rule(detail: Mapping[str, Any]) -> str:
    match detail["type"]:
        case "missing":
            return "must be given"
        case "extra_forbidden":
            return "is not a field known here"
        case _:
            return _SHOULD.sub("must", str(detail["msg"]).removeprefix("Value error, "))
