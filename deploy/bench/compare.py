"""Runs a benchmark in pairs and makes its report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from deploy.bench.benchmarks import Benchmark
from deploy.bench.figures import Figure, Pair, Spread, cpu_medians, moved, orders, ratio_to_floor
from deploy.bench.machine import cpu_ticks, stolen_percent
from deploy.bench.programs import Programs

WARM_UP = 1000


async def compare(programs: Programs, benchmark: Benchmark, n: int, pairs: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Floor, product, product, floor, …: one report. A small run of each goes before, since a new broker is slow at first."""
    for side in ("floor", "product"):
        await programs.run(side, benchmark, min(n, WARM_UP), seed=0)
    made, before = [], cpu_ticks()
    for number, order in enumerate(orders(pairs), 1):
        figures: dict[str, Figure] = {}
        for side in order:
            figures[side] = await programs.run(side, benchmark, n, seed=number)
            figure = figures[side]
            say(f"{benchmark.name}, pair {number} of {pairs}, {side}: {figure.rate:,.0f} {figure.unit}")
        made.append(Pair(figures["floor"], figures["product"]))
        say(f"{benchmark.name}, pair {number} of {pairs}: {made[-1].ratio:.2f} of the floor")
    return report(benchmark, made, stolen_percent(before, cpu_ticks()))


def report(benchmark: Benchmark, pairs: Sequence[Pair], stolen: float) -> dict[str, Any]:
    """Everything that was measured, and what it comes to."""
    ratio, least_rate = ratio_to_floor(pairs), benchmark.least_rate
    rate = Spread.of([pair.product.rate for pair in pairs]).median
    return {
        "name": benchmark.name,
        "unit": pairs[0].product.unit,
        "clock": benchmark.clock,
        "differs": list(benchmark.differs),
        "pairs": len(pairs),
        "ratio_to_floor": round(ratio.median, 3),
        "ratio": ratio.as_dict(3),
        "least": benchmark.least,
        "goal": benchmark.goal,
        "least_rate": least_rate,
        "reached": ratio.median >= benchmark.least if least_rate is None else rate >= least_rate,
        "beside": benchmark.floor,
        "floor": _side([pair.floor for pair in pairs]),
        "product": _side([pair.product for pair in pairs]),
        "machine_moved_in_pairs": moved(pairs),
        "stolen_percent": stolen,
        "repetitions": [
            {"ratio": round(pair.ratio, 3), "floor": pair.floor.as_dict(), "product": pair.product.as_dict()} for pair in pairs
        ],
    }


def _side(figures: Sequence[Figure]) -> dict[str, Any]:
    rates = Spread.of([figure.rate for figure in figures])
    return {"n": figures[0].n, "rate": rates.as_dict(), "cpu_us_per_item": cpu_medians(figures)}


def as_text(content: dict[str, Any]) -> list[list[str]]:
    """One report as rows of the table for people, without the head."""
    rows = []
    for side in ("floor", "product"):
        figures = content[side]
        rate = figures["rate"]
        cpu = " · ".join(f"{name} {value:,.0f}" for name, value in figures["cpu_us_per_item"].items())
        rows.append(
            [
                f"{content['name']}, {figures['n']:,}" if side == "floor" else "",
                side,
                f"{rate['median']:,.0f} {content['unit']} ({rate['min']:,.0f}–{rate['max']:,.0f})",
                "" if side == "floor" else _ratio(content),
                cpu,
            ]
        )
    return rows


HEAD = ["benchmark, n", "side", "median (min–max)", "of the floor (aim)", "CPU µs per item"]


def _ratio(content: dict[str, Any]) -> str:
    ratio = content["ratio"]
    verdict = "reached" if content["reached"] else "MISSED"
    aim = f"{content['least']:.2f}" if content["least_rate"] is None else f"{content['least_rate']:,.0f} {content['unit']}"
    return f"{ratio['median']:.2f} ({ratio['min']:.2f}–{ratio['max']:.2f}), {aim} {verdict}"
