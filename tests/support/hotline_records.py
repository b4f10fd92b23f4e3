"""What no call centre should write to `hotline-events`: records, each with the field and the rule that its receipt names."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tests.support.hotline_malformed import AT, BODIES
from tests.support.spoiled import BAD_NAME
from tests.support.switchboard import NORMALISED, SOURCE

NOT_ONE = "not_a_cloudevent"
Headers = list[tuple[str, bytes | None]]
STRUCTURED = b"application/cloudevents+json"


class Record(NamedTuple):
    """A value, its headers, and the fault that its receipt names first: the field (None for any) and the rule."""

    value: bytes | None
    headers: Headers
    field: str | None
    rule: str


TICKET: dict[str, Any] = {"ticket_id": "n-malformed", "content": "Cây đổ", "classification": "other"}
NAMED = {
    "ce_specversion": b"1.0", "ce_id": b"n-malformed", "ce_type": b"hotline.ticket_opened", "ce_time": AT.encode(),
    "ce_source": f"/{NORMALISED}".encode(), "content-type": b"application/json",
}  # fmt: skip


def binary(source: str, *more: tuple[str, bytes | None]) -> Headers:
    """The headers of a CloudEvent in binary mode."""
    return [("ce_specversion", b"1.0"), ("ce_source", source.encode()), ("content-type", b"application/json"), *more]


def _ours(field: str | None, rule: str, data: Any = TICKET, **change: bytes | None) -> Record:
    """A record in our own contract, with these headers changed; one that becomes None is left out."""
    headers: Headers = [(name, value) for name, value in (NAMED | change).items() if value is not None]
    return Record(json.dumps(data).encode(), headers, field, rule)


def _document(field: str | None, rule: str, raw: bytes | None = None, **change: Any) -> Record:
    """A structured one, with these attributes changed; one that becomes `...` is left out."""
    document = {
        "specversion": "1.0", "id": "n-malformed", "source": f"/{NORMALISED}", "type": "hotline.ticket_opened", "time": AT,
        "data": TICKET,
    } | change  # fmt: skip
    kept = {name: value for name, value in document.items() if value is not ...}
    value = json.dumps(kept).encode()
    return Record(value if raw is None else value.replace(b'"?"', raw), [("content-type", STRUCTURED)], field, rule)


VENDOR = f"/{SOURCE}"
BINARY = {
    "nothing at all": Record(None, [], "source", "missing"),
    "no value": Record(None, binary(VENDOR), "body", "not_json"),
    "no source": Record(b"{}", [("ce_specversion", b"1.0")], "source", "missing"),
    "a source without a value": Record(b"{}", [("ce_source", None)], "source", "unknown_source"),
    "an unheard-of source": Record(b"{}", binary("/nobody"), "source", "unknown_source"),
    "a source in capitals": Record(b"{}", binary(VENDOR.upper()), "source", "unknown_source"),
    "a source with a blank": Record(b"{}", binary(VENDOR + " "), "source", "unknown_source"),
    "a source with a NUL": Record(b"{}", binary(VENDOR + "\x00"), "source", "unknown_source"),
    "a path for a source": Record(b"{}", binary(f"/../{SOURCE}"), "source", "unknown_source"),
    "a source of 100,000 letters": Record(b"{}", binary("/" + "x" * 100_000), "source", "unknown_source"),
    "two sources": Record(b"{}", binary(VENDOR, ("ce_source", b"/y")), "source", "repeated_name"),
    "two ids": Record(b"{}", binary(VENDOR, ("ce_id", b"a"), ("ce_id", b"a")), "id", "repeated_name"),
    "two content types": Record(b"{}", binary(VENDOR, ("Content-Type", STRUCTURED)), "datacontenttype", "repeated_name"),
    "a source that is no UTF-8": Record(b"{}", [("ce_source", b"\xff")], "source", "not_text"),
    "a type that is no UTF-8": Record(b"{}", binary(VENDOR, ("ce_type", b"\xc3\x28")), "type", "not_text"),
    "a header whose name is no UTF-8": Record(b"{}", binary(VENDOR, (BAD_NAME, b"")), "source", "missing"),
    "another version": Record(b"{}", [("ce_source", VENDOR.encode()), ("ce_specversion", b"0.3")], "specversion", NOT_ONE),
    "no id of ours": _ours("id", "missing", ce_id=None),
    "an empty id of ours": _ours("id", "missing", ce_id=b""),
    "an id of ours of two words": _ours("id", "bad_form", ce_id=b"a b"),
    "an id of ours of 300 letters": _ours("id", "too_long", ce_id=b"x" * 300),
    "no type of ours": _ours("type", "missing", ce_type=None),
    "a type that others state": _ours("type", "unknown_type", ce_type=b"case.submitted"),
    "no time of ours": _ours("time", "missing", ce_time=None),
    "a time of ours that is none": _ours("time", "not_a_time", ce_time=b"yesterday"),
    "no version of ours": _ours(None, NOT_ONE, ce_specversion=None),
    "another version of ours": _ours("specversion", NOT_ONE, ce_specversion=b"2.0"),
    "a number of ours below nothing": _ours("sequence", "out_of_range", ce_sequence=b"-1"),
    "a number of ours that is none": _ours("sequence", "not_whole", ce_sequence=b"many"),
    "a scope of ours of two words": _ours("sequencescope", "bad_form", ce_sequence=b"1", ce_sequencescope=b"a b"),
    "our contract with a field that it lacks": _ours("contents", "unknown_field", TICKET | {"contents": "x"}),
    "our contract without what it needs": _ours("ticket_id", "missing", {"content": "x"}),
    "our contract as a list": _ours(None, "not_an_object", [TICKET]),
    "our contract as nothing": _ours(None, "not_an_object", None),
    "our contract with a value of another type": _ours("content", "not_text", TICKET | {"content": 5}),
    "900,000 bytes": Record(b" " * 900_000, binary(VENDOR), "body", "too_large"),
}
DOCUMENTS = {
    "no JSON": Record(b"specversion", [("content-type", STRUCTURED)], "source", "missing"),
    "nothing": Record(None, [("content-type", STRUCTURED)], "source", "missing"),
    "a list of nothing": Record(b"[]", [("content-type", STRUCTURED)], "source", "missing"),
    "an object of nothing": Record(b"{}", [("content-type", STRUCTURED)], "source", "missing"),
    "20,000 lists": Record(b"[" * 20_000, [("content-type", STRUCTURED)], "source", "missing"),
    "300,000 bytes": _document("source", "missing", note="x" * 300_000),
    "a source that is a number": _document("source", "missing", source=5),
    "an unheard-of source": _document("source", "unknown_source", source="/nobody"),
    "no source": _document("source", "missing", source=...),
    "no version": _document("specversion", NOT_ONE, specversion=...),
    "another version": _document("specversion", NOT_ONE, specversion="0.3"),
    "a version that is a number": _document("specversion", NOT_ONE, specversion=1.0),
    "no id": _document("id", NOT_ONE, id=...),
    "an id that is a number": _document(None, NOT_ONE, id=5),
    "an id of two words": _document("id", "bad_form", id="a b"),
    "no type": _document("type", "missing", type=...),
    "a type that others state": _document("type", "unknown_type", type="case.accepted"),
    "a type that is a list": _document("type", "missing", type=[]),
    "no time": _document("time", "missing", time=...),
    "a time that is none": _document("time", "not_a_time", time="24:00"),
    "a time of another century": _document("time", "time_out_of_range", time="1890-01-01T00:00:00Z"),
    "data in base64": _document(None, NOT_ONE, data=..., data_base64="e30="),
    "no data": _document(None, "not_an_object", data=...),
    "data that is a text": _document(None, "not_an_object", data="{}"),
    "data without what it needs": _document("ticket_id", "missing", data={}),
    "data with a field too many": _document("x", "unknown_field", data=TICKET | {"x": 1}),
    "NaN": _document("body", "not_a_number", b"NaN", note="?"),
    "a name given twice": _document("body", "repeated_name", b'1, "id": "b"', note="?"),
    "40 lists": _document("body", "too_deep", b"[" * 40 + b"]" * 40, note="?"),
    "invalid UTF-8": Record(b'{"source": "/x\xff"}', [("content-type", STRUCTURED)], "source", "missing"),
    "half a surrogate pair": _document("data", "bad_form", b'"\\ud800"', data=TICKET | {"content": "?"}),
    "another content type": Record(b"{}", [("content-type", b"application/xml")], "source", "missing"),
    "another kind of CloudEvents": Record(b"\x00", [("content-type", b"application/cloudevents+avro")], "source", "missing"),
}
OF_VENDORS = {name: Record(each.body, binary(VENDOR), None, each.rule) for name, each in BODIES.items()}
