"""What breaks when: drawn from a seed, so that the same seed gives the same schedule."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.support.installation import SERVICES

KAFKA, POSTGRES, EVERYONE = "kafka", "postgres", "all four"


class Kind(StrEnum):
    """A way to break something."""

    KILL = "kill -9"
    PAUSE = "stop"
    """SIGSTOP, later SIGCONT."""
    CRASH = "crash"
    """The service exits at a failpoint, and is started again each time."""
    FLAP = "flap"
    """The service raises a passing error at a failpoint."""
    RESET = "reset"
    HOLE = "black hole"
    JOIN = "replica leaves"
    DIE = "replica dies"
    ZOMBIE = "zombie"
    """The service is stopped until its group has given it up and a replica does its work; then it goes on."""
    CROWD = "three replicas"
    """Two replicas of every service join one after the other; one is killed with kill -9, then the other leaves in order."""


TARGETS: dict[Kind, Sequence[str]] = {
    Kind.KILL: (*SERVICES, KAFKA, POSTGRES),
    Kind.PAUSE: (*SERVICES, KAFKA, POSTGRES),
    Kind.CRASH: SERVICES,
    Kind.FLAP: SERVICES,
    Kind.RESET: (KAFKA, POSTGRES),
    Kind.HOLE: (KAFKA, POSTGRES),
    Kind.JOIN: SERVICES,
    Kind.DIE: SERVICES,
    Kind.ZOMBIE: SERVICES,
    Kind.CROWD: (EVERYONE,),
}
ZOMBIE_SECONDS = 30.0
"""Three times a group's session."""
PLACES: dict[Kind, Sequence[str]] = {
    Kind.CRASH: ("before_commit", "after_commit", "before_publish", "after_publish", "before_offsets", "after_send"),
    Kind.FLAP: ("before_commit", "after_commit", "after_publish", "before_offsets", "after_send"),
}
"""Failpoints that fit."""
STATING = ("intake", "processing", "notification")
ONLY_AT = {"before_publish": STATING, "after_publish": STATING, "after_send": ("notification",)}
"""Failpoints that not every service passes."""
ATTEMPTS, GAP_SECONDS = 20, 0.5


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: it begins `at` seconds after the load, and is undone `seconds` later. `detail` depends on the kind.

    Where replicas join, `seconds` are those in which they work beside the service.
    """

    at: float
    kind: Kind
    target: str
    seconds: float
    detail: str = ""

    def __str__(self) -> str:
        place = f" at {self.detail}" if self.detail else ""
        return f"{self.at:4.1f} s: {self.kind} {self.target}{place}, {self.seconds:.1f} s"


def make_schedule(seed: int, faults: int, seconds: float, longest: float) -> list[Fault]:
    """So many faults that begin in the first half of `seconds`, no two on one target at once.

    The seed walks through the kinds, so that neighbouring seeds begin with all of them.
    """
    rng, kinds = random.Random(f"schedule {seed}"), list(Kind)
    made: list[Fault] = []
    for kind in [kinds[seed % len(kinds)], *rng.choices(kinds, k=faults - 1)]:
        drawn = (_draw(rng, kind, seconds, longest) for _ in range(ATTEMPTS))
        fitting = (fault for fault in drawn if not any(_overlap(fault, other) for other in made))
        made += [fault for fault in (next(fitting, None),) if fault]
    return sorted(made, key=lambda fault: fault.at)


def _draw(rng: random.Random, kind: Kind, seconds: float, longest: float) -> Fault:
    at, lasts = round(rng.uniform(0.3, seconds / 2), 1), round(rng.uniform(0.5, longest), 1)
    target, detail = rng.choice(TARGETS[kind]), ""
    if kind in PLACES:
        fitting = [place for place in PLACES[kind] if target in ONLY_AT.get(place, SERVICES)]
        action = f"exit:{rng.randint(1, 3)}" if kind is Kind.CRASH else "raise:0.2"
        detail = f"{rng.choice(fitting)}={action}"
    return Fault(at, kind, target, ZOMBIE_SECONDS if kind is Kind.ZOMBIE else lasts, detail)


def _overlap(one: Fault, other: Fault) -> bool:
    apart = one.at > other.at + other.seconds + GAP_SECONDS or other.at > one.at + one.seconds + GAP_SECONDS
    return one.target == other.target and not apart
