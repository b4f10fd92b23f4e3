"""What an event becomes: by expression, table, default and form; and why it is refused, with field, rule and line."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from shared.contracts.hotline import CallChanged, CallState, DossierNamed, FeedCounted, TicketOpened, TicketRated, TicketReopened
from shared.hotline.said import Refused, Said
from tests.support.vox import AT, mapping_with, one, payload, said, wrong


def test_a_ticket_becomes_the_contract_s_event() -> None:
    assert said(n=7, line="trunk-1", office="B") == Said(
        "e1", AT, TicketOpened(ticket_id="t1", content="xin chào"), 7, "trunk-1", "", "so-b"
    )


def test_every_kind_has_its_body() -> None:
    assert said(what="call", call=17, state="up").body == CallChanged(call_id="17", state=CallState.ANSWERED)
    assert said(what="again").body == TicketReopened(ticket_id="t1")
    assert said(what="stars", stars="4").body == TicketRated(ticket_id="t1", score=4)
    assert said(what="about", code="H24.007.00-260901-240012").body == DossierNamed(dossier_code="H24.007.00-260901-240012")
    assert said(what="hour", hour=1790042400, events=3).body == FeedCounted(hour_at=AT, events=3)


def test_an_event_that_means_nothing_is_said_with_its_reason_and_counts_in_the_sequence() -> None:
    assert said(what="ping", n="12") == Said("e1", AT, None, 12, "", "heartbeat", "so-a")


def test_of_a_refused_event_the_number_is_told_as_far_as_it_can_be_read() -> None:
    def refused(**given: Any) -> tuple[int | None, str]:
        understood = one(payload(**given))
        assert isinstance(understood, Refused)
        return understood.sequence, understood.sequence_scope

    assert refused(n=7, line="trunk-1", at="never") == (7, "trunk-1")
    assert refused(n=7, what="?") == (7, "")
    assert refused(n="seven", what="?") == (None, "")
    assert refused(n=7, line={"no": "text"}) == (None, "")  # of which count it is cannot be told


@pytest.mark.parametrize(
    ("given", "seconds"), [(12_900, 12), ("12900", 12), (12_900.7, 12), ("12900.5", 12), (0, 0), (None, None), ("  ", None)]
)
def test_seconds_are_whole_in_any_unit_and_as_a_text(given: Any, seconds: int | None) -> None:
    body = said(what="call", call="c", state="down", waited=given).body

    assert isinstance(body, CallChanged)
    assert body.waiting_seconds == seconds


@pytest.mark.parametrize(
    ("given", "expected"), [("1", "conduct"), (1, "conduct"), (True, "regulation"), (None, "other"), ("", "other")]
)
def test_a_table_reads_words_numbers_and_truths_and_the_default_stands_for_none(given: Any, expected: str) -> None:
    body = said(**{"class": given}).body

    assert isinstance(body, TicketOpened)
    assert body.classification == expected


def test_a_telephone_number_is_taken_without_its_spaces_and_an_odd_one_is_left_out() -> None:
    bodies = [said(who={"phone": phone, "name": "Mẫu"}).body for phone in ("+84 (900) 000-001", "0900.000.001", "private", 113)]

    assert [body.caller.phone for body in bodies if isinstance(body, TicketOpened) and body.caller] == [
        "+84900000001",
        "0900000001",
        None,
        None,
    ]


def test_a_caller_of_whom_nothing_is_left_is_no_caller() -> None:
    for who in (None, {}, {"phone": "private"}, {"name": "  "}):
        body = said(who=who).body
        assert isinstance(body, TicketOpened)
        assert body.caller is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("hồ sơ 000.00.07.H24-201217-0023.", "000.00.07.H24-201217-0023"),
        ("mã h24.007.00-260125-240001, quá hạn", "H24.007.00-260125-240001"),
        ("G09.20-20260609-0092637", "G09.20-20260609-0092637"),
        ("000.00.07.H24-201399-0023", None),
        ("1000.00.07.H24-201217-0023", None),
        ("000.00.07.H24-201217-0023x", None),
        ("gọi 0900000001 ngày 20201217", None),
    ],
)
def test_a_dossier_code_in_the_content_is_found_if_its_date_exists(text: str, code: str | None) -> None:
    body = said(text=text).body

    assert isinstance(body, TicketOpened)
    assert body.dossier_code == code


def test_the_field_s_own_code_goes_before_one_in_the_content_and_an_odd_one_is_left_out() -> None:
    bodies = [said(text="000.00.07.H24-201217-0023", code=code).body for code in ("X-1", "không có", None)]

    assert [body.dossier_code for body in bodies if isinstance(body, TicketOpened)] == [
        "X-1",
        None,
        "000.00.07.H24-201217-0023",
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"id": None}, ("id", "missing", 6)),
        ({"id": "a b"}, ("id", "bad_form", 6)),
        ({"id": "x" * 201}, ("id", "too_long", 6)),
        ({"id": ["x"]}, ("id", "not_text", 6)),
        ({"at": "22/09/2026"}, ("at", "not_a_time", 7)),
        ({"at": "2026-09-22T09:00:00"}, ("at", "not_a_time", 7)),
        ({"at": "2026-02-30T09:00:00Z"}, ("at", "not_a_time", 7)),
        ({"at": "1999-12-31T23:59:59Z"}, ("at", "time_out_of_range", 7)),
        ({"at": "0001-01-01T00:00:00+23:00"}, ("at", "time_out_of_range", 7)),
        ({"at": 5}, ("at", "not_a_time", 7)),
        ({"n": "seven"}, ("n", "not_whole", 8)),
        ({"n": -1}, ("n", "out_of_range", 8)),
        ({"n": 2**63}, ("n", "out_of_range", 8)),
        ({"n": 1, "line": "a b"}, ("line", "bad_form", 8)),
        ({"what": "unheard"}, ("what", "unknown_word", 12)),
        ({"what": None}, ("what", "missing", 10)),
        ({"office": "Z"}, ("office", "unknown_word", 3)),
        ({"ticket": "  "}, ("ticket", "missing", 25)),
        ({"text": "x" * 4001}, ("text", "too_long", 26)),
        ({"text": {"a": 1}}, ("text", "not_text", 26)),
        ({"text": "a\x00b"}, ("text", "not_text", 26)),
        ({"text": "\ud800"}, ("text", "not_text", 26)),
        ({"class": "9"}, ("class", "unknown_word", 27)),
        ({"who": {"mail": "no address"}}, ("who.mail", "bad_form", 31)),
        ({"what": "stars", "stars": 6}, ("stars", "out_of_range", 38)),
        ({"what": "stars", "stars": 4.5}, ("stars", "not_whole", 38)),
        ({"what": "stars"}, ("stars", "missing", 38)),
        ({"what": "hour", "events": 1}, ("hour", "missing", 42)),
        ({"what": "hour", "hour": 1790042400000, "events": 1}, ("hour", "time_out_of_range", 42)),
        ({"what": "call", "call": "c", "state": "up", "waited": -5000}, ("waited", "out_of_range", 22)),
        ({"what": "call", "call": "c", "state": "sideways"}, ("state", "unknown_word", 21)),
    ],
)
def test_what_is_wrong_is_told_once_by_field_rule_and_line(fields: dict[str, Any], expected: tuple[str, str, int]) -> None:
    assert wrong(payload(**fields)) == [expected]


def test_everything_that_is_wrong_is_told_and_nothing_of_the_content() -> None:
    understood = one(payload(at="hôm qua", what="stars", stars="năm sao", ticket=None))

    assert isinstance(understood, Refused)
    assert [each.field for each in understood.wrong] == ["at", "stars", "ticket"]
    assert understood.event_id == "e1"
    assert "sao" not in repr(understood)
    assert "qua" not in repr(understood)


@pytest.mark.parametrize(
    ("form", "given"),
    [
        ("{expression: at}", "2026-09-22T09:00:00+07:00"),
        ("{expression: at}", "2026-09-22T02:00:00Z"),
        ("{expression: at}", "2026-09-22t02:00:00.000z"),
        ("{expression: at, zone: Asia/Ho_Chi_Minh}", "2026-09-22 09:00:00"),
        ("{expression: at, format: unix_s}", 1790042400),
        ("{expression: at, format: unix_s}", "1790042400.0"),
        ("{expression: at, format: unix_ms}", 1790042400000),
        ("{expression: at, format: unix_ms}", "1790042400000"),
        ('{expression: at, format: "%d/%m/%Y %H:%M", zone: Asia/Ho_Chi_Minh}', "22/09/2026 09:00"),
        ('{expression: at, format: "%Y%m%d%H%M%S", zone: Asia/Ho_Chi_Minh}', 20260922090000),
        ('{expression: at, format: "%d.%m.%Y %H:%M %z"}', "22.09.2026 09:00 +0700"),
    ],
)
def test_a_time_is_read_in_the_form_that_the_mapping_states(form: str, given: Any) -> None:
    understood = one(payload(at=given), mapping_with(time=f"time: {form}"))

    assert isinstance(understood, Said)
    assert understood.occurred_at == AT
    assert understood.occurred_at.tzinfo is UTC


@pytest.mark.parametrize("given", ["", True, [], {}, "1e9", "0x5", "1_0", "-", "٣", 10**400, -1, 4102444800, "x" * 100_000])
@pytest.mark.parametrize("form", ["unix_s", "unix_ms", '"%Y-%m-%d %H:%M", zone: Asia/Ho_Chi_Minh', "rfc3339"])
def test_anything_else_is_no_time(form: str, given: Any) -> None:
    (fault,) = wrong(payload(at=given), mapping_with(time=f"time: {{expression: at, format: {form}}}"))

    assert fault[1] in {"not_a_time", "time_out_of_range", "missing", "not_text"}
