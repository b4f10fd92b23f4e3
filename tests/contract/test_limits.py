"""Limits that two sides keep apart, since neither may read the other's code, and that must be the same."""

from __future__ import annotations

from deploy.filing import lines as sent
from services.intake.domain import lines as taken


def test_the_client_sends_lines_as_long_as_intake_takes_them() -> None:
    assert sent.LONGEST_LINE == taken.LONGEST_LINE
