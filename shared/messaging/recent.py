"""What one process took and parked in the last ten minutes: mostly parked means that the program is wrong, not the records."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

WINDOW_SECONDS = 600.0
BUCKET_SECONDS = 5.0
LEAST = 30
"""Fewer parked records than this say nothing."""
LARGEST_SHARE = 0.5
"""Of what was read, the share that may be parked."""


class Recent:
    """Counts in buckets of five seconds; bounded, and forgotten with the process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: deque[tuple[float, int, int]] = deque()

    def add(self, taken: int, parked: int) -> None:
        """Count what a batch came to."""
        now = self._clock()
        if self._buckets and now - self._buckets[-1][0] < BUCKET_SECONDS:
            began, taken_before, parked_before = self._buckets.pop()
            self._buckets.append((began, taken_before + taken, parked_before + parked))
        else:
            self._buckets.append((now, taken, parked))
        while now - self._buckets[0][0] > WINDOW_SECONDS:
            self._buckets.popleft()

    def is_mostly_parked(self, more: int) -> bool:
        """Whether it would be, with so many more parked."""
        since = self._clock() - WINDOW_SECONDS
        counted = [(taken, parked) for began, taken, parked in self._buckets if began > since]
        taken, parked = sum(each for each, _ in counted), sum(each for _, each in counted) + more
        return parked > LEAST and parked > LARGEST_SHARE * (taken + parked)
