"""Twenty thousand random cases of three years, beside the sheet kept by hand; the figures are printed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.support.clock_year import compare_year, describe

CASES = 20_000 // 3 + 1
SEED = 1
"""Other cases than those of the unit tests."""


@pytest.mark.parametrize("year", [2020, 2024, 2026])
def test_the_clock_and_the_sheet_agree_on_three_years_of_random_cases(year: int) -> None:
    began = datetime.now(UTC)
    seen, differences = compare_year(year, CASES, SEED)
    print(f"\n{describe(year, seen, differences, began, datetime.now(UTC))}")
    assert differences == []
    assert seen["cases"] == CASES
