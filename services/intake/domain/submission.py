"""What is filed: the body of `POST /v1/cases` and of one bulk line, checked in one pass that finds every fault.

Strings are limited and hold no control characters. The rules that need the catalogue or the time get both as validation
context (`FilingRules`), so that they speak together with the rules of form. A channel's own facts belong to that channel only
and may be left out: a body that names nothing but its channel is valid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from services.intake.domain.faults import Fault, NotValidError, not_valid
from services.intake.domain.people import Account, Address, Applicant, Filed, FreeText, Mail, Representative
from shared.catalogue import Catalogue
from shared.contracts.model import Code, Slug
from shared.contracts.words import Channel, Kind, OnlineLevel, Origin

__all__ = ["Applicant", "Fault", "NotValidError", "Representative", "Submission", "SubmissionLine", "read_submission"]

_V = TypeVar("_V")

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""How far `filed_at` may lie from the real time before it counts as past or future (ARCHITECTURE §7)."""

ENTRY_OF_POST: Final = timedelta(days=7)
"""How long after its hand-over a postal dossier may be entered by others than an importer; no law names a limit."""

EARLIEST_YEAR, LATEST_YEAR = 1900, 9998
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")

CHANNEL_OF: Final = {
    "counter": Channel.COUNTER,
    "officer": Channel.COUNTER,
    "online_level": Channel.ONLINE,
    "portal_account": Channel.ONLINE,
    "handed_over_at": Channel.POST,
    "postal_record": Channel.POST,
}
"""The facts of each channel (Decree 61/2018/NĐ-CP, art. 16)."""

RETURN_OF: Final = {"return_address": Channel.POST, "return_email": Channel.ONLINE, "return_account": Channel.ONLINE}
"""Where a result goes, by the way of its return."""


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


FiledAt = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_rfc3339), AfterValidator(_in_utc)]
MOST_DOCUMENTS: Final = 100


def _not_too_many(value: Any) -> Any:
    """Asked before the codes are, so that thousands of wrong ones are one fault."""
    if not isinstance(value, list):
        return value
    if len(value) > MOST_DOCUMENTS:
        raise ValueError(f"must hold at most {MOST_DOCUMENTS} codes")
    return tuple(value)


Documents = Annotated[tuple[Code, ...], Field(max_length=MOST_DOCUMENTS), BeforeValidator(_not_too_many)]
IdempotencyKey = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
"""1 to 200 printable ASCII characters without spaces."""


def _check_channel(value: _V, info: ValidationInfo) -> _V:
    """A fact of another channel is a fault."""
    known = info.data.get("channel")
    if value is not None and known is not None and known is not CHANNEL_OF[str(info.field_name)]:
        raise ValueError(f"must not be given: it belongs to the channel {CHANNEL_OF[str(info.field_name)]}")
    return value


def _check_return(value: _V, info: ValidationInfo) -> _V:
    """A place of another way of return is a fault, and so is one without the wish."""
    way = RETURN_OF[str(info.field_name)]
    if value is not None and info.data.get("return_channel", way) is not way:
        raise ValueError(f"must not be given: it belongs to the return_channel {way}")
    return value


_UNKNOWN: Final = object()


def check_procedure(code: str, info: ValidationInfo) -> str:
    """A procedure must be the agency's, and of the kind of the case."""
    procedure, kind = _rules(info).catalogue.of(info.data.get("agency")).get(code), info.data.get("kind")
    if procedure is None:
        raise ValueError("must be the code of a procedure in the catalogue (GET /v1/procedures)")
    if kind is not None and procedure.kind.value != kind.value:
        raise ValueError("must be a procedure of the same kind as the case's `kind`")
    return code


class Submission(Filed):
    """A case to open. `filed_at` is when the citizen filed it; without it, it is filed now.

    New fields stand at the end: their order is that of `canonical`.
    """

    agency: Slug
    kind: Kind
    procedure: Code
    channel: Channel
    applicant: Applicant | None = None
    documents: Documents = ()
    return_channel: Channel | None = None
    filed_at: FiledAt | None = None
    origin: Origin = Origin.LIVE
    counter: Slug | None = None
    officer: Slug | None = None
    online_level: OnlineLevel | None = None
    portal_account: Account | None = None
    handed_over_at: FiledAt | None = None
    postal_record: Annotated[Code | None, Field(validate_default=True)] = None
    representative: Representative | None = None
    note: FreeText | None = None
    return_address: Address | None = None
    return_email: Mail | None = None
    return_account: Account | None = None
    pre_intake_id: UUID | None = None
    matter: Slug | None = None

    @field_validator("procedure")
    @classmethod
    def _in_the_catalogue(cls, code: str, info: ValidationInfo) -> str:
        return check_procedure(code, info)

    @field_validator("channel", "return_channel")
    @classmethod
    def _no_hotline_for_dossiers(cls, channel: Channel | None, info: ValidationInfo) -> Channel | None:
        """The hotline guides and takes feedback (Decree 61/2018/NĐ-CP, art. 15 and 16)."""
        if channel is Channel.HOTLINE and info.data.get("kind") is Kind.DOSSIER:
            raise ValueError("must be counter, online or post: the hotline is no channel for dossiers")
        return channel

    @field_validator("filed_at", "handed_over_at")
    @classmethod
    def _not_in_the_future(cls, at: datetime | None, info: ValidationInfo) -> datetime | None:
        if at is not None and at > _rules(info).now + CLOCK_TOLERANCE:
            raise ValueError("must not lie in the future")
        return at

    @field_validator("counter", "officer", "online_level", "portal_account", "handed_over_at")
    @classmethod
    def _of_its_channel(cls, value: Any, info: ValidationInfo) -> Any:
        return _check_channel(value, info)

    @field_validator("handed_over_at")
    @classmethod
    def _is_the_filing(cls, at: datetime | None, info: ValidationInfo) -> datetime | None:
        """The signing of the hand-over record is the legal filing (Decision 45/2016/QĐ-TTg, art. 7.4)."""
        filed_at = info.data.get("filed_at")
        if at is not None and filed_at is not None and at != filed_at:
            raise ValueError("must equal `filed_at` where both are given: the hand-over is the filing")
        return at

    @field_validator("postal_record")
    @classmethod
    def _with_its_time(cls, record: str | None, info: ValidationInfo) -> str | None:
        """A record needs the time of its signing, and the other way round; asked of every submission, so it is quick."""
        signed_at = info.data.get("handed_over_at", _UNKNOWN)
        if record is None and signed_at is None:
            return None
        _check_channel(record, info)
        if signed_at is not _UNKNOWN and (record is None or signed_at is None) and info.data.get("channel") is Channel.POST:
            raise ValueError("must be given together with `handed_over_at`: the record and the time of its signing")
        return record

    @field_validator("return_address", "return_email", "return_account")
    @classmethod
    def _of_its_return(cls, value: Any, info: ValidationInfo) -> Any:
        return _check_return(value, info)

    @field_validator("matter")
    @classmethod
    def _what_feedback_is_about(cls, matter: str | None, info: ValidationInfo) -> str | None:
        if matter is None:
            return None
        if info.data.get("kind", Kind.FEEDBACK) is not Kind.FEEDBACK:
            raise ValueError("must not be given: it belongs to the kind feedback")
        known = _rules(info).catalogue.matters
        if matter not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return matter

    @property
    def moment(self) -> datetime | None:
        """When it was filed, where somebody says so: a postal dossier when it was handed over."""
        return self.handed_over_at or self.filed_at

    def is_past(self, now: datetime) -> bool:
        """Whether it was filed longer ago than it may take to enter it."""
        moment = self.moment
        return moment is not None and moment < now - (CLOCK_TOLERANCE if self.handed_over_at is None else ENTRY_OF_POST)

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

    @field_validator("pre_intake_id")
    @classmethod
    def _one_by_one(cls, named: UUID | None) -> UUID | None:
        if named is not None:
            raise ValueError("must not be given in bulk: a dossier from a pre-intake is filed by itself")
        return named


_S = TypeVar("_S", bound=Submission)


def read_submission(model: type[_S], raw: bytes | bytearray, rules: FilingRules) -> _S:
    """Read one JSON document.

    Raises:
        NotValidError: With every fault, in the order of the fields; unknown fields last.
    """
    try:
        read: _S = model.__pydantic_validator__.validate_json(raw, context=rules)
    except ValidationError as error:
        raise not_valid(error) from None
    return read


def check_idempotency_key(key: str | None) -> list[Fault]:
    """The faults of the header `Idempotency-Key`: none, or one."""
    if key is not None and 0 < len(key) <= 200 and key.isascii() and key.isprintable() and " " not in key:
        return []
    rule = "must be given: 1 to 200 printable ASCII characters without spaces"
    return [Fault("/header/Idempotency-Key", rule, "missing" if key is None else "idempotency_key")]
