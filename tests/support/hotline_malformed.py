"""What no call centre should send: bodies with the rule that each breaks, proofs of a sender that prove nothing, records."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

AT = datetime.now(UTC).isoformat()
GOOD: dict[str, Any] = {"id": "malformed", "kind": "ticket", "at": AT, "ticket": "t-malformed", "text": "Đèn đường hỏng"}
RATED: dict[str, Any] = {"id": "malformed", "kind": "rated", "at": AT, "ticket": "t-malformed", "score": 5}


class Broken(NamedTuple):
    """A body, how a webhook is answered that brings it, and the rule that it breaks."""

    body: bytes
    status: int
    rule: str


def _json(payload: Any) -> bytes:
    return json.dumps(payload, ensure_ascii=False).encode()


def _with(raw: bytes, name: str = "text") -> bytes:
    """A good body in which a value is written so."""
    return _json(GOOD | {name: "?"}).replace(b'"?"', raw)


def _refused(rule: str, **change: Any) -> Broken:
    return Broken(_json({name: value for name, value in (GOOD | change).items() if value is not ...}), 422, rule)


UNREADABLE = {
    "nothing": Broken(b"", 400, "not_json"),
    "half an object": Broken(_json(GOOD)[:-5], 400, "not_json"),
    "invalid UTF-8": Broken(_with(b'"\xff\xfe"'), 400, "not_json"),
    "overlong UTF-8": Broken(_with(b'"\xc0\xaf"'), 400, "not_json"),
    "UTF-16": Broken(json.dumps(GOOD).encode("utf-16"), 400, "not_json"),
    "byte order mark": Broken(b"\xef\xbb\xbf" + _json(GOOD), 400, "not_json"),
    "something behind": Broken(_json(GOOD) + b"{}", 400, "not_json"),
    "a comment": Broken(b"/* */" + _json(GOOD), 400, "not_json"),
    "single quotes": Broken(b"{'id': 'a'}", 400, "not_json"),
    "a trailing comma": Broken(_json(GOOD)[:-1] + b",}", 400, "not_json"),
    "a raw control character": Broken(_with(b'"a\nb"'), 400, "not_json"),
    "a form": Broken(b"id=a&kind=ticket", 400, "not_json"),
    "XML": Broken(b"<ticket><id>a</id></ticket>", 400, "not_json"),
    "a number of 60,000 digits": Broken(_with(b"9" * 60_000), 400, "not_json"),
    "a name given twice": Broken(b'{"id": "other", ' + _json(GOOD)[1:], 400, "repeated_name"),
    "a name given twice, once escaped": Broken(b'{"\\u0069d": "other", ' + _json(GOOD)[1:], 400, "repeated_name"),
    "a name given twice inside": Broken(_with(b'{"a": 1, "a": 2}'), 400, "repeated_name"),
    "NaN": Broken(_with(b"NaN"), 400, "not_a_number"),
    "infinity": Broken(_with(b"-Infinity"), 400, "not_a_number"),
    "a number beyond all": Broken(_with(b"1e999"), 400, "not_a_number"),
    "40 lists": Broken(_with(b"[" * 40 + b"]" * 40), 400, "too_deep"),
    "20,000 lists": Broken(_with(b"[" * 20_000 + b"]" * 20_000), 400, "too_deep"),
    "10,000 objects without an end": Broken(_with(b'{"a":' * 10_000), 400, "too_deep"),
}
NOT_UNDERSTOOD = {
    "null": Broken(b"null", 422, "missing"),
    "a number": Broken(b"5", 422, "not_an_object"),
    "a text": Broken(b'"text"', 422, "not_an_object"),
    "a list in a list": Broken(b"[[]]", 422, "not_an_object"),
    "1,001 events": Broken(_json({"events": [GOOD] * 1001}), 422, "too_many_events"),
    "no id": _refused("missing", id=...),
    "a null id": _refused("missing", id=None),
    "an id that is an object": _refused("not_text", id={}),
    "an id of two words": _refused("bad_form", id="a b"),
    "an id of 300 letters": _refused("too_long", id="x" * 300),
    "no time": _refused("missing", at=...),
    "a time without an offset": _refused("not_a_time", at="2026-11-26T03:00:00"),
    "a day that is none": _refused("not_a_time", at="2026-02-30T03:00:00Z"),
    "a time of another century": _refused("time_out_of_range", at="1890-01-01T00:00:00Z"),
    "a time of last month": _refused("too_old", at=(datetime.now(UTC) - timedelta(days=14)).isoformat()),
    "a time of the day after tomorrow": _refused("in_the_future", at=(datetime.now(UTC) + timedelta(days=2)).isoformat()),
    "no kind": _refused("missing", kind=...),
    "an unheard-of kind": _refused("unknown_word", kind="'; drop table cases"),
    "a kind that is a list": _refused("not_text", kind=["ticket"]),
    "a number below nothing": _refused("out_of_range", seq=-1),
    "half a number": _refused("not_whole", seq=1.5),
    "a number that is none": _refused("not_whole", seq="many"),
    "half a surrogate pair": Broken(_with(b'"\\ud800"'), 422, "not_text"),
    "a NUL": Broken(_with(b'"a\\u0000b"'), 422, "not_text"),
    "5,000 letters": _refused("too_long", text="x" * 5000),
    "an unheard-of class": _refused("unknown_word", **{"class": "urgent"}),
    "a telephone that is none": _refused("bad_form", phone="call me"),
    "a code that is none": _refused("bad_form", code="../../etc/passwd"),
    "a score beyond five": Broken(_json(RATED | {"score": 6}), 422, "out_of_range"),
    "a ticket that nobody opened": Broken(_json(RATED), 422, "unknown_ticket"),
}
BODIES = UNREADABLE | NOT_UNDERSTOOD

Headers = list[tuple[bytes, bytes]]
Change = Callable[[bytes], bytes | None]
"""What becomes of the proof in a header; None leaves the header out."""

PROOFS: dict[str, Change] = {
    "left out": lambda _: None,
    "empty": lambda _: b"",
    "only its beginning": lambda proof: proof[:5],
    "cut by a letter": lambda proof: proof[:-1],
    "a letter too long": lambda proof: proof + b"A",
    "another last letter": lambda proof: proof[:-2] + (b"0" if proof[-2:-1] != b"0" else b"1") + proof[-1:],
    "another first letter": lambda proof: b"X" + proof[1:],
    "twice in one": lambda proof: proof + proof,
    "a list of itself": lambda proof: proof + b"," + proof,
    "upper and lower case exchanged": lambda proof: proof.swapcase(),
    "backwards": lambda proof: proof[::-1],
    "in quotes": lambda proof: b'"' + proof + b'"',
    "escaped for an address": lambda proof: quote(proof, safe="").encode(),
    "in base64": base64.b64encode,
    "as hexadecimals": lambda proof: proof.hex().encode(),
    "a tab inside": lambda proof: proof[:12] + b"\t" + proof[12:],
    "a blank inside": lambda proof: proof[:12] + b" " + proof[12:],
    "a byte that is no ASCII": lambda proof: proof + b"\xff",
    "a letter that looks the same": lambda proof: proof[:-2] + "а".encode() + proof[-1:],
    "the word null": lambda _: b"null",
    "an object": lambda _: b"{}",
    "8,000 letters": lambda _: b"A" * 8000,
    "30,000 blanks between letters": lambda _: b"a " * 15_000,
    "another scheme's word": lambda _: b"Digest username=x",
}
