"""The arithmetic of a comparison: pairs of runs, medians, and the ratio to the floor.

The ratio is the median of the pairs' own ratios, since a pair's two runs stand close together in time; a pair whose floor
lies 30 % off the floors' median says that the machine moved meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

MOVED = 0.3


class FigureError(ValueError):
    """A program's answer is no figure."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What one run measured: items per second, seconds, CPU microseconds per item by group, and whatever else it says."""

    unit: str
    n: int
    rate: float
    seconds: float
    cpu: dict[str, float]
    more: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, content: dict[str, Any]) -> Figure:
        """From a program's JSON document.

        Raises:
            FigureError: It lacks something, or the rate is not above zero.
        """
        known = {"name", "unit", "n", "rate", "seconds", "cpu_us_per_item"}
        try:
            made = cls(
                str(content["unit"]), int(content["n"]), float(content["rate"]), float(content["seconds"]),
                dict(content["cpu_us_per_item"]), {name: value for name, value in content.items() if name not in known},
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise FigureError(f"not a figure: {error!r}") from None
        if made.rate <= 0:
            raise FigureError(f"not a figure: a rate of {made.rate}")
        return made

    def as_dict(self) -> dict[str, Any]:
        """For the report."""
        return {"n": self.n, "rate": self.rate, "seconds": self.seconds, "cpu_us_per_item": self.cpu, **self.more}


@dataclass(frozen=True, slots=True)
class Pair:
    """One run of each, one right after the other."""

    floor: Figure
    product: Figure

    @property
    def ratio(self) -> float:
        """How much of the floor's rate the product reaches."""
        return self.product.rate / self.floor.rate


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, least and most."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        return cls(median(values), min(values), max(values))

    def as_dict(self, digits: int = 1) -> dict[str, float]:
        """Rounded, for the report."""
        return {"median": round(self.median, digits), "min": round(self.least, digits), "max": round(self.most, digits)}


def orders(pairs: int) -> list[tuple[str, str]]:
    """Which runs first in each pair: floor, product, product, floor, … so that a drift favours neither."""
    return [("floor", "product") if number % 2 == 0 else ("product", "floor") for number in range(pairs)]


def ratio_to_floor(pairs: Sequence[Pair]) -> Spread:
    """The ratio of each pair, spread."""
    return Spread.of([pair.ratio for pair in pairs])


def moved(pairs: Sequence[Pair]) -> list[int]:
    """The numbers, from 1, of the pairs whose floor is 30 % or more off the floors' median."""
    middle = median(pair.floor.rate for pair in pairs)
    return [number for number, pair in enumerate(pairs, 1) if abs(pair.floor.rate - middle) >= MOVED * middle]


def cpu_medians(figures: Sequence[Figure]) -> dict[str, float]:
    """The median CPU per item of each group that any run has seen."""
    names = list(dict.fromkeys(name for figure in figures for name in figure.cpu))
    return {name: round(median(figure.cpu[name] for figure in figures if name in figure.cpu), 1) for name in names}
