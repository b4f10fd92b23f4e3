"""The dossier code: the patterns of 2018, 2020 and 2026, and the validator."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.processing.domain.code import FORMS, CodeError, CodePattern, check_code, default_pattern, parse_pattern
from shared.calendar import local_date
from shared.contracts.events import CaseAccepted
from shared.contracts.words import Channel, Kind

PATTERNS = {
    "2018": "000.00.07.H24-{YYMMDD}-{serial:4}",
    "2020": "G09.20-{YYYYMMDD}-{serial:7}",
    "2026": "H24.007.00-{YYMMDD}-24{serial:4}",
}
identifiers = st.from_regex(r"[A-Z0-9][A-Z0-9._-]{0,39}", fullmatch=True)
patterns = st.builds(
    CodePattern,
    identifiers,
    st.sampled_from(["%y%m%d", "%Y%m%d"]),
    st.sampled_from(["", "00", "24", "99"]),
    st.integers(4, 9),
)


@pytest.mark.parametrize(
    ("pattern", "on", "serial", "code"),
    [
        ("000.00.07.H24", date(2020, 12, 17), 23, "000.00.07.H24-201217-0023"),
        (PATTERNS["2018"], date(2023, 10, 27), 361, "000.00.07.H24-231027-0361"),
        (PATTERNS["2020"], date(2026, 6, 9), 92637, "G09.20-20260609-0092637"),
        (PATTERNS["2026"], date(2026, 1, 25), 1, "H24.007.00-260125-240001"),
    ],
)
def test_a_code_follows_the_pattern_of_its_agency(pattern: str, on: date, serial: int, code: str) -> None:
    parsed = parse_pattern(pattern)
    assert parsed.code(on, serial) == code
    assert check_code(code) == code
    assert check_code(code, [parsed]) == code


@pytest.mark.parametrize(
    ("year", "last", "next_one"),
    [("2018", 9_999, "-10000"), ("2020", 9_999_999, "-10000000"), ("2026", 9_999, "-2410000")],
)
def test_the_serial_grows_and_never_begins_again(year: str, last: int, next_one: str) -> None:
    pattern = parse_pattern(PATTERNS[year])
    codes = [pattern.code(date(2026, 1, 2), serial) for serial in (1, last, last + 1)]
    assert codes[-1].endswith(next_one)
    assert len(set(codes)) == 3
    assert [check_code(code, [pattern]) for code in codes] == codes


@given(pattern=patterns, on=st.dates(date(2000, 1, 1), date(2099, 12, 31)), serial=st.integers(1, 999_999_999))
def test_every_code_that_is_made_is_valid_and_an_event_can_carry_it(pattern: CodePattern, on: date, serial: int) -> None:
    code = pattern.code(on, serial)
    assert check_code(code, [pattern]) == code
    CaseAccepted(agency="a", kind=Kind.DOSSIER, code=code, procedure="p", field="other", channel=Channel.POST)


@given(pattern=patterns, on=st.dates(date(2000, 1, 1), date(2099, 12, 31)), serials=st.sets(st.integers(1, 10**9), min_size=2))
def test_two_serials_of_a_day_never_make_one_code(pattern: CodePattern, on: date, serials: set[int]) -> None:
    assert len({pattern.code(on, serial) for serial in serials}) == len(serials)


@given(identifier=identifiers, on=st.dates(date(2000, 1, 1), date(2099, 12, 31)), serial=st.integers(1, 99_999))
def test_the_validator_knows_the_three_forms_whoever_issued_the_code(identifier: str, on: date, serial: int) -> None:
    for form in FORMS:
        code = form._replace(identifier=identifier).code(on, serial)
        assert check_code(code) == code


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("H24-201217-023", "four digits"),
        ("H24-201217", "IDENTIFIER"),
        ("h24-201217-0023", "IDENTIFIER"),
        ("-201217-0023", "IDENTIFIER"),
        ("H24-201217-0023\n", "IDENTIFIER"),
        ("H24-2012170-0023", "IDENTIFIER"),
        ("H24-201317-0023", "date"),
        ("H24-200230-0023", "date"),
        ("G09.20-20260230-0092637", "date"),
        ("G09.20-20260609-0000", "date"),
        ("H24-201217-0000", "0001"),
        ("H24-201217-000000", "0001"),
        ("H24-201217-00023", "padded"),
        ("H24-201217-٠٠٢٣", "IDENTIFIER"),
    ],
)
def test_a_wrong_code_is_refused_with_the_rule(code: str, rule: str) -> None:
    with pytest.raises(CodeError, match=rule):
        check_code(code)


def test_a_serial_of_2018_that_grew_to_six_digits_reads_like_one_of_2026() -> None:
    assert check_code("H24-201217-240000") == "H24-201217-240000"


def test_a_code_is_held_against_its_agencys_own_pattern() -> None:
    pattern = parse_pattern(PATTERNS["2026"])
    for code, rule in {
        "H25.007.00-260125-240001": "identifier is H24.007.00",
        "H24.007.00-260125-250001": "follows the digits 24",
        "H24.007.00-260125-240000": "counts from 0001",
        "H24.007.00-260125-2400001": "padded to 4",
        "H24.007.00-20260125-240001": "date",
    }.items():
        with pytest.raises(CodeError, match=rule):
            check_code(code, [pattern])


@pytest.mark.parametrize(
    "text",
    [
        "", "h24", "H 24", "A" * 41, "Đ24", ".H24", "H24-{YYMMDD}", "H24-{DDMMYY}-{serial:4}", "H24-{YYMMDD}-{serial}",
        "H24-{YYMMDD}-{serial:3}", "H24-{YYMMDD}-7{serial:4}", "{YYMMDD}-{serial:4}", "H24-{YYMMDD}-{serial:4}-X",
    ],
)  # fmt: skip
def test_a_wrong_pattern_is_refused(text: str) -> None:
    with pytest.raises(CodeError, match="identifier of 1 to 40"):
        parse_pattern(text)


def test_an_agency_without_a_pattern_has_its_slug_in_capitals_and_the_form_of_2018() -> None:
    assert default_pattern("ldtbxh-haiphong").code(date(2020, 12, 17), 5) == "LDTBXH-HAIPHONG-201217-0005"
    assert parse_pattern(default_pattern("a" * 64).identifier).identifier == "A" * 40


def test_the_day_of_a_code_changes_at_local_midnight() -> None:
    before, after = datetime(2020, 12, 17, 16, 59, 59, tzinfo=UTC), datetime(2020, 12, 17, 17, 0, 0, tzinfo=UTC)
    codes = [parse_pattern("H24").code(local_date(at), 1) for at in (before, after)]
    assert codes == ["H24-201217-0001", "H24-201218-0001"]
