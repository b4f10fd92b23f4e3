"""The arithmetic of benchmarks: pairs, medians, ratios, CPU per item."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from deploy.bench import cpu, machine
from deploy.bench.benchmarks import BENCHMARKS, BULK, CONSUMER
from deploy.bench.compare import as_text, report
from deploy.bench.cpu import Meter
from deploy.bench.figures import Figure, FigureError, Pair, Spread, cpu_medians, moved, orders, ratio_to_floor
from deploy.bench.machine import stolen_percent
from deploy.bench.programs import FLOORS_SETTING, find_floors
from deploy.cli.bench import choose, human
from deploy.errors import CommandError

DOCUMENT = {
    "name": "consumer", "unit": "events/s", "n": 400, "rate": 100.0, "seconds": 4.0, "cpu_us_per_item": {"python": 50.0},
    "mean_batch": 1000,
}  # fmt: skip


def figure(rate: float, **cpu_us: float) -> Figure:
    return Figure("events/s", 400, rate, 400 / rate, cpu_us)


def pairs_of(*rates: tuple[float, float]) -> list[Pair]:
    return [Pair(figure(floor, python=20.0), figure(product, python=50.0)) for floor, product in rates]


def test_runs_alternate_so_that_a_drift_favours_neither_side() -> None:
    assert orders(3) == [("floor", "product"), ("product", "floor"), ("floor", "product")]


def test_the_ratio_is_the_median_of_the_pairs_and_not_the_ratio_of_the_medians() -> None:
    pairs = pairs_of((100, 90), (200, 100), (300, 90))
    assert ratio_to_floor(pairs) == Spread(0.5, 0.3, 0.9)


def test_a_pair_whose_floor_is_30_percent_off_the_median_is_named() -> None:
    assert moved(pairs_of((100, 50), (101, 50), (99, 50))) == []
    assert moved(pairs_of((100, 50), (100, 50), (70, 50), (131, 50), (71, 50))) == [3, 4]


def test_a_spread_is_rounded_for_the_report_only() -> None:
    assert Spread.of([3.0, 1.04, 2.26]).as_dict() == {"median": 2.3, "min": 1.0, "max": 3.0}
    assert Spread.of([1.0, 2.0]).median == 1.5


def test_cpu_is_the_median_of_the_runs_that_saw_the_group() -> None:
    figures = [figure(1, python=10.0), figure(1, python=30.0, postgres=5.0), figure(1, python=20.0)]
    assert cpu_medians(figures) == {"python": 20.0, "postgres": 5.0}


def test_a_document_becomes_a_figure_with_whatever_else_it_says() -> None:
    assert Figure.read(DOCUMENT).as_dict() == {
        "n": 400, "rate": 100.0, "seconds": 4.0, "cpu_us_per_item": {"python": 50.0}, "mean_batch": 1000,
    }  # fmt: skip


@pytest.mark.parametrize("change", [{"rate": 0}, {"rate": None}, {"n": "many"}, {"cpu_us_per_item": None}, {"seconds": "x"}])
def test_a_document_without_a_usable_figure_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(FigureError, match="not a figure"):
        Figure.read({**DOCUMENT, **change})


@pytest.mark.parametrize("name", ["unit", "n", "rate", "seconds", "cpu_us_per_item"])
def test_a_document_that_lacks_something_is_refused(name: str) -> None:
    with pytest.raises(FigureError, match=name):
        Figure.read({key: value for key, value in DOCUMENT.items() if key != name})


def test_a_report_says_what_was_measured_and_whether_the_aim_is_reached() -> None:
    made = report(CONSUMER, pairs_of((100, 56), (100, 55), (100, 54)), 0.5)
    assert (made["ratio_to_floor"], made["reached"], made["least"]) == (0.55, True, 0.55)
    assert made["floor"]["rate"] == {"median": 100, "min": 100, "max": 100}
    assert made["product"]["cpu_us_per_item"] == {"python": 50.0}
    assert [each["ratio"] for each in made["repetitions"]] == [0.56, 0.55, 0.54]
    assert not report(CONSUMER, pairs_of((100, 54)), 0.0)["reached"]


def test_where_no_floor_has_the_name_a_rate_is_aimed_at_and_the_other_floor_is_named() -> None:
    made = report(BULK, pairs_of((10_000, 5_200), (10_000, 5_100), (10_000, 4_000)), 0.0)
    assert (made["beside"], made["ratio_to_floor"], made["reached"]) == ("intake", 0.51, True)
    assert as_text(made)[1][3] == "0.51 (0.40–0.52), 5,000 events/s reached"
    assert not report(BULK, pairs_of((5_000, 4_900)), 0.0)["reached"]


def test_the_table_shows_both_sides_and_says_when_an_aim_is_missed() -> None:
    made = report(CONSUMER, pairs_of((1000, 400)), 0.0)
    floor, product = as_text(made)
    assert floor[:3] == ["consumer, 400", "floor", "1,000 events/s (1,000–1,000)"]
    assert product[3] == "0.40 (0.40–0.40), 0.55 MISSED"
    server = {"server_version": "15", "fsync": "on", "synchronous_commit": "on"}
    text = human({"machine": {"cpu": "x", "cores": 2, "python": "3.11", "postgres": server}, "benchmarks": [made]})
    assert "MISSED" in text
    assert "only 1 pairs: too few to be quoted" in text


def test_a_pair_in_which_the_machine_moved_is_told_beside_the_table() -> None:
    made = report(CONSUMER, pairs_of((100, 50), (100, 50), (60, 50), (100, 50), (100, 50)), 0.0)
    server = {"server_version": "15", "fsync": "on", "synchronous_commit": "on"}
    text = human({"machine": {"cpu": "x", "cores": 2, "python": "3.11", "postgres": server}, "benchmarks": [made]})
    assert "the machine moved in pairs [3]" in text


def test_a_meter_adds_up_and_divides_by_the_items(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {1: 10.0, 2: 5.0}
    monkeypatch.setattr(cpu, "cpu_seconds", lambda pid: seconds.get(pid, 0.0))
    meter = Meter()
    meter.start(python=[1], postgres=[2])
    seconds |= {1: 10.5, 2: 5.25, 3: 0.25}
    meter.stop(postgres=[2, 3])
    meter.start(python=[1], postgres=[])
    seconds[1] = 11.0
    meter.stop()
    assert meter.per_item(1000) == {"python": 1000.0, "postgres": 500.0}


def test_a_process_that_is_gone_costs_nothing_and_a_group_never_seen_is_left_out() -> None:
    meter = Meter()
    meter.start(python=[2**22 + 1], load=[])
    meter.stop()
    assert meter.per_item(10) == {}


def test_our_own_cpu_time_is_read_from_the_kernel() -> None:
    before, until = cpu.cpu_seconds(os.getpid()), time.process_time() + 0.05
    while time.process_time() < until:
        pass
    assert 0.02 <= cpu.cpu_seconds(os.getpid()) - before <= 5


def test_stolen_time_is_a_share_of_all_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu 10 0 10 70 0 0 0 10 99 0\ncpu0 1\n")
    monkeypatch.setattr(machine, "STAT", stat)
    assert machine.cpu_ticks() == (10, 100)
    assert stolen_percent((10, 100), (15, 200)) == 5.0
    assert stolen_percent((10, 100), (10, 100)) == 0.0


def test_missing_floors_are_said_loudly_with_the_setting_that_finds_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(FLOORS_SETTING, str(tmp_path))
    with pytest.raises(CommandError, match=f"THE FLOORS WERE NOT FOUND.*{FLOORS_SETTING}"):
        find_floors()
    (tmp_path / "floor.py").touch()
    assert find_floors() == tmp_path


def test_no_name_means_every_benchmark_and_a_stranger_is_refused() -> None:
    assert [each.name for each in choose([])] == list(BENCHMARKS)
    assert [each.name for each in choose(["relay", "consumer"])] == ["relay", "consumer"]
    with pytest.raises(CommandError, match="bench accepts consumer, relay, intake, bulk, lifecycle, not speed"):
        choose(["speed"])
