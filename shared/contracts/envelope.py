"""The envelope: CloudEvents 1.0, Kafka binary binding (https://github.com/cloudevents/spec, kafka-protocol-binding §3.2).

`ce_` headers carry the attributes and the record's value is the data as JSON. Routing, skipping and deduplication read the
headers only. Headers are read here, record by record, so that one bad byte cannot harm its neighbours.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from shared.contracts.words import Origin

SPEC_VERSION = "1.0"
JSON = b"application/json"
OCTETS = b"application/octet-stream"

Headers = list[tuple[str, bytes]]

LONGEST_SEQUENCE = 19
"""Digits; leading zeros are taken."""


class EnvelopeError(ValueError):
    """A header is missing or wrong. `field` names it and `rule` says what it must be; the value is never repeated."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field, self.rule = field, rule


class Envelope(NamedTuple):
    """The attributes of one event or command.

    `occurred_at` is when it happened in the world, `recorded_at` when it was written; both are aware. `sequence` counts 1, 2,
    3 … per case and source; it is 0 for commands, which have none.
    """

    id: str
    type: str
    source: str
    subject: str
    agency: str
    occurred_at: datetime
    recorded_at: datetime
    origin: Origin
    sequence: int = 0
    causation_id: str | None = None

    @property
    def case_id(self) -> UUID:
        """The case that the subject names.

        Raises:
            EnvelopeError: The subject is no UUID.
        """
        try:
            return UUID(self.subject)
        except ValueError:
            raise EnvelopeError("ce_subject", "must be a UUID") from None

    def to_headers(self, content_type: bytes = JSON) -> Headers:
        """The record's headers, few and short."""
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", self.id.encode()),
            ("ce_type", self.type.encode()),
            ("ce_source", self.source.encode()),
            ("ce_subject", self.subject.encode()),
            ("ce_agency", self.agency.encode()),
            ("ce_time", format_time(self.occurred_at)),
            ("ce_recordedtime", format_time(self.recorded_at)),
            ("ce_origin", self.origin.encode()),
            ("content-type", content_type),
        ]
        if self.sequence:
            headers.append(("ce_sequence", b"%d" % self.sequence))
        if self.causation_id is not None:
            headers.append(("ce_causationid", self.causation_id.encode()))
        return headers


@functools.lru_cache(1000)
def format_time(at: datetime) -> bytes:
    """RFC 3339 in UTC; remembered, since all facts of a batch are recorded at one time."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z").encode()


def type_of(headers: Iterable[tuple[str, bytes]]) -> bytes | None:
    """The raw `ce_type`, or None; all that is read of a record that nobody here wants."""
    for name, value in headers:
        if name == "ce_type":
            return value
    return None


def from_headers(headers: Sequence[tuple[str, bytes]]) -> Envelope:
    """Read the envelope of one record.

    Words and times that many records share are remembered as read (a batch has one time of writing and few agencies).

    Raises:
        EnvelopeError: A header is missing, is not UTF-8, or breaks its rule; the first fault found.
    """
    raw = dict(headers)
    if len(raw) != len(headers):
        _refuse_repeated(headers)
    get = raw.get
    if get("ce_specversion") != b"1.0":
        _text("ce_specversion", get("ce_specversion"))
        raise EnvelopeError("ce_specversion", f"must be {SPEC_VERSION}")
    occurred_at = _time("ce_time", get("ce_time"))
    return Envelope(
        _text("ce_id", get("ce_id")),
        _word("ce_type", get("ce_type")),
        _word("ce_source", get("ce_source")),
        _text("ce_subject", get("ce_subject")),
        _word("ce_agency", get("ce_agency")),
        occurred_at,
        _time("ce_recordedtime", get("ce_recordedtime")) if "ce_recordedtime" in raw else occurred_at,
        _origin(get("ce_origin")) if "ce_origin" in raw else Origin.LIVE,
        _sequence(get("ce_sequence")) if "ce_sequence" in raw else 0,
        _text("ce_causationid", get("ce_causationid")) if "ce_causationid" in raw else None,
    )


def _refuse_repeated(headers: Iterable[tuple[str, bytes]]) -> None:
    """One of our own attributes twice could be read in two ways; what others add is theirs."""
    seen: set[str] = set()
    for name, _ in headers:
        if name in seen and name.startswith("ce_"):
            raise EnvelopeError(name, "is given twice")
        seen.add(name)


def _text(name: str, value: bytes | None, longest: int = 256) -> str:
    if not value:
        raise EnvelopeError(name, "is missing")
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise EnvelopeError(name, "must be UTF-8") from None
    if len(text) > longest or not text.isprintable():
        raise EnvelopeError(name, f"must be printable and at most {longest} characters")
    return text


_word = functools.lru_cache(1000)(_text)


@functools.lru_cache(1000)
def _time(name: str, value: bytes | None) -> datetime:
    try:
        at = datetime.fromisoformat(_text(name, value))
        if at.tzinfo is None:
            raise EnvelopeError(name, "must have an offset (RFC 3339)")
        return at.astimezone(UTC)
    except EnvelopeError:
        raise
    except (ValueError, OverflowError):
        raise EnvelopeError(name, "must be a time by RFC 3339") from None


@functools.lru_cache(1000)
def _origin(value: bytes | None) -> Origin:
    text = _text("ce_origin", value)
    try:
        return Origin(text)
    except ValueError:
        raise EnvelopeError("ce_origin", f"must be one of {', '.join(Origin)}") from None


def _sequence(value: bytes | None) -> int:
    digits = value if value and value.isdigit() and len(value) <= LONGEST_SEQUENCE else b"0"
    sequence = int(digits)
    if not 0 < sequence < 2**31:
        _text("ce_sequence", value)
        raise EnvelopeError("ce_sequence", "must be a whole number of 1 or more")
    return sequence
