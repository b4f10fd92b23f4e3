"""What a replay or an import sends: pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.contracts.commands import Command
from shared.contracts.words import Origin


@dataclass(frozen=True, slots=True)
class PastCommand:
    """One command. Its number in the case makes its id, so that sending it again is recognised."""

    occurred_at: datetime
    number: int
    body: Command


@dataclass(frozen=True, slots=True)
class PastCase:
    """One case: what is filed (the body of a bulk line), and its commands in order."""

    external_id: str
    filed_at: datetime
    filing: dict[str, Any]
    commands: tuple[PastCommand, ...]


@dataclass(frozen=True, slots=True)
class Past:
    """All cases of one agency, in the order of filing. `origin` is replay or import."""

    agency: str
    origin: Origin
    cases: Sequence[PastCase]

    @property
    def commands(self) -> int:
        """How many commands there are."""
        return sum(len(case.commands) for case in self.cases)


def numbered(moves: Iterator[tuple[datetime, Command]]) -> tuple[PastCommand, ...]:
    """Commands of one case with their numbers, from 1."""
    return tuple(PastCommand(at, number, body) for number, (at, body) in enumerate(moves, 1))
