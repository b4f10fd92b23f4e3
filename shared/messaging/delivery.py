"""From a raw record to a typed delivery, record by record: one bad byte harms nobody else."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from aiokafka import ConsumerRecord
from asyncpg.pgproto import pgproto
from pydantic import ValidationError

from shared.contracts.commands import COMMANDS
from shared.contracts.envelope import Envelope, EnvelopeError, from_headers, type_of
from shared.contracts.events import EVENTS, CaseEvent, Event
from shared.contracts.model import Contract
from shared.messaging.strict_json import check_json

LARGEST_VALUE = 1_000_000
"""Bytes of a value; HTTP takes no larger body either."""

REMEMBERED_TYPES = 100
"""Types that a consumer skips; strangers may invent more."""

BAD_HEADER, BAD_BODY = "bad_header", "bad_body"
"""Why a record could not be read: its envelope, or its value."""

Decode = Callable[[bytes | None], Any]
"""Reads a record's value into a body; raises ValueError (pydantic's included) when it cannot."""


class Delivery(NamedTuple):
    """One record that was understood. `case_id` is None for facts keyed by an agency or a source."""

    record: ConsumerRecord
    envelope: Envelope
    body: Any
    case_id: UUID | None


@dataclass(frozen=True, slots=True)
class Fault:
    """One record that was not: why, as a code, and where, without a word of its content."""

    record: ConsumerRecord
    type: str
    reason: str
    detail: str
    case_id: UUID | None = None


class Unwanted(NamedTuple):
    """A record of a type that this consumer does not take."""

    type: str


def decode_model(model: type[Contract]) -> Decode:
    """The decoder of a contract model."""
    validate: Callable[[bytes], Contract] = model.__pydantic_validator__.validate_json

    def decode(value: bytes | None) -> Contract:
        if value is None:
            raise ValueError("value: is null")
        if len(value) > LARGEST_VALUE:
            raise ValueError(f"value: is larger than {LARGEST_VALUE} bytes")
        body = validate(value)
        check_json(value, body)
        return body

    return decode


class Decoder:
    """Decodes what a consumer wants.

    `wanted` is the decoders by type, `unknown` the one of all other types; with `hear_all` no type of a case is skipped.
    With `ordered`, an unreadable record holds back what follows for the case that its key names; commands are independent
    of each other, and a stranger's bad one must hold back nobody.
    """

    def __init__(
        self, wanted: Mapping[str, Decode], *, hear_all: bool = False, ordered: bool = True, unknown: Decode | None = None
    ) -> None:
        self._wanted = {name.encode(): decode for name, decode in wanted.items()}
        self._hear_all, self._ordered, self._unknown = hear_all, ordered, unknown
        self._skipped: dict[bytes, Unwanted | None] = {}

    def read(self, record: ConsumerRecord) -> Delivery | Fault | Unwanted:
        """Understand one record."""
        raw_type = type_of(record.headers)
        if raw_type is None:
            return self._fault(record, "", BAD_HEADER, "ce_type: is missing")
        decode = self._wanted.get(raw_type, self._unknown)
        if decode is None and (unwanted := self._unwanted(raw_type)) is not None:
            return unwanted
        try:
            envelope = from_headers(record.headers)
            body = decode(record.value) if decode else None
            return Delivery(record, envelope, body, self._case_id(record, envelope, body))
        except EnvelopeError as error:
            reason, detail = BAD_HEADER, str(error)
        except ValidationError as error:
            reason, detail = BAD_BODY, _faults_of(error)
        except Exception as error:  # noqa: BLE001 - whatever a decoder raises is this record's fault and nobody else's
            reason, detail = BAD_BODY, str(error) if type(error) is ValueError else type(error).__name__
        return self._fault(record, _printed(raw_type), reason, detail)

    def _unwanted(self, raw_type: bytes) -> Unwanted | None:
        """What is skipped; a type that is no text may be a wanted one that was damaged, and is none."""
        if raw_type not in self._skipped:
            kind = _printed(raw_type)
            unwanted = Unwanted(kind) if _is_text(raw_type) and not (self._hear_all and kind.startswith("case.")) else None
            if len(self._skipped) >= REMEMBERED_TYPES:
                return unwanted
            self._skipped[raw_type] = unwanted
        return self._skipped[raw_type]

    @staticmethod
    def _case_id(record: ConsumerRecord, envelope: Envelope, body: Any) -> UUID | None:
        source, keyed_by_case = _rules_of(body.__class__)
        if source is not None:
            if envelope.source != source:
                raise EnvelopeError("ce_source", f"must be {source} for {body.type}")
            if envelope.sequence == 0:
                raise EnvelopeError("ce_sequence", "is missing")
            if not keyed_by_case:
                return None
            if envelope.agency != body.agency:
                raise EnvelopeError("ce_agency", "must be the agency of the body")
        case_id = _uuid(envelope.subject)
        if case_id is None:
            raise EnvelopeError("ce_subject", "must be a UUID")
        if record.key is None or record.key.partition(b"/")[0] != str(case_id).encode():
            raise EnvelopeError("key", "must be the case_id of ce_subject")
        return case_id

    def _fault(self, record: ConsumerRecord, kind: str, reason: str, detail: str) -> Fault:
        case_id = _case_of_key(record.key) if self._ordered else None
        return Fault(record, kind, reason, detail[:500].replace("\x00", "\ufffd"), case_id)


@functools.cache
def _rules_of(kind: type[object]) -> tuple[str | None, bool]:
    """Who states events of this type (None: it is no event), and whether a case is their key."""
    return (f"/{kind.stated_by}" if issubclass(kind, Event) else None), issubclass(kind, CaseEvent)


def _uuid(text: str) -> UUID | None:
    """The driver's own kind of UUID: made, compared, written and hashed ten times as fast as Python's, and equal to it."""
    try:
        made: UUID = pgproto.UUID(text)
    except ValueError:
        return None
    return made


def _printed(raw_type: bytes) -> str:
    """A type as it may be shown, and kept in a table."""
    return raw_type.decode(errors="replace").replace("\x00", "\ufffd")[:64]


def _is_text(raw: bytes) -> bool:
    """Whether it is UTF-8; a type that is not may be a wanted one that was damaged."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def known_type(kind: str) -> str:
    """The type itself when the contract knows it, else `other`: labels stay closed."""
    return kind if kind in EVENTS or kind in COMMANDS else "other"


def _case_of_key(key: bytes | None) -> UUID | None:
    return _uuid((key or b"").partition(b"/")[0].decode(errors="replace"))


def _faults_of(error: ValidationError) -> str:
    faults: Sequence[Any] = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'value'}: {each['type']}" for each in faults[:5])
