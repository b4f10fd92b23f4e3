"""The envelope under any input: what is written is read, and what is wrong is named, never raised through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.commands import COMMANDS
from shared.contracts.envelope import Envelope, EnvelopeError, from_headers
from shared.contracts.events import EVENTS, Event
from shared.contracts.words import Origin
from shared.messaging.delivery import Decoder, Delivery, Fault, Unwanted, decode_model
from tests.contract.golden import Sample, make_record, names, read_sample

KNOWN = (
    "ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_agency", "ce_time", "ce_recordedtime", "ce_origin",
    "ce_sequence", "ce_causationid", "content-type",
)  # fmt: skip
REQUIRED = KNOWN[:7]
GOOD = read_sample("events/case.accepted.v1.json")
RECORDS = [read_sample(name) for name in names() if not name.startswith("private")]
EVERYTHING = Decoder({kind: decode_model(model) for kind, model in (EVENTS | COMMANDS).items()})
HEARS_ALL = Decoder({"case.accepted": decode_model(EVENTS["case.accepted"])}, hear_all=True)

offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=offsets)  # noqa: DTZ001 - zones are drawn
printable = st.characters(exclude_categories=("C", "Z")) | st.just(" ")
texts = st.text(printable, min_size=1, max_size=256)
envelopes = st.builds(
    Envelope,
    id=texts, type=texts, source=texts, subject=texts, agency=texts, occurred_at=moments, recorded_at=moments,
    origin=st.sampled_from(Origin), sequence=st.integers(0, 2**31 - 1), causation_id=st.none() | texts,
)  # fmt: skip
types = st.sampled_from([kind.encode() for kind in EVENTS | COMMANDS])
values = types | st.none() | st.binary(max_size=300) | st.text(max_size=40).map(str.encode)
wild_headers = st.lists(st.tuples(st.sampled_from(KNOWN) | st.text(max_size=20), values), max_size=16)


@given(envelopes)
def test_what_is_written_is_read(envelope: Envelope) -> None:
    read = from_headers(envelope.to_headers())

    assert read == envelope
    assert (read.occurred_at.tzinfo, read.recorded_at.tzinfo) == (UTC, UTC)


@given(wild_headers)
def test_any_headers_are_read_or_refused(headers: Any) -> None:
    try:
        envelope = from_headers(headers)
    except EnvelopeError as error:
        assert error.field in KNOWN  # noqa: PT017 - either way is right
    else:
        assert from_headers(envelope.to_headers()) == envelope


@given(st.sampled_from(KNOWN), values)
def test_one_spoilt_header_is_the_one_that_is_named(name: str, value: Any) -> None:
    try:
        from_headers(list(GOOD.headers_with(name, value).items()))
    except EnvelopeError as error:
        assert (error.field, len(str(error)) < 120) == (name, True)  # noqa: PT017 - either way is right


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_header_is_named(name: str) -> None:
    headers = [pair for pair in GOOD.raw_headers if pair[0] != name]

    with pytest.raises(EnvelopeError, match=f"{name}: is missing"):
        from_headers(headers)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_time", b"2026-11-16T09:05:17"),
        ("ce_time", b"yesterday"),
        ("ce_time", b"0001-01-01T00:00:00+14:00"),
        ("ce_sequence", b"0"),
        ("ce_sequence", b"-1"),
        ("ce_sequence", "١".encode()),
        ("ce_sequence", b"2147483648"),
        ("ce_origin", b"LIVE"),
        ("ce_specversion", b"0.3"),
        ("ce_id", b"\xff"),
        ("ce_agency", b"a\x00b"),
        ("ce_subject", b"x" * 257),
    ],
)
def test_a_wrong_header_is_named_and_not_repeated(name: str, value: bytes) -> None:
    with pytest.raises(EnvelopeError) as caught:
        from_headers(list(GOOD.headers_with(name, value).items()))

    assert caught.value.field == name
    assert str(caught.value).partition(": ")[0] == name
    assert not any(part in str(caught.value) for part in ("yesterday", "09:05", "xxx", "LIVE", "2147483648"))


@st.composite
def spoilt_records(draw: st.DrawFn) -> Any:
    """A golden sample with some of its parts replaced or doubled by anything."""
    sample: Sample = draw(st.sampled_from(RECORDS))
    headers: list[Any] = list(sample.raw_headers)
    for name, value in draw(st.lists(st.tuples(st.sampled_from(KNOWN), values), max_size=3)):
        place = draw(st.integers(0, len(headers)))
        headers[place : place + draw(st.integers(0, 1))] = [(name, value)]
    key = draw(st.just(sample.key.encode()) | st.none() | st.binary(max_size=60))
    body = draw(st.just(sample.raw_value) | values | st.sampled_from([b"[" * 5000, b'{"agency":1e999}', b'"\xed\xa0\x80"']))
    return make_record(headers, key, body)


@given(spoilt_records())
def test_no_record_raises(record: Any) -> None:
    for decoder in (EVERYTHING, HEARS_ALL):
        taken = decoder.read(record)

        assert isinstance(taken, Delivery | Fault | Unwanted)
        if isinstance(taken, Fault):
            assert "\x00" not in taken.detail + taken.type
            assert len(taken.detail) <= 500


@given(wild_headers, st.none() | st.binary(max_size=60), st.none() | st.binary(max_size=200))
def test_no_bytes_at_all_raise(headers: Any, key: bytes | None, value: bytes | None) -> None:
    assert isinstance(EVERYTHING.read(make_record(headers, key, value)), Delivery | Fault | Unwanted)


@given(spoilt_records())
def test_what_is_taken_agrees_with_itself(record: Any) -> None:
    taken = EVERYTHING.read(record)
    if not isinstance(taken, Delivery):
        return

    assert taken.envelope.type == taken.body.type
    if isinstance(taken.body, Event):
        assert taken.envelope.source == f"/{taken.body.stated_by}"
    if taken.case_id is not None:
        assert record.key == str(taken.case_id).encode()


@given(st.lists(st.tuples(st.sampled_from(["ce_type", "ce_id"]), values), max_size=4), st.booleans())
def test_the_type_is_read_once_however_often_it_is_given(more: Any, before: bool) -> None:
    headers = [*more, *GOOD.raw_headers] if before else [*GOOD.raw_headers, *more]

    taken = EVERYTHING.read(make_record(headers, GOOD.key.encode(), GOOD.raw_value))

    assert not isinstance(taken, Delivery) or taken.envelope.type == taken.body.type


def test_a_fact_of_another_service_is_refused() -> None:
    headers = GOOD.headers_with("ce_source", b"/intake").items()

    taken = EVERYTHING.read(make_record(list(headers), GOOD.key.encode(), GOOD.raw_value))

    assert isinstance(taken, Fault)
    assert (taken.reason, taken.detail) == ("bad_header", "ce_source: must be /processing for case.accepted")


def test_an_event_without_a_sequence_is_refused() -> None:
    headers = [pair for pair in GOOD.raw_headers if pair[0] != "ce_sequence"]

    taken = EVERYTHING.read(make_record(headers, GOOD.key.encode(), GOOD.raw_value))

    assert isinstance(taken, Fault)
    assert taken.detail == "ce_sequence: is missing"


def test_a_record_under_another_key_is_refused() -> None:
    taken = EVERYTHING.read(make_record(GOOD.raw_headers, b"018f0000-0000-7000-8000-000000000000", GOOD.raw_value))

    assert isinstance(taken, Fault)
    assert taken.detail.startswith("key: ")


def test_a_fault_of_the_body_names_the_field_and_not_its_value() -> None:
    taken = EVERYTHING.read(GOOD.record(b'{"agency": "Nguy\xe1\xbb\x85n", "kind": "dossier"}'))

    assert isinstance(taken, Fault)
    assert taken.reason == "bad_body"
    assert "agency: string_pattern_mismatch" in taken.detail
    assert "Nguy" not in taken.detail
