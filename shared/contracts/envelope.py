"""The envelope: CloudEvents 1.0, Kafka binary binding (https://github.com/cloudevents/spec, kafka-protocol-binding §3.2).

`ce_` headers carry the attributes and the record's value is the data as JSON. Routing, skipping and deduplication read the
headers only. Headers are read here, record by record, so that one bad byte cannot harm its neighbours.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from shared.contracts.words import Origin

SPEC_VERSION = "1.0"
JSON = b"application/json"
OCTETS = b"application/octet-stream"

Headers = list[tuple[str, bytes]]


class EnvelopeError(ValueError):
    """A header is missing or wrong. `field` names it and `rule` says what it must be; the value is never repeated."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field, self.rule = field, rule


@dataclass(frozen=True, slots=True)
class Envelope:
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
            ("ce_origin", self.origin.value.encode()),
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


def from_headers(headers: Iterable[tuple[str, bytes]]) -> Envelope:
    """Read the envelope of one record.

    Raises:
        EnvelopeError: A header is missing, is not UTF-8, or breaks its rule; the first fault found.
    """
    raw: dict[str, bytes] = {}
    for name, value in headers:
        if name in raw and name.startswith("ce_"):
            raise EnvelopeError(name, "is given twice")
        raw[name] = value
    if _text(raw, "ce_specversion") != SPEC_VERSION:
        raise EnvelopeError("ce_specversion", f"must be {SPEC_VERSION}")
    occurred_at = _time(raw, "ce_time")
    return Envelope(
        id=_text(raw, "ce_id"),
        type=_text(raw, "ce_type"),
        source=_text(raw, "ce_source"),
        subject=_text(raw, "ce_subject"),
        agency=_text(raw, "ce_agency"),
        occurred_at=occurred_at,
        recorded_at=_time(raw, "ce_recordedtime") if "ce_recordedtime" in raw else occurred_at,
        origin=_origin(raw),
        sequence=_sequence(raw),
        causation_id=_text(raw, "ce_causationid") if "ce_causationid" in raw else None,
    )


def _text(raw: Mapping[str, bytes], name: str, longest: int = 256) -> str:
    value = raw.get(name)
    if not value:
        raise EnvelopeError(name, "is missing")
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise EnvelopeError(name, "must be UTF-8") from None
    if len(text) > longest or not text.isprintable():
        raise EnvelopeError(name, f"must be printable and at most {longest} characters")
    return text


def _time(raw: Mapping[str, bytes], name: str) -> datetime:
    try:
        at = datetime.fromisoformat(_text(raw, name))
        if at.tzinfo is None:
            raise EnvelopeError(name, "must have an offset (RFC 3339)")
        return at.astimezone(UTC)
    except EnvelopeError:
        raise
    except (ValueError, OverflowError):
        raise EnvelopeError(name, "must be a time by RFC 3339") from None


def _origin(raw: Mapping[str, bytes]) -> Origin:
    try:
        return Origin(_text(raw, "ce_origin")) if "ce_origin" in raw else Origin.LIVE
    except ValueError as error:
        if isinstance(error, EnvelopeError):
            raise
        raise EnvelopeError("ce_origin", f"must be one of {', '.join(Origin)}") from None


def _sequence(raw: Mapping[str, bytes]) -> int:
    if "ce_sequence" not in raw:
        return 0
    text = _text(raw, "ce_sequence", 19)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**31):
        raise EnvelopeError("ce_sequence", "must be a whole number of 1 or more")
    return int(text)
