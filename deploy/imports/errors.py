"""What an import can refuse: one line naming the file, the place in it and the rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NoReturn

SHOWN: Final = 20
"""How many faults are kept to be shown; the others are counted."""


class ImportFileError(ValueError):
    """The log or the mapping cannot be used."""

    def __init__(self, file: str, place: str, rule: str) -> None:
        """`place` may be empty when the whole file is meant."""
        super().__init__(": ".join(part for part in (file, place, rule) if part))
        self.file, self.place, self.rule = file, place, rule


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """A broken rule, or a case left out: the line, where in the log's own terms (may be empty), and what it is."""

    line: int
    place: str
    rule: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.where}: {self.rule}"

    @property
    def where(self) -> str:
        """The line, and the place."""
        return f"line {self.line}" + (f" ({self.place})" if self.place else "")


@dataclass(slots=True)
class Faults:
    """Every fault of a file: how many, and the first of them by line."""

    count: int = 0
    _kept: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """Count it; keep it when it may be among the first."""
        self.count += 1
        self._kept.append(fault)
        if len(self._kept) > SHOWN * 50:
            self._kept = self.first

    @property
    def first(self) -> list[Fault]:
        """The first ones by line."""
        return sorted(self._kept)[:SHOWN]


class BrokenRuleError(Exception):
    """A rule is broken at this place; whoever reads the case keeps it as a fault and goes on."""

    def __init__(self, fault: Fault) -> None:
        """Keep the fault."""
        super().__init__(str(fault))
        self.fault = fault


def broken(line: int, place: str, rule: str) -> NoReturn:
    """Refuse what stands there."""
    raise BrokenRuleError(Fault(line, place, rule))
