"""Whatever a vendor sends: no traceback, the order of the events, and the same id when it is sent again."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

import shared.hotline
from shared.hotline.drafting import DraftError, draft
from shared.hotline.expressions import ExpressionError, search
from shared.hotline.reading import MappingError, read_mapping
from shared.hotline.rules import EXPLAINED, Rule
from shared.hotline.said import Refused, Said
from shared.hotline.translate import translate

FOLDER = Path(shared.hotline.__file__).with_name("mappings")
SAMPLES = Path(__file__).parents[1] / "contract" / "samples" / "hotline"
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.yaml"))}
MAPPINGS = {name: read_mapping(text, name) for name, text in TEXTS.items()}
PAYLOADS = {name: [json.loads(path.read_bytes()) for path in sorted((SAMPLES / name / "samples").iterdir())] for name in MAPPINGS}

sources = st.sampled_from(sorted(MAPPINGS))
odd: st.SearchStrategy[Any] = st.sampled_from([
    "", " ", "0", "-1", "1e999", "NaN", "\x00", "\ud800", "٣", "9" * 400, "ă" * 5000, "2026-09-22T00:00:00Z",
    "000.00.07.H24-201217-0023", 10**400, -(2**63), 2**63, 1e308, -0.0, True, False, None, [], {}, [[]], {"a": {}}, 1790066400000,
])  # fmt: skip
APPLIED = ("ceil(@)", "sum(@)", "to_number(@)", "sort_by(@, &a)", "minus(@, `1`)", "find_code(@)", "max(@)", "join('', @)")
texts = st.lists(st.text(min_size=1, max_size=20), min_size=2, max_size=2)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | odd,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, bytes]:
    """A source and one of its samples, in which a few values were replaced."""
    name = draw(sources)
    payload = json.loads(json.dumps(draw(st.sampled_from(PAYLOADS[name]))))
    for _ in range(draw(st.integers(0, 3))):
        holder, key = draw(st.sampled_from(list(places(payload)) or [([payload], 0)]))
        holder[key] = copy.deepcopy(draw(odd | values))
    return name, json.dumps(payload).encode()


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container inside, with each of its keys."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


def check(name: str, payload: bytes, **how: Any) -> None:
    """Understood or refused, by the rules that are written down, and again the same."""
    understood = translate(MAPPINGS[name], payload, **how)

    assert understood == translate(MAPPINGS[name], payload, **how)
    for each in understood:
        assert isinstance(each, Said | Refused)
        if isinstance(each, Said):
            assert each.event_id
            assert each.agency == "so-demo"
            assert (each.body is None) == bool(each.ignored)
            json.dumps(each.body.model_dump(mode="json") if each.body else None, ensure_ascii=False).encode()
        else:
            assert each.wrong
            assert all(type(wrong.rule) is str and Rule(wrong.rule) in EXPLAINED for wrong in each.wrong)


@given(sources, st.binary(max_size=300))
@example("normalised", b"\xef\xbb\xbf{}")
@example("stringee", b'{"a":' * 5000)
def test_any_bytes_are_understood_or_refused(name: str, payload: bytes) -> None:
    check(name, payload)


@given(sources, values)
def test_any_json_is_understood_or_refused(name: str, value: Any) -> None:
    check(name, json.dumps(value).encode())


@settings(max_examples=400)
@given(spoilt())
def test_any_spoilt_sample_is_understood_or_refused(case: tuple[str, bytes]) -> None:
    check(*case)


@given(
    sources,
    values,
    st.dictionaries(st.sampled_from(["id", "type", "time", "sequence", "x"]), st.text() | odd.map(str)),
    st.booleans(),
)
def test_any_attributes_are_understood_or_refused(name: str, value: Any, attributes: dict[str, str], structured: bool) -> None:
    check(name, json.dumps(value).encode(), attributes=attributes, structured=structured)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.booleans()), max_size=30))
def test_events_keep_their_order_and_a_repetition_has_the_same_id(numbers: list[tuple[int, bool]]) -> None:
    events = [
        {"event": "ticket.rated", "event_id": f"e{number}" if good else None, "occurred_at": "2026-09-22T09:00:00+07:00"}
        | {"ticket": {"code": f"t{number}"}, "rating": {"stars": 5}}
        for number, good in numbers
    ]

    understood = translate(MAPPINGS["ticket-1022"], json.dumps(events).encode())

    assert [each.event_id for each in understood] == [f"e{number}" if good else None for number, good in numbers]


@given(texts, texts)
def test_two_lists_of_parts_make_one_id_only_if_they_are_the_same(one: list[str], other: list[str]) -> None:
    text = TEXTS["stringee"].replace("id_from: [call_id, call_status, timestamp_ms]", "id_from: [a, b]")
    mapping = read_mapping(text, "stringee")
    base = PAYLOADS["stringee"][0]
    made = [translate(mapping, json.dumps(base | {"a": parts[0], "b": parts[1]}).encode())[0].event_id for parts in (one, other)]

    if None not in made:
        assert (made[0] == made[1]) == ([part.strip() for part in one] == [part.strip() for part in other])


@given(st.text(max_size=30), values)
def test_any_expression_is_refused_when_it_is_read_or_applied_without_a_traceback(expression: str, value: Any) -> None:
    text = TEXTS["normalised"].replace("agency: so-demo", f"agency: {json.dumps(expression)}")
    try:
        read_mapping(text, "x")
    except MappingError as error:
        assert error.faults  # noqa: PT017 - reading may also succeed
    for applied in (
        "ceil(@)",
        "sum(@)",
        "to_number(@)",
        "sort_by(@, &a)",
        "minus(@, `1`)",
        "find_code(@)",
        "max(@)",
        "join('', @)",
    ):
        try:
            search(applied, value)
        except ExpressionError:
            continue


def draft_lacks_nothing_but_its_decisions(sample: bytes) -> None:
    try:
        text = draft("vox", sample)
    except DraftError:
        return
    try:
        read_mapping(text, "vox.yaml")
    except MappingError as error:
        assert {fault.rule for fault in error.faults} == {"todo"}, text  # noqa: PT017 - reading may also succeed


@settings(max_examples=200)
@given(st.lists(values, min_size=1, max_size=4))
def test_any_sample_is_drafted_or_refused_and_a_draft_lacks_nothing_but_its_decisions(parts: list[Any]) -> None:
    draft_lacks_nothing_but_its_decisions(json.dumps(parts[0] if len(parts) == 1 else parts).encode())


@settings(max_examples=200)
@given(spoilt())
def test_a_spoilt_sample_of_a_real_vendor_is_drafted_likewise(case: tuple[str, bytes]) -> None:
    draft_lacks_nothing_but_its_decisions(case[1])
