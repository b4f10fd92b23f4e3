"""CloudEvents 1.0 in JSON (https://github.com/cloudevents/spec, json-format §3), and sources that send our own contract."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import ValidationError

from shared.contracts.hotline import HOTLINE, HotlineEvent
from shared.hotline.conversion import LARGEST_SEQUENCE, identifier, is_blank, moment, whole
from shared.hotline.filling import Reader
from shared.hotline.mapping import Mapping
from shared.hotline.rules import Rule, rule_of
from shared.hotline.said import Refused, Said, Understood, Wrong
from shared.hotline.values import TimeValue

T = TypeVar("T")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_TIME: Final = TimeValue(expression="time")


class Parcel(NamedTuple):
    """One CloudEvent, or a plain body without attributes."""

    attributes: dict[str, str]
    data: Any


def unwrap(body: Any) -> list[Parcel | Refused]:
    """The CloudEvents of a structured body: one, or a list of them (a batch, §4)."""
    return [_parcel(item) for item in (body if isinstance(body, list) else [body])]


def _parcel(item: Any) -> Parcel | Refused:
    if not isinstance(item, dict):
        return Refused((Wrong("body", Rule.NOT_AN_OBJECT.value),))
    attributes = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in item.items()
        if name != "data" and isinstance(value, str | int)
    }
    if attributes.get("specversion") != "1.0" or "data_base64" in item or not isinstance(item.get("id"), str):
        return Refused((Wrong("specversion" if "id" in attributes else "id", Rule.NOT_A_CLOUDEVENT.value),))
    return Parcel(attributes, item.get("data"))


def understand_normalised(mapping: Mapping, parcel: Parcel) -> Understood:
    """An event whose attributes are the envelope and whose data is already a body of the contract.

    Its number is the attribute `sequence` (the CloudEvents extension), within `sequencescope`.
    """
    reader = Reader(mapping, {"ce": parcel.attributes})
    event_id = _attribute(reader, parcel, "id", identifier)
    occurred_at = _attribute(reader, parcel, "time", lambda raw: moment(raw, _TIME))
    contract = HOTLINE.get(parcel.attributes.get("type", ""))
    if contract is None:
        reader.refuse("type", Rule.UNKNOWN_TYPE if parcel.attributes.get("type") else Rule.MISSING)
    agency = reader.agency()
    sequence = _optional(reader, parcel, "sequence", lambda raw: whole(raw, LARGEST_SEQUENCE))
    if sequence is not None and sequence < 0:
        reader.refuse("sequence", Rule.OUT_OF_RANGE)
    scope = _optional(reader, parcel, "sequencescope", identifier)
    if scope is None and not is_blank(parcel.attributes.get("sequencescope")):
        sequence = None  # of which count it is cannot be told
    body = _body(reader, contract, parcel.data) if contract is not None else None
    if reader.wrong or event_id is None or occurred_at is None:
        return Refused(tuple(reader.wrong), event_id, sequence, scope or "")
    return Said(event_id, occurred_at, body, sequence, scope or "", "", agency)


def _attribute(reader: Reader, parcel: Parcel, name: str, read: Callable[[Any], T]) -> T | None:
    if is_blank(parcel.attributes.get(name)):
        reader.refuse(name, Rule.MISSING)
    return _optional(reader, parcel, name, read)


def _optional(reader: Reader, parcel: Parcel, name: str, read: Callable[[Any], T]) -> T | None:
    raw = parcel.attributes.get(name)
    return None if is_blank(raw) else reader.attempt(lambda: read(raw), name)


def _body(reader: Reader, contract: type[HotlineEvent], data: Any) -> HotlineEvent | None:
    """Read as JSON, where a time is a text; the data itself was read strictly before."""
    try:
        return contract.model_validate_json(json.dumps(data))
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            reader.refuse(_path(fault["loc"]), rule_of(fault))
        return None


def _path(places: tuple[int | str, ...]) -> str:
    """The field's name; one that the sender made up is shown only if it looks like a name."""
    names = [str(place) for place in places]
    return ".".join(name if _NAME.fullmatch(name) else "?" for name in names) or "data"
