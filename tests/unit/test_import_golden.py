"""Each shipped log under its mapping: cases, events, activities, variants and spans are those of an independent tool."""

from __future__ import annotations

from pathlib import Path
from statistics import mean, quantiles

import pytest

from deploy.imports.mapping import load_mapping, packaged_mapping
from deploy.imports.plan import Plan, make_plan
from tests.support.logs import GOLDEN, LOGS, check_ways


def plan_of(folder: Path, name: str) -> Plan:
    path = packaged_mapping(Path(name))
    assert path is not None
    return make_plan(folder / name, load_mapping(path))


@pytest.mark.parametrize("name", LOGS)
def test_the_plan_of_a_shipped_log_equals_the_golden_figures(reference_data: Path, name: str) -> None:
    plan, golden = plan_of(reference_data, name), GOLDEN[LOGS[name]]
    check_ways(plan.variants, golden)
    assert plan.activities == golden["activities"]
    assert (plan.closed, len(plan.left_out)) == (golden["closed"], golden.get("left_out", 0))
    spans = [(case.activities[-1].occurred_at - case.filed_at).total_seconds() for case in plan.cases]
    hundredths = quantiles(spans, n=100, method="inclusive")  # linear interpolation
    found = [mean(spans), *(hundredths[rank - 1] for rank in (50, 90, 99)), max(spans)]
    assert found == pytest.approx([golden[f"{name}_seconds"] for name in ("mean", "p50", "p90", "p99", "longest")], abs=1e-3)


def test_both_forms_of_the_receipt_log_give_one_plan(reference_data: Path) -> None:
    assert plan_of(reference_data, "receipt.csv.gz") == plan_of(reference_data, "receipt.xes.gz")


def test_only_closed_requests_count_and_their_turnaround_is_the_golden_one(reference_data: Path) -> None:
    plan, golden = plan_of(reference_data, "la311_2018.csv.gz"), GOLDEN["la311_2018"]
    closed = [case for case in plan.cases if case.closed_at is not None]
    assert {case.activities[-1].activity for case in closed} == {"Closed"}
    spans = [(case.activities[-1].occurred_at - case.filed_at).total_seconds() for case in closed]
    assert mean(spans) == pytest.approx(golden["closed_mean_seconds"], abs=1e-3)
