"""What may be filed: every fault at once, no value ever repeated, and nothing but NotValidError for any bytes."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import ANY

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.filing import Filer, Refusal, refuse
from services.intake.domain.submission import (
    FilingRules,
    NotValidError,
    Submission,
    SubmissionLine,
    check_idempotency_key,
    read_submission,
)
from shared.catalogue import load_catalogue
from shared.contracts.words import Channel, Kind, Origin

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
RULES = FilingRules(load_catalogue(), NOW)
SMALLEST = {"agency": "ldtbxh-haiphong", "kind": "dossier", "procedure": "1.001806", "channel": "counter"}
OFFICER = Filer("officer-1", "officer", "ldtbxh-haiphong")
IMPORTER = Filer("importer-1", "importer", "ldtbxh-haiphong")


def read(body: Any, model: type[Submission] = Submission) -> Submission:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_submission(model, raw, RULES)


def faults(body: Any, model: type[Submission] = Submission) -> dict[str, str]:
    with pytest.raises(NotValidError) as caught:
        read(body, model)
    assert caught.value.faults
    return {fault.pointer: fault.rule for fault in caught.value.faults}


def test_the_smallest_submission_is_enough() -> None:
    submission = read(SMALLEST)
    assert (submission.kind, submission.channel, submission.origin) == (Kind.DOSSIER, Channel.COUNTER, Origin.LIVE)
    assert submission.filed_at is None
    assert submission.applicant is None


def test_every_fault_is_listed_at_once() -> None:
    body = {
        "agency": "Not A Slug",
        "kind": "dossier",
        "procedure": "9.999999",
        "channel": "hotline",
        "return_channel": "pigeon",
        "documents": ["ok", "bad\u0000code", 7],
        "filed_at": "2099-01-01T00:00:00Z",
        "origin": "dream",
        "applicant": {"email": "no-address", "phone": "12", "language": "fr", "age": 7},
        "colour": "red",
    }
    assert set(faults(body)) == {
        "/agency", "/procedure", "/channel", "/return_channel", "/documents/1", "/documents/2", "/filed_at",
        "/origin", "/applicant/email", "/applicant/phone", "/applicant/language", "/applicant/age", "/colour",
    }  # fmt: skip


def test_missing_fields_are_named_one_by_one() -> None:
    rules = faults({})
    assert set(rules) == {"/agency", "/kind", "/procedure", "/channel"}
    assert set(rules.values()) == {"must be given"}


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"\xff", b'{"agency": "\\ud800"}', b"{" * 10_000, b"nan"])
def test_what_is_no_json_object_is_one_fault_of_the_whole(raw: bytes) -> None:
    assert set(faults(raw)) == {""}


@pytest.mark.parametrize("letter", ["\x00", "\n", "\x1b", "\x7f", "\x85", "\u2028"])
def test_control_characters_are_refused_in_every_string(letter: str) -> None:
    text = f"a{letter}b"
    body = {
        "agency": text, "kind": text, "procedure": text, "channel": text, "documents": [text], "return_channel": text,
        "filed_at": text, "origin": text, "idempotency_key": text,
        "applicant": {"name": text, "email": f"{text}@example.vn", "phone": text, "language": text},
    }  # fmt: skip
    assert set(faults(body, SubmissionLine)) == {
        "/agency", "/kind", "/procedure", "/channel", "/documents/0", "/return_channel", "/filed_at", "/origin",
        "/idempotency_key", "/applicant/name", "/applicant/email", "/applicant/phone", "/applicant/language",
    }  # fmt: skip


def test_vietnamese_names_are_welcome() -> None:
    for name in ("Nguyễn Thị Minh Khai", "Nguye\u0302\u0303n", "Trần\u00a0Hưng Đạo"):
        applicant = read({**SMALLEST, "applicant": {"name": name}}).applicant
        assert applicant is not None
        assert applicant.name == name


NO_TIMES = (
    "2026-03-02", "2026-03-02T03:00:00", "1", "1600000000", 1600000000, "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
)  # fmt: skip


@pytest.mark.parametrize("at", NO_TIMES)
def test_a_time_must_be_rfc_3339_with_an_offset_and_of_our_age(at: Any) -> None:
    assert set(faults({**SMALLEST, "filed_at": at})) == {"/filed_at"}


def test_a_filing_a_little_ahead_of_our_clock_is_taken_and_one_further_ahead_is_not() -> None:
    assert read({**SMALLEST, "filed_at": (NOW + timedelta(minutes=5)).isoformat()})
    late = {**SMALLEST, "filed_at": (NOW + timedelta(minutes=5, seconds=1)).isoformat()}
    assert faults(late) == {"/filed_at": "must not lie in the future"}


def test_the_hotline_files_no_dossier_but_may_file_other_kinds() -> None:
    assert set(faults({**SMALLEST, "channel": "hotline"})) == {"/channel"}
    assert set(faults({**SMALLEST, "return_channel": "hotline"})) == {"/return_channel"}
    assert "/channel" not in faults({**SMALLEST, "kind": "feedback", "channel": "hotline"})


def test_the_procedure_must_be_of_the_cases_kind() -> None:
    assert set(faults({**SMALLEST, "kind": "task"})) == {"/procedure"}


def test_no_fault_repeats_what_was_sent() -> None:
    secret = "0912-345-678-SECRET"
    applicant = {"phone": secret, "email": secret, "name": secret + "\x00", "language": secret}
    body = {
        "agency": secret,
        "kind": secret,
        "procedure": secret,
        "channel": secret,
        "filed_at": secret,
        "documents": secret,
    }
    assert secret not in str(faults({**body, "applicant": applicant, "origin": secret}))


def test_a_fields_name_is_shown_short_and_printable() -> None:
    (pointer,) = faults({**SMALLEST, "a/b~c\n" + "x" * 500: 1})
    assert pointer.startswith("/a~1b~0c?xxx")
    assert len(pointer) == 128


def test_content_is_the_same_whatever_the_order_the_offset_and_spelt_out_defaults() -> None:
    one = {**SMALLEST, "filed_at": "2026-03-02T10:00:00+07:00", "documents": ["a", "b"]}
    two = {"documents": ["a", "b"], "origin": "live", "filed_at": "2026-03-02T03:00:00Z", "applicant": None, **SMALLEST}
    assert read(one).canonical() == read(two).canonical()
    assert read({**one, "documents": ["b", "a"]}).canonical() != read(one).canonical()


def test_a_bulk_line_has_the_same_content_as_the_single_filing() -> None:
    line = read({**SMALLEST, "idempotency_key": "k-1"}, SubmissionLine)
    assert line.canonical() == read(SMALLEST).canonical()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
bodies = st.dictionaries(st.sampled_from([*Submission.model_fields, "other"]), json_values, max_size=10)


@given(bodies, st.sampled_from([Submission, SubmissionLine]))
def test_any_json_is_read_or_refused_with_faults(body: dict[str, Any], model: type[Submission]) -> None:
    raw = json.dumps({**SMALLEST, **body}).encode()
    with contextlib.suppress(NotValidError):
        read_submission(model, raw, RULES).canonical()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_faults(raw: bytes) -> None:
    with pytest.raises(NotValidError):
        read(raw)


@given(st.datetimes(timezones=st.timezones()))
def test_any_moment_is_read_or_refused_with_faults(at: datetime) -> None:
    with contextlib.suppress(NotValidError):
        submission = read({**SMALLEST, "filed_at": at.isoformat()})
        assert submission.filed_at == at.astimezone(UTC)
        assert submission.canonical()


@pytest.mark.parametrize("key", ["k", "a" * 200, "3f6c-~!"])
def test_an_idempotency_key_of_printable_ascii_is_taken(key: str) -> None:
    assert check_idempotency_key(key) == []


@pytest.mark.parametrize("key", [None, "", "a" * 201, "two words", "ký", "a\tb", "\x7f"])
def test_any_other_idempotency_key_is_a_fault(key: str | None) -> None:
    (fault,) = check_idempotency_key(key)
    assert "Idempotency-Key" in fault.pointer


def test_a_token_files_only_for_its_own_agency() -> None:
    other = read({**SMALLEST, "agency": "other"})
    assert refuse(OFFICER, other, NOW) == Refusal("wrong-agency", ANY)
    assert refuse(Filer("root", "admin", "ldtbxh-haiphong"), other, NOW) is None
    assert refuse(Filer("portal", "integrator", None), other, NOW) is None


@pytest.mark.parametrize("past", [{"filed_at": "2020-01-02T08:00:00+07:00"}, {"origin": "replay"}, {"origin": "import"}])
def test_only_an_importer_files_the_past(past: dict[str, str]) -> None:
    submission = read({**SMALLEST, **past})
    assert refuse(OFFICER, submission, NOW) == Refusal("importer-only", ANY)
    assert refuse(IMPORTER, submission, NOW) is None


def test_five_minutes_ago_is_not_yet_the_past() -> None:
    assert refuse(OFFICER, read({**SMALLEST, "filed_at": (NOW - timedelta(minutes=5)).isoformat()}), NOW) is None


def test_keys_belong_to_the_agency_or_else_to_the_subject() -> None:
    assert OFFICER.scope == IMPORTER.scope == "agency:ldtbxh-haiphong"
    assert Filer("portal", "integrator", None).scope == "subject:portal"
