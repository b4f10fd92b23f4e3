"""`motcua figures`: what it accepts as a moment, and how it shows figures to people."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.cli.figures import parse_moment
from deploy.cli.figures_text import as_text, procedures_as_text
from deploy.errors import CommandError


def stock(received: int, resolved: int) -> dict[str, Any]:
    span = {"cases": resolved, "mean_seconds": 172_800.0, "percentiles": {"0.5": 3600.0, "0.9": 259_200.0, "0.99": 864_000.0}}
    return {
        "received": received, "resolved": resolved, "open": received - resolved, "overdue": 4, "overdue_statutory": 1,
        "due_soon": 2, "without_due_date": 30, "left": 0, "turnaround": span, "working_turnaround": span,
    }  # fmt: skip


def test_a_date_means_the_end_of_the_local_day_and_a_time_without_offset_is_local() -> None:
    assert parse_moment("2020-06-30").isoformat() == "2020-06-30T23:59:59.999999+07:00"
    assert parse_moment("2020-06-30T17:00").isoformat() == "2020-06-30T17:00:00+07:00"
    assert parse_moment("2020-06-30T17:00:00Z").isoformat() == "2020-06-30T17:00:00+00:00"


@pytest.mark.parametrize("text", ["", "yesterday", "2020-13-01", "2020-06-30T25:00"])
def test_anything_else_is_wrong_usage_and_says_what_is_accepted(text: str) -> None:
    with pytest.raises(CommandError, match="accepts a date such as") as refusal:
        parse_moment(text)
    assert refusal.value.status == 2


def test_people_see_that_figures_are_simulated_and_spans_in_days() -> None:
    nothing: dict[str, Any] = {"cases": 0, "mean_seconds": None, "percentiles": {}}
    content = {
        "agency": "ldtbxh-haiphong", "as_of": None, "simulated": True, "log_span": nothing,
        "clock": {"mode": "historical", "at": "2020-12-17T10:00:00Z"}, "by_kind": {"dossier": stock(5707, 5644)},
        **stock(5707, 5644),
    }  # fmt: skip
    shown = as_text(content)
    assert "SIMULATED / MÔ PHỎNG" in shown
    assert "historical, 2020-12-17 17:00" in shown
    assert "5,707     5,644     63" in shown
    assert "2.00 d" in shown
    assert "1:00:00" in shown


def test_tasks_are_shown_beside_what_applicants_filed_and_never_within() -> None:
    nothing: dict[str, Any] = {"cases": 0, "mean_seconds": None, "percentiles": {}}
    task = {
        "field": "tasks", "assigned": 262, "done": 226, "left": 0, "open": 36, "overdue": 0, "without_due_date": 262,
        "milestones": 0, "scheduled": 0, "on_schedule": 0, "on_schedule_ratio": None,
    }  # fmt: skip
    programmes = task | {"field": "programmes", "assigned": 22, "done": 1, "on_schedule_ratio": 0.5}
    content = {
        "agency": "so", "as_of": None, "simulated": True, "log_span": nothing, "tasks": [task, programmes],
        "clock": {"mode": "historical", "at": "2020-12-17T10:00:00Z"},
        "by_kind": {"dossier": stock(5707, 5644), "task": stock(284, 227)}, **stock(5707, 5644),
    }  # fmt: skip
    lines = [line.split() for line in as_text(content).splitlines()]
    assert ["all", "5,707", "5,644", "63"] in [line[:4] for line in lines]
    assert ["tasks", "262", "226", "36", "0", "262", "0", "-"] in lines
    assert ["programmes", "22", "1", "36", "0", "262", "0", "50%"] in lines
    assert not any(line[:1] == ["task"] for line in lines)
    assert "no deadline is known" in as_text(content)
    assert "rated by citizens" not in as_text(content | {"satisfaction": {"ratings": 0, "mean_score": None}})
    rated = as_text(content | {"satisfaction": {"ratings": 1200, "mean_score": 4.256}})
    assert rated.endswith("\n\nrated by citizens: 1,200, mean 4.26 of 5")


def test_procedures_are_shown_by_version_with_the_limit_in_force() -> None:
    item = {
        "procedure": "1.001806", "version": 2, "statutory": {"count": 15, "unit": "working_days"}, "committed":
        {"count": 10, "unit": "working_days"}, "in_force": {"count": 10, "unit": "working_days"}, "received": 40,
        "resolved": 38, "open": 2, "mean_working_days": 7.25, "on_time": 37, "late": 1,
    }  # fmt: skip
    unknown = item | {"version": None, "statutory": None, "committed": None, "in_force": None, "mean_working_days": None}
    content = {"agency": "so", "clock": {"mode": "live", "at": "2020-12-17T10:00:00Z"}, "items": [item, unknown]}
    shown = procedures_as_text(content)
    assert "1.001806   2        15 wd   10 wd      10 wd     40        38        2     7.25 wd  37       1" in shown
    assert "1.001806   -        -       -          -         40        38        2     -        37       1" in shown
