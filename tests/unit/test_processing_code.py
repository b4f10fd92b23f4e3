"""The dossier code and its validator."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.processing.domain.code import CodeError, check_code, check_prefix, make_code, make_prefix
from shared.contracts.events import CaseAccepted
from shared.contracts.words import Channel, Kind


def test_a_code_is_prefix_date_and_serial() -> None:
    assert make_code("000.00.07.H24", date(2020, 12, 17), 23) == "000.00.07.H24-201217-0023"


def test_the_serial_grows_past_four_digits() -> None:
    assert [make_code("H24", date(2020, 1, 2), serial)[-6:] for serial in (9999, 10_000)] == ["2-9999", "-10000"]


@given(
    prefix=st.from_regex(r"[A-Z0-9][A-Z0-9._-]{0,39}", fullmatch=True),
    on=st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    serial=st.integers(1, 999_999_999),
)
def test_every_code_that_is_made_is_valid_and_an_event_can_carry_it(prefix: str, on: date, serial: int) -> None:
    code = make_code(check_prefix(prefix), on, serial)
    assert check_code(code) == code
    CaseAccepted(agency="a", kind=Kind.DOSSIER, code=code, procedure="p", field="other", channel=Channel.POST)


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("H24-201217-023", "four digits"),
        ("H24-201217", "PREFIX"),
        ("h24-201217-0023", "PREFIX"),
        ("-201217-0023", "PREFIX"),
        ("H24-201217-0023\n", "PREFIX"),
        ("H24-201317-0023", "date"),
        ("H24-200230-0023", "date"),
        ("H24-201217-0000", "0001"),
        ("H24-201217-00023", "padded"),
        ("H24-201217-٠٠٢٣", "PREFIX"),
    ],
)
def test_a_wrong_code_is_refused_with_the_rule(code: str, rule: str) -> None:
    with pytest.raises(CodeError, match=rule):
        check_code(code)


@pytest.mark.parametrize("prefix", ["", "h24", "H 24", "A" * 41, "Đ24", ".H24"])
def test_a_wrong_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(CodeError):
        check_prefix(prefix)


def test_an_agency_without_a_prefix_has_its_slug_in_capitals() -> None:
    assert make_prefix("ldtbxh-haiphong") == "LDTBXH-HAIPHONG"
    assert check_prefix(make_prefix("a" * 64)) == "A" * 40
