"""From a vendor's payload to hotline events, by its mapping. Never raises: what is not understood is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as Attributes
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from shared.hotline.blocks import Becomes, EventKind
from shared.hotline.cloudevents import Parcel, understand_normalised, unwrap
from shared.hotline.conversion import (
    LARGEST_SEQUENCE,
    LONGEST_ID,
    identifier,
    is_blank,
    moment,
    part_of_id,
    text,
    whole,
    word,
)
from shared.hotline.filling import Reader
from shared.hotline.mapping import Mapping
from shared.hotline.payload import read_payload
from shared.hotline.rules import Rule, UnfitError
from shared.hotline.said import Refused, Said, Understood, Wrong

MOST_EVENTS: Final = 1000
"""Events of one payload, all its CloudEvents together."""

_ENVELOPE: Final = frozenset({"specversion", "id", "type"})


def translate(
    mapping: Mapping, payload: bytes, attributes: Attributes[str, str] | None = None, *, structured: bool = False
) -> list[Understood]:
    """What a payload says, event by event, in its order.

    `attributes` are those of a CloudEvent in binary mode (`id`, `type`, `time` …, without prefix); expressions see them as `ce`,
    and the whole payload, where `events` takes it apart, as `envelope`. `structured` says that the payload is a CloudEvent in
    JSON, or a list of them, of which the mapping sees the data and, as `ce`, the attributes. So is every payload without
    such attributes of a source whose shape says so.
    """
    try:
        body = read_payload(payload)
        if structured or (mapping.shape != "vendor" and not _is_binary(attributes)):
            parcels = unwrap(body)
        else:
            parcels = [Parcel(dict(attributes or {}), body)]
        return _open_all(mapping, parcels)
    except UnfitError as error:
        return [Refused((Wrong("body", error.rule.value),))]


def _is_binary(attributes: Attributes[str, str] | None) -> bool:
    """Whether the attributes of a CloudEvent came beside its data; a content type alone is none."""
    return attributes is not None and not _ENVELOPE.isdisjoint(attributes)


def _open_all(mapping: Mapping, parcels: Sequence[Parcel | Refused]) -> list[Understood]:
    """The events of all parcels. Raises UnfitError when they are too many together, before most of them are looked at."""
    understood: list[Understood] = []
    if len(parcels) <= MOST_EVENTS:
        for parcel in parcels:
            understood += _open(mapping, parcel, MOST_EVENTS - len(understood))
    if max(len(parcels), len(understood)) > MOST_EVENTS:
        raise UnfitError(Rule.TOO_MANY_EVENTS)
    return understood


def _open(mapping: Mapping, parcel: Parcel | Refused, room: int) -> list[Understood]:
    if isinstance(parcel, Refused):
        return [parcel]
    if mapping.shape == "normalised":
        return [understand_normalised(mapping, parcel)]
    try:
        items = _items(mapping, parcel)
    except UnfitError as error:
        return [Refused((Wrong(mapping.events or "body", error.rule.value, mapping.line_of("events")),))]
    if len(items) > room:
        raise UnfitError(Rule.TOO_MANY_EVENTS)
    return [_understand(mapping, item, parcel) for item in items]


def _items(mapping: Mapping, parcel: Parcel) -> list[Any]:
    """The events that a body holds: a list gives several, anything else is one."""
    found = parcel.data
    if mapping.events is not None:
        reader = Reader(mapping, found)
        found = reader.find(mapping.events, "events")
        if reader.wrong or found is None:
            raise UnfitError(Rule.EXPRESSION_FAILED if reader.wrong else Rule.MISSING)
    return found if isinstance(found, list) else [found]


def _understand(mapping: Mapping, item: Any, parcel: Parcel) -> Understood:
    if not isinstance(item, dict):
        return Refused((Wrong(mapping.events or "body", Rule.NOT_AN_OBJECT.value, mapping.line_of("events")),))
    scope = {**item, "ce": parcel.attributes} if parcel.attributes else item
    reader = Reader(mapping, scope if mapping.events is None else {"envelope": parcel.data, **scope})
    event_id = _event_id(mapping, reader)
    agency = reader.agency()
    occurred_at = _time(mapping, reader)
    sequence, sequence_scope = _sequence(mapping, reader)
    becomes = _kind(mapping, reader)
    body = None
    if becomes is not None and becomes.kind is not EventKind.NOTHING:
        body = reader.fill(becomes.kind, mapping.blocks[becomes.kind])
    if reader.wrong or event_id is None or occurred_at is None or becomes is None:
        return Refused(tuple(reader.wrong), event_id, sequence, sequence_scope)
    ignored = becomes.reason if becomes.kind is EventKind.NOTHING else ""
    return Said(event_id, occurred_at, body, sequence, sequence_scope, ignored, agency)


def _event_id(mapping: Mapping, reader: Reader) -> str | None:
    """The source's own id, or one made of what identifies the event; a long one is its digest."""
    if mapping.id is not None:
        return reader.needed(mapping.id, identifier, "id")
    parts = [reader.needed(part, part_of_id, "id_from", place) for place, part in enumerate(mapping.id_from or [])]
    if None in parts:
        return None
    made = "/".join(map(str, parts))
    return made if len(made) <= LONGEST_ID else hashlib.sha256(made.encode()).hexdigest()


def _time(mapping: Mapping, reader: Reader) -> datetime | None:
    time = mapping.time
    if time is None:
        return None
    return reader.needed(time.expression, lambda raw: moment(raw, time), "time")


def _sequence(mapping: Mapping, reader: Reader) -> tuple[int | None, str]:
    """The event's number and its scope; an event without a number is taken without one."""
    sequence = mapping.sequence
    if sequence is None or is_blank(raw := reader.find(sequence.expression, "sequence")):
        return None, ""
    counted = reader.attempt(lambda: whole(raw, LARGEST_SEQUENCE), sequence.expression, "sequence")
    if counted is not None and counted < 0:
        reader.refuse(sequence.expression, Rule.OUT_OF_RANGE, "sequence")
    if sequence.scope is None:
        return counted, ""
    scope = reader.find(sequence.scope, "sequence", "scope")
    if is_blank(scope):
        return counted, ""
    named = reader.attempt(lambda: identifier(text(scope)), sequence.scope, "sequence", "scope")
    return (None, "") if named is None else (counted, named)


def _kind(mapping: Mapping, reader: Reader) -> Becomes | None:
    kind = mapping.kind
    if kind is None or kind.expression is None or kind.table is None:
        return kind.value if kind is not None else None
    found = reader.needed(kind.expression, word, "kind", "expression")
    if found is None:
        return None
    becomes = kind.table.get(found, kind.otherwise)
    if becomes is None:
        reader.refuse(kind.expression, Rule.UNKNOWN_WORD, "kind", "table")
    return becomes
