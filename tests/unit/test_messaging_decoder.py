"""Hostile records, one by one: each has an outcome of its own, and what is refused is never repeated."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.commands import COMMANDS, CompleteStep
from shared.contracts.envelope import Envelope
from shared.contracts.events import EVENTS, StepCompleted
from shared.contracts.words import Kind, Origin
from shared.messaging.delivery import LARGEST_VALUE, Decoder, Delivery, Fault, Unwanted, decode_model

CASE_ID = UUID("01936f3c-0000-7000-8000-000000000001")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
GOOD = StepCompleted(agency="test", kind=Kind.DOSSIER, step="s1").model_dump_json().encode()
SAMPLES = Path(__file__).parents[1] / "contract" / "samples"
PLAIN = b'{"agency":"test","kind":"dossier","step":"s1"'
decoder = Decoder({StepCompleted.type: decode_model(StepCompleted)})


def record(value: bytes | None = GOOD, key: bytes | None = str(CASE_ID).encode(), **changes: Any) -> ConsumerRecord[Any, Any]:
    """A good event with some of its headers changed (None removes one), or given twice (a list)."""
    envelope = Envelope("id-1", StepCompleted.type, "/processing", str(CASE_ID), "test", NOW, NOW, Origin.LIVE, 1)
    headers = dict(envelope.to_headers()) | changes
    pairs = [(name, each) for name, found in headers.items() for each in (found if isinstance(found, list) else [found])]
    kept = tuple((name, each) for name, each in pairs if each is not None)
    return ConsumerRecord("case-events", 0, 1, 0, 0, key, value, None, 0, 0, kept)


@pytest.mark.parametrize(
    ("hostile", "reason", "detail"),
    [
        (record(value=None), "bad_body", "value: is null"),
        (record(value=b""), "bad_body", "value: json_invalid"),
        (record(value=b"{not json"), "bad_body", "value: json_invalid"),
        (record(value=b"[1, 2]"), "bad_body", "value: model_type"),
        (record(value=b"\xff\xfe{}"), "bad_body", "value: json_invalid"),
        (record(value=b'{"agency":"test","kind":"dossier"}'), "bad_body", "step: missing"),
        (record(value=PLAIN.replace(b"dossier", b"ticket") + b"}"), "bad_body", "kind: enum"),
        (record(value=b"[" * 100_000), "bad_body", "value: json_invalid"),
        (record(value=PLAIN + b',"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}"), "bad_body", "value: json_invalid"),
        (record(value=PLAIN + b',"x":"' + b"x" * LARGEST_VALUE + b'"}'), "bad_body", "is larger than 1000000 bytes"),
        (record(value=PLAIN + b',"x":NaN}'), "bad_body", "NaN and Infinity are no JSON"),
        (record(value=PLAIN + b',"x":-Infinity}'), "bad_body", "NaN and Infinity are no JSON"),
        (record(value=PLAIN + b',"step":"s2"}'), "bad_body", "a name is given twice"),
        (record(value=PLAIN + b', "step"\n: "s2"}'), "bad_body", "a name is given twice"),
        (record(value=PLAIN + b',"\\u0073tep":"s2"}'), "bad_body", "a name is given twice"),
        (record(value=PLAIN + b',"x":[{"y":{"z":1,"z":2}}]}'), "bad_body", "a name is given twice"),
        (record(ce_type=None), "bad_header", "ce_type: is missing"),
        (record(ce_type=b"case.\xff"), "bad_header", "ce_type: must be UTF-8"),
        (record(ce_type=[StepCompleted.type.encode()] * 2), "bad_header", "ce_type: is given twice"),
        (record(ce_id=None), "bad_header", "ce_id: is missing"),
        (record(ce_id=[b"a", b"b"]), "bad_header", "ce_id: is given twice"),
        (record(ce_source=b"\xc3\x28"), "bad_header", "ce_source: must be UTF-8"),
        (record(ce_source=b"/intake"), "bad_header", "ce_source: must be /processing"),
        (record(ce_subject=b"case 7"), "bad_header", "ce_subject: must be a UUID"),
        (record(ce_specversion=b"0.3"), "bad_header", "ce_specversion: must be 1.0"),
        (record(ce_time=b"2026-03-02T09:00:00"), "bad_header", "ce_time: must have an offset"),
        (record(ce_sequence=None), "bad_header", "ce_sequence: is missing"),
        (record(ce_sequence=b"-1"), "bad_header", "ce_sequence: must be a whole number"),
        (record(ce_origin=b"rumour"), "bad_header", "ce_origin: must be one of"),
        (record(ce_agency=b"other"), "bad_header", "ce_agency: must be the agency of the body"),
        (record(key=None), "bad_header", "key: must be the case_id"),
        (record(key=b"\xff"), "bad_header", "key: must be the case_id"),
    ],
)
def test_a_hostile_record_is_a_fault_with_its_reason(hostile: ConsumerRecord[Any, Any], reason: str, detail: str) -> None:
    fault = decoder.read(hostile)
    assert isinstance(fault, Fault)
    assert fault.reason == reason
    assert detail in fault.detail
    assert fault.case_id == (CASE_ID if hostile.key == str(CASE_ID).encode() else None)


def test_a_good_record_is_delivered_and_what_nobody_wants_is_skipped_unread() -> None:
    assert isinstance(decoder.read(record()), Delivery)
    assert isinstance(decoder.read(record(ce_type="case.đóng".encode(), ce_id=b"\xff", value=b"{")), Unwanted)


def test_an_unknown_type_is_read_by_the_decoder_for_unknown_ones_and_its_envelope_must_be_readable() -> None:
    commands = Decoder({"complete_step": decode_model(CompleteStep)}, ordered=False, unknown=lambda _: "unknown")
    known = commands.read(record(value=b"{", ce_type=b"dance"))
    assert isinstance(known, Delivery)
    assert known.body == "unknown"
    assert isinstance(commands.read(record(value=b'{"step":"s1"}', ce_type=b"complete_step")), Delivery)
    fault = commands.read(record(ce_type=b"dance", ce_id=None))
    assert isinstance(fault, Fault)
    assert fault.case_id is None


@pytest.mark.parametrize(
    "file", sorted(SAMPLES.glob("events/*.json")) + sorted(SAMPLES.glob("commands/*.json")), ids=lambda f: f.stem
)
def test_every_published_sample_is_unambiguous(file: Path) -> None:
    sample = json.loads(file.read_text())
    model = (EVENTS | COMMANDS)[sample["headers"]["ce_type"]]
    value = next(sample[name] for name in ("value", "data", "body") if name in sample)
    assert isinstance(decode_model(model)(json.dumps(value).encode()), model)


scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5)
documents = st.recursive(
    scalars, lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=3), each, max_size=3)
)


@given(st.dictionaries(st.text(max_size=3), documents, max_size=4), st.booleans())
def test_fields_that_nobody_knows_are_ignored_unless_one_is_given_twice(more: dict[str, Any], twice: bool) -> None:
    pairs = [(name, each) for name, each in more.items() if name not in StepCompleted.model_fields]
    raw = [f"{json.dumps(name)}:{json.dumps(each)}" for name, each in pairs]
    raw += raw[:1] if twice else []
    value = ",".join([PLAIN.decode(), *raw]).encode() + b"}"
    if twice and raw:
        with pytest.raises(ValueError, match="a name is given twice"):
            decode_model(StepCompleted)(value)
    else:
        assert decode_model(StepCompleted)(value).model_dump()["step"] == "s1"
