"""What a whole payload is: strict JSON, one event or several, a CloudEvent, or already our own contract."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.contracts.hotline import TicketRated
from shared.hotline.reading import read_mapping
from shared.hotline.said import Refused, Said, Wrong
from shared.hotline.translate import translate
from tests.support.vox import AT, HEAD, MAPPING, TICKET, mapping_with, one, payload, wrong


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "not_json"),
        (b"id=1&at=2", "not_json"),
        (b"{", "not_json"),
        (b"\xff\xfe{}", "not_json"),
        ('{"a": 1}'.encode("utf-16"), "not_json"),
        (b'{"a": 01}', "not_json"),
        (b'{"a": "\x01"}', "not_json"),
        (b"{'a': 1}", "not_json"),
        (b'{"a": 1} {"a": 1}', "not_json"),
        (b'{"a": ' + b"1" * 5000 + b"}", "not_json"),
        (b'{"a": 1, "a": 2}', "repeated_name"),
        (b'[{"x": {"a": 1, "\\u0061": 2}}]', "repeated_name"),
        (b'{"a": NaN}', "not_a_number"),
        (b'{"a": -Infinity}', "not_a_number"),
        (b'{"a": 1e999}', "not_a_number"),
        (b"[" * 33 + b"]" * 33, "too_deep"),
        (b"[" * 100_000 + b"]" * 100_000, "too_deep"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "too_deep"),
        (b'"' + b"x" * 262_143 + b'"', "too_large"),
        (b"[" + b"1," * 1000 + b"1]", "too_many_events"),
        (b"5", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"null", "not_an_object"),
    ],
)
def test_a_body_that_is_not_plainly_json_is_refused_whole(body: bytes, rule: str) -> None:
    assert [(field, each) for field, each, _ in wrong(body)] == [("body", rule)]


def test_a_list_gives_its_events_in_order_and_a_bad_one_harms_no_other() -> None:
    events = [TICKET, TICKET | {"id": None}, 5, TICKET | {"id": "e2"}]

    understood = translate(MAPPING, json.dumps(events).encode())

    assert [type(each) for each in understood] == [Said, Refused, Refused, Said]
    assert [each.event_id for each in understood] == ["e1", None, None, "e2"]


@pytest.mark.parametrize("parcels", [1, 2, 1000, 1001])
def test_many_events_are_refused_as_one_however_they_are_wrapped(parcels: int) -> None:
    mapping = mapping_with(id="shape: cloudevents\nid: id\nevents: items")

    def sent(events: int) -> list[Any]:
        wrapped = [{"specversion": "1.0", "id": f"{place}", "data": {"items": []}} for place in range(parcels)]
        for place in range(events):
            wrapped[place % parcels]["data"]["items"].append({})  # type: ignore[index]
        return translate(mapping, json.dumps(wrapped if parcels > 1 else wrapped[0]).encode())

    assert sent(1001) == [Refused((Wrong("body", "too_many_events"),))]
    assert len(sent(1000)) == (1000 if parcels <= 1000 else 1)


def test_no_more_events_are_looked_at_than_a_payload_may_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    mapping, looked = mapping_with(id="shape: cloudevents\nid: id\nevents: items"), list[Any]()
    monkeypatch.setattr("shared.hotline.translate._understand", lambda _mapping, item, _parcel: looked.append(item))
    many = {"specversion": "1.0", "id": "1", "data": {"items": [{}] * 900}}

    assert translate(mapping, json.dumps([many] * 9).encode()) == [Refused((Wrong("body", "too_many_events"),))]
    assert len(looked) == 900


def test_broken_cloudevents_count_as_events_too() -> None:
    mapping = mapping_with(id="shape: cloudevents\nid: id\nevents: items")
    full = {"specversion": "1.0", "id": "1", "data": {"items": [{}] * 1000}}

    assert len(translate(mapping, json.dumps([full]).encode())) == 1000
    assert translate(mapping, json.dumps([full, 5]).encode()) == [Refused((Wrong("body", "too_many_events"),))]


def test_no_events_are_no_events() -> None:
    assert translate(MAPPING, b"[]") == []


def test_a_payload_is_taken_apart_and_its_events_see_the_whole() -> None:
    mapping = mapping_with(id="id: id\nevents: batch.items", sequence="sequence: {expression: n, scope: envelope.node}")

    understood = translate(mapping, json.dumps({"node": "pbx", "batch": {"items": [TICKET | {"n": 1}]}}).encode())

    assert [(each.sequence, each.sequence_scope) for each in understood if isinstance(each, Said)] == [(1, "pbx")]
    assert wrong(b"{}", mapping) == [("batch.items", "missing", 7)]


def test_an_expression_that_cannot_be_applied_is_a_fault_of_that_field() -> None:
    mapping = mapping_with(id="id: join('-', parts)")

    assert wrong(payload(parts=5), mapping) == [("join('-', parts)", "expression_failed", 6)]
    assert isinstance(one(payload(parts=["a", "b"]), mapping), Said)


def test_an_id_made_of_parts_is_the_same_again_and_never_that_of_other_parts() -> None:
    mapping = mapping_with(id="id_from: [what, a, b]")
    ids = [one(payload(a=a, b=b), mapping).event_id for a, b in (("x/y", "z"), ("x", "y/z"), ("x y", "z"), (1, True), ("ạ", "z"))]

    assert ids == ["ticket/x%2Fy/z", "ticket/x/y%2Fz", "ticket/x%20y/z", "ticket/1/true", "ticket/%E1%BA%A1/z"]
    assert one(payload(a="x/y", b="z"), mapping).event_id == ids[0]
    assert wrong(payload(a="x", b=None), mapping) == [("b", "missing", 6)]
    assert wrong(payload(a="\ud800", b="x"), mapping) == [("a", "not_text", 6)]


def test_a_long_id_made_of_parts_is_its_digest() -> None:
    mapping = mapping_with(id="id_from: [a]")

    made = one(payload(a="x" * 300), mapping).event_id

    assert made is not None
    assert len(made) == 64
    assert made != one(payload(a="x" * 299), mapping).event_id


def test_the_attributes_of_a_cloudevent_can_be_used_in_expressions() -> None:
    mapping = mapping_with(id="id: ce.id", kind="kind:", time="time: ce.time")
    attributes = {"id": "from-header", "time": "2026-09-22T02:00:00Z", "type": "vox.ticket"}
    body = json.dumps({"what": "ticket", "ticket": "t1"})

    binary = translate(mapping, body.encode(), attributes)
    structured = translate(
        mapping, json.dumps(attributes | {"specversion": "1.0", "data": json.loads(body)}).encode(), structured=True
    )

    assert binary == structured
    assert [each.event_id for each in binary] == ["from-header"]


NORMALISED = read_mapping(HEAD.replace("expression: office", "expression: ce.office") + "shape: normalised\n", "n.yaml")
ATTRIBUTES = {"id": "n1", "type": "hotline.ticket_rated", "time": "2026-09-22T02:00:00Z", "sequence": "5", "sequencescope": "a"}
RATED = {"ticket_id": "t1", "score": 5}


def test_a_normalised_event_is_the_same_in_binary_and_in_structured_mode_and_in_a_batch() -> None:
    expected = Said("n1", AT, TicketRated(ticket_id="t1", score=5), 5, "a", "", "so-b")
    event = ATTRIBUTES | {"specversion": "1.0", "office": "B", "data": RATED}

    assert translate(NORMALISED, json.dumps(RATED).encode(), ATTRIBUTES | {"office": "B"}) == [expected]
    assert translate(NORMALISED, json.dumps(event).encode()) == [expected]
    assert translate(NORMALISED, json.dumps([event, event]).encode()) == [expected, expected]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"type": "hotline.unheard"}, (5, "a")), ({"sequence": "x"}, (None, "a")), ({"sequencescope": "no scope"}, (None, ""))],
)
def test_of_a_refused_normalised_event_the_number_is_told_as_far_as_it_can_be_read(
    changes: dict[str, str], expected: tuple[int | None, str]
) -> None:
    (refused,) = translate(NORMALISED, json.dumps(RATED).encode(), ATTRIBUTES | changes)

    assert isinstance(refused, Refused)
    assert (refused.sequence, refused.sequence_scope) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id": None}, ("id", "missing")),
        ({"id": "a b"}, ("id", "bad_form")),
        ({"time": "today"}, ("time", "not_a_time")),
        ({"type": "hotline.unheard"}, ("type", "unknown_type")),
        ({"type": None}, ("type", "missing")),
        ({"sequence": "x"}, ("sequence", "not_whole")),
        ({"sequence": "-1"}, ("sequence", "out_of_range")),
        ({"office": "Z"}, ("ce.office", "unknown_word")),
    ],
)
def test_a_fault_of_a_normalised_envelope_names_the_attribute(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    attributes = {name: value for name, value in (ATTRIBUTES | changes).items() if value is not None}

    assert [fault[:2] for fault in wrong(json.dumps(RATED).encode(), NORMALISED, attributes=attributes)] == [expected]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"ticket_id": "t1"}, ("score", "missing")),
        ({"ticket_id": "t1", "score": "5"}, ("score", "not_whole")),
        ({"ticket_id": "t1", "score": 5, "note": 1}, ("note", "unknown_field")),
        ({"ticket_id": "t1", "score": 5, "Nguyễn Văn A": 1}, ("?", "unknown_field")),
        ([], ("data", "not_an_object")),
        (None, ("data", "not_an_object")),
    ],
)
def test_a_fault_of_a_normalised_body_names_the_field(data: Any, expected: tuple[str, str]) -> None:
    assert [fault[:2] for fault in wrong(json.dumps(data).encode(), NORMALISED, attributes=ATTRIBUTES)] == [expected]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"specversion": "1.0"},
        {"specversion": "0.3", "id": "1"},
        {"specversion": "1.0", "id": "1", "data_base64": "e30="},
        [[]],
        5,
    ],
)
def test_what_is_no_cloudevent_is_refused(event: Any) -> None:
    assert wrong(json.dumps(event).encode(), NORMALISED)[0][1] in {"not_a_cloudevent", "not_an_object"}


def test_a_source_of_cloudevents_says_the_same_by_every_door() -> None:
    mapping = mapping_with(id="shape: cloudevents\nid: ce.id", time="time: ce.time")
    attributes = {"id": "c1", "time": "2026-09-22T02:00:00Z"}
    data = {"what": "ticket", "ticket": "t1"}
    event = json.dumps(attributes | {"specversion": "1.0", "data": data}).encode()

    by_webhook = translate(mapping, event)
    by_kafka = translate(mapping, json.dumps(data).encode(), attributes)

    assert [each.event_id for each in by_webhook] == ["c1"]
    assert by_webhook == by_kafka == translate(mapping, event, structured=True)
    assert by_webhook == translate(mapping, event, {"datacontenttype": "application/json"})
