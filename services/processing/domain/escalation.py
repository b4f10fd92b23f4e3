"""Who is told, level by level, when a time has passed: the escalation chains, as an installation sets them.

The law orders that lateness is reported upwards (Decree 61/2018/NĐ-CP, art. 19.5 and 19.9) and leaves open to whom and when, so
both are settings. A level cannot be skipped: levels are taken in their order, each at its own time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple


class Late(StrEnum):
    """What came too late: the reason of an escalation."""

    OVERDUE = "overdue"
    UNDECIDED = "undecided"
    UNASSIGNED = "unassigned"
    ANSWER_LATE = "answer_late"
    SUPPLEMENT_TIMEOUT = "supplement_timeout"
    PAYMENT_TIMEOUT = "payment_timeout"
    DUTY_LATE = "duty_late"
    UNDELIVERED = "undelivered"


class Level(NamedTuple):
    """One level of a chain: how many working days after the time has passed, and the role or unit that is told."""

    after_working_days: int
    to: str


Chains = Mapping[Late, tuple[Level, ...]]

DEFAULT_CHAINS: Final[Chains] = {
    Late.OVERDUE: (Level(0, "unit-head"), Level(2, "director"), Level(5, "city")),
    Late.UNDECIDED: (Level(0, "one-stop-head"),),
    Late.UNASSIGNED: (Level(0, "one-stop-head"), Level(1, "director")),
    Late.ANSWER_LATE: (Level(0, "one-stop-head"), Level(2, "director")),
    Late.SUPPLEMENT_TIMEOUT: (Level(0, "one-stop-head"),),
    Late.PAYMENT_TIMEOUT: (Level(0, "one-stop-head"),),
    Late.DUTY_LATE: (Level(0, "unit-head"), Level(2, "director")),
    Late.UNDELIVERED: (Level(0, "one-stop-head"),),
}
NEEDED: Final = frozenset({Late.OVERDUE, Late.UNASSIGNED})
"""Nobody may switch these off: a late case, and one that nobody works on, is always somebody's business."""
UNDELIVERED_AFTER: Final = 5
"""Working days that a result may wait: two invitations two working days apart, and one more (Decision 45/2016/QĐ-TTg)."""


class ChainError(ValueError):
    """A chain breaks the rule that the sentence states."""


@dataclass(frozen=True, slots=True)
class Escalation:
    """The chains in force, and after how many working days a result that nobody fetched counts as undelivered."""

    chains: Chains = field(default_factory=lambda: DEFAULT_CHAINS)
    undelivered_after: int = UNDELIVERED_AFTER


def make_chains(given: Mapping[Late, tuple[Level, ...]]) -> Chains:
    """The chains of an installation: those that are given, and the usual ones for every other reason.

    Raises:
        ChainError: A chain is not in the order of time, or a needed one is empty.
    """
    for late, levels in given.items():
        if not levels and late in NEEDED:
            raise ChainError(f"the chain of {late} needs at least one level")
        if any(first.after_working_days > second.after_working_days for first, second in pairwise(levels)):
            raise ChainError(f"the levels of {late} must be in the order of after_working_days")
    return {**DEFAULT_CHAINS, **given}
