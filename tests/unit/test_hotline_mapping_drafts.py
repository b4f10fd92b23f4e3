"""A draft from a sample: what it guesses, and what it leaves to a person."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.hotline.drafting import DraftError, draft
from shared.hotline.reading import MappingError, read_mapping
from shared.hotline.said import Said
from shared.hotline.translate import translate

SAMPLES = Path(__file__).parents[1] / "contract" / "samples" / "hotline"
TOLD = {"Nội dung": "Đèn đường hỏng", "Họ tên": "Nguyễn Mẫu", "Số điện thoại": "0900 000 001", "Lĩnh vực": "hạ tầng"}
OF_TWO: list[dict[str, Any]] = [
    {"loaiSuKien": "phieu.moi", "maSuKien": "sk-1", "thoiGian": "22/09/2026 09:12:44", "phieu": {"maPhieu": "P-17"} | TOLD},
    {"loaiSuKien": "danh_gia", "maSuKien": "sk-2", "thoiGian": "22/09/2026 10:00:00", "phieu": {"maPhieu": "P-17"}, "diem": "4"},
]


def decided(text: str) -> str:
    """The draft once a person has agreed to every guess."""
    return re.sub(r"\s*# TODO.*", "", text)


def understood(sample: Any) -> list[Any]:
    payload = json.dumps(sample).encode()
    return translate(read_mapping(decided(draft("vox", payload)), "vox.yaml"), payload)


def test_a_draft_is_whole_but_for_its_todo_lines_of_which_reading_tells_every_one() -> None:
    text = draft("vox", json.dumps(OF_TWO).encode())

    with pytest.raises(MappingError) as refused:
        read_mapping(text, "vox.yaml")
    assert {fault.rule for fault in refused.value.faults} == {"todo"}
    assert [fault.line for fault in refused.value.faults] == [
        number for number, line in enumerate(text.splitlines(), 1) if "# TODO" in line
    ]


def test_vietnamese_names_with_and_without_accents_are_understood() -> None:
    opened, rated = understood(OF_TWO)

    assert opened.body.model_dump(mode="json", exclude_none=True) == {
        "ticket_id": "P-17",
        "content": "Đèn đường hỏng",
        "classification": "other",
        "matter": "other",
        "caller": {"name": "Nguyễn Mẫu", "phone": "0900000001"},
    }
    assert opened.occurred_at.isoformat() == "2026-09-22T02:12:44+00:00"
    assert (rated.event_id, rated.body.ticket_id, rated.body.score) == ("sk-2", "P-17", 4)


@pytest.mark.parametrize("source", ["stringee", "asterisk", "ticket-1022", "twilio"])
def test_a_real_vendor_s_draft_understands_the_sample_that_it_was_made_from(source: str) -> None:
    sample = min((SAMPLES / source / "samples").iterdir()).read_bytes()
    mapping = read_mapping(decided(draft(source, sample)), f"{source}.yaml")

    assert all(isinstance(each, Said) for each in translate(mapping, sample)) == (
        source != "twilio"
    )  # its call id has no telling name


def test_an_envelope_with_one_list_is_taken_apart() -> None:
    text = draft(
        "pbx",
        json.dumps({"node": "a", "items": [{"Event": "QueueCallerJoin", "Linkedid": "1", "Timestamp": "1790066400.1"}]}).encode(),
    )

    assert "events: items\n" in text
    assert "format: unix_s" in text


def test_an_id_of_something_inside_an_event_is_not_taken_for_the_event_s() -> None:
    text = draft("vox", b'{"event": "ticket.created", "time": "2026-09-22T09:00:00+07:00", "ticket": {"id": 5, "content": "x"}}')

    assert "id_from: [ticket.id, event, time]" in text
    assert "  ticket_id: ticket.id" in text


@pytest.mark.parametrize(
    ("given", "form"),
    [
        (1790066400, "format: unix_s"),
        ("1790066400.25", "format: unix_s"),
        (1790066400123, "format: unix_ms"),
        ("2026-09-22T09:00:00Z", "format: rfc3339}"),
        ("2026-09-22 09:00:00", "format: rfc3339, zone: Asia/Ho_Chi_Minh"),
        ("09:00 22/09/2026", 'format: "%H:%M %d/%m/%Y", zone: Asia/Ho_Chi_Minh'),
        ("a while ago", "# TODO: rfc3339, unix_s"),
    ],
)
def test_the_time_s_form_is_read_off_the_sample(given: Any, form: str) -> None:
    assert form in draft("vox", json.dumps({"event": "ticket.created", "timestamp": given, "ticket_id": "1"}).encode())


def test_lines_of_json_are_several_samples() -> None:
    first = b'{"id": "1", "event": "ringing", "time": 1790066400, "call_id": "c"}'
    lines = first + b'\n\n{"id": "2", "event": "ended", "time": 1790066401}\n'

    text = draft("vox", lines)

    assert "    ringing: call\n" in text
    assert "      ended: ended\n" in text


@pytest.mark.parametrize("word", ["on", "5", "null", "a: b", "# x", "- y", '"', "\\", "2026-09-22", "é\u2028x", "{", "*a"])
def test_a_word_that_yaml_would_read_as_something_else_is_quoted(word: str) -> None:
    sample = json.dumps({"id": "1", "event": word, "time": 1790066400, "call_id": "c", word: 1}).encode()

    mapping = read_mapping(decided(draft("vox", sample)), "vox.yaml")

    assert mapping.kind is not None
    assert set(mapping.kind.table or {}) in ({word}, set())


@pytest.mark.parametrize("sample", [b"", b"5", b"[]", b"[1, 2]", b"a,b\n1,2\n", b"\xff", b'{"a": NaN}'])
def test_what_is_no_sample_is_refused_in_words(sample: bytes) -> None:
    with pytest.raises(DraftError, match=r"\w+ \w+"):
        draft("vox", sample)
