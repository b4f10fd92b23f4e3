"""From bytes at a door to an arrival: whose they are, and what they say. Never raises: what is wrong is refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final

from services.intake.hotline.arrivals import Arrival, Door
from services.intake.hotline.sources import Source, Sources
from shared.hotline.mapping import UNKNOWN_SOURCE
from shared.hotline.payload import LARGEST_PAYLOAD
from shared.hotline.rules import Rule
from shared.hotline.said import Refused, Wrong
from shared.hotline.translate import translate

CONTENT_TYPE: Final = "datacontenttype"
"""The attribute that a payload's content type is kept as."""
STRUCTURED: Final = "application/cloudevents"
"""How the content type begins of CloudEvents that are JSON documents with their attributes."""
SPEC_VERSION: Final = "specversion"
"""The attribute that every CloudEvent has."""
VERSION: Final = "1.0"
"""What it says; of another version nobody knows here what its attributes mean."""
PREFIX: Final = "ce_"
UNKNOWN: Final = "unknown_source"
"""The rule that a record breaks whose source no mapping has."""
NOT_IN_FORCE: Final = "not_in_force"
"""The rule that one breaks whose source has a mapping that cannot be used now: once it can, the record is tried again."""

Attributes = Mapping[str, str]


class HeaderError(ValueError):
    """A record's header cannot be read in one way: which attribute it is, and the rule."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field, self.rule = field, rule


def arrive(source: Source, door: Door, payload: bytes, attributes: Attributes) -> Arrival:
    """A payload with what it says; `attributes` are those of CloudEvents that came beside it, its content type among them.

    At the webhook a vendor's own mapping sees all of the body, also when that is a CloudEvent of the vendor's.
    """
    if attributes.get(SPEC_VERSION, VERSION) != VERSION:
        wrong = [refused(SPEC_VERSION, Rule.NOT_A_CLOUDEVENT)]
        return Arrival(source.name, door, wrong, payload, attributes, source.mapping.home_agency or None)
    normalised = source.mapping.shape == "normalised"
    structured = is_structured(attributes) and (normalised or door is Door.KAFKA)
    beside = None if normalised and SPEC_VERSION not in attributes else attributes
    understood = translate(source.mapping, payload, beside, structured=structured)
    return Arrival(source.name, door, understood, payload, attributes, source.mapping.home_agency or None)


def arrive_from_kafka(sources: Sources, payload: bytes, attributes: Attributes) -> Arrival:
    """A record's value with what it says, by the mapping that knows its `source`."""
    named = _source_in(payload) if is_structured(attributes) else attributes.get("source")
    source = sources.of_ce_source(named) if named is not None else None
    if source is not None:
        return arrive(source, Door.KAFKA, payload, attributes)
    awaited = sources.awaited(named.removeprefix("/")) if named is not None else None
    if awaited is not None:
        return Arrival(awaited, Door.KAFKA, [refused("source", NOT_IN_FORCE)], payload, attributes)
    rule = Rule.MISSING if named is None else UNKNOWN
    return Arrival(UNKNOWN_SOURCE, Door.KAFKA, [refused("source", rule)], payload, attributes)


def is_structured(attributes: Attributes) -> bool:
    """Whether the attributes are inside of the payload."""
    return attributes.get(CONTENT_TYPE, "").lower().startswith(STRUCTURED)


def attributes_of(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """The attributes among a record's headers (CloudEvents, Kafka protocol binding).

    Raises:
        HeaderError: One is given twice, or is no UTF-8.
    """
    found: dict[str, str] = {}
    for header, value in headers:
        name = CONTENT_TYPE if header.lower() == "content-type" else header.removeprefix(PREFIX)
        if name == header:
            continue
        if name in found:
            raise HeaderError(name, Rule.REPEATED_NAME)
        try:
            found[name] = (value or b"").decode()
        except UnicodeDecodeError:
            raise HeaderError(name, Rule.NOT_TEXT) from None
    return found


def refused(field: str, rule: str) -> Refused:
    """A payload of which nothing is taken."""
    return Refused((Wrong(field, rule),))


def _source_in(payload: bytes) -> str | None:
    """The attribute `source` of a CloudEvent in JSON."""
    try:
        document = json.loads(payload) if len(payload) <= LARGEST_PAYLOAD else None
    except (ValueError, RecursionError):
        return None
    named = document.get("source") if isinstance(document, dict) else None
    return named if isinstance(named, str) else None
