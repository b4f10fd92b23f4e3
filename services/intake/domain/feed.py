"""A source counts its events: which numbers of a count are missing, whatever order they come in."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final, NamedTuple

LARGEST_JUMP: Final = 10_000
"""A number further above the highest than this begins a new count: it is no loss, but a source that was set up anew, or a wrong
number, which then does no harm for longer than one event."""
LARGEST_NUMBER: Final = 2**63 - 1
SCOPE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,62}[A-Za-z0-9])?")


class Gap(NamedTuple):
    """Numbers that were passed over, both ends included."""

    first: int
    last: int


class Number(NamedTuple):
    """A number that was heard, when its event happened, and whether that event was new: neither known already nor refused."""

    number: int
    at: datetime
    fresh: bool = True


class Count(NamedTuple):
    """Where one count of a source stands: its highest number, the gaps below it, in order, and when the highest one happened."""

    highest: int | None = None
    gaps: tuple[Gap, ...] = ()
    at: datetime | None = None

    @property
    def missing(self) -> int:
        """How many numbers are missing."""
        return sum(gap.last - gap.first + 1 for gap in self.gaps)


def follow(count: Count, numbers: Iterable[Number]) -> Count:
    """The count after these numbers were heard, in any order; one that comes late splits its gap, or closes it.

    The first number ever heard begins the count: nobody knows what came before. Of a number below the highest that nobody misses
    it is told by its time what it is: a new event that happened after the highest one begins the count again, and what was
    missing above it is given up; any other one is late.
    """
    highest, gaps, at = count.highest, list(count.gaps), count.at
    counted = (each for each in numbers if 0 <= each.number <= LARGEST_NUMBER)
    for number, moment, fresh in sorted(counted, key=attrgetter("at")):
        if highest is not None and number > highest:
            if 1 < number - highest <= LARGEST_JUMP:
                gaps.append(Gap(highest + 1, number - 1))
        elif highest is None or (not _fill(gaps, number) and fresh and number < highest and (at is None or moment > at)):
            del gaps[_after(gaps, number) :]
        else:
            continue
        highest, at = number, moment
    return Count(highest, tuple(gaps), at)


def _fill(gaps: list[Gap], number: int) -> bool:
    """Whether one of these gaps, which are in order, missed the number; it does not any more."""
    place = _after(gaps, number) - 1
    if place < 0 or number > gaps[place].last:
        return False
    gaps[place : place + 1] = _without(gaps[place], number)
    return True


def _after(gaps: Sequence[Gap], number: int) -> int:
    """The place of the first gap that begins above the number."""
    return bisect_right(gaps, Gap(number, LARGEST_NUMBER))


def _without(gap: Gap, number: int) -> Sequence[Gap]:
    return [part for part in (Gap(gap.first, number - 1), Gap(number + 1, gap.last)) if part.first <= part.last]


def first_missing(gap: Gap, most: int) -> range:
    """The first numbers of a gap, at most so many."""
    return range(gap.first, min(gap.last + 1, gap.first + most))


def scope_of(text: str) -> str:
    """A scope as it may be kept and shown: as it is, if it is a code; otherwise a short digest, which can hold no person."""
    if not text or SCOPE.fullmatch(text):
        return text
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:12]
