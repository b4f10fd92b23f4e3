"""A year of random cases: the machine and the sheet kept by hand agree on every due date and on the sum of every segment."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.support.clock_year import compare_year, describe

CASES = 2000


@pytest.mark.parametrize("year", [2026])
def test_a_year_of_random_cases_agrees_on_every_due_date_and_every_segment(year: int) -> None:
    began = datetime.now(UTC)
    seen, differences = compare_year(year, CASES)
    print(f"\n{describe(year, seen, differences, began, datetime.now(UTC))}")
    assert differences == []
    assert seen["cases"] == CASES
    assert min(seen["due dates"], seen["segments"]) > CASES
    assert min(seen["silences"], seen["corrections"]) > 0
