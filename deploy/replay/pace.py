"""The one calibrated number of the model: how fast the agency works.

A case accepted at position a, whose undisturbed handling time is b, is resolved at a + pace * b. It is open
at the close T exactly when pace > (T - a) / b, its critical pace. The number of open cases is therefore a
step function of the pace that rises by one at each critical pace; between the k-th and the next it is k. Any
count from none to all is reached exactly, without closing or holding a single case.

A pace far from 1 says that the totals asked for do not fit the scenario's assumptions: fewer open cases than
the arrivals of the last hours need everything to be done in minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt

_MARGIN = 0.999


def handling_seconds(pace: float, undisturbed: float) -> int:
    """Working seconds a case takes, whole and at least one; rounding up keeps the step function's sides."""
    return max(1, ceil(pace * undisturbed))


def choose_pace(critical: Sequence[float], still_open: int) -> float:
    """The pace at which exactly `still_open` cases are open: 1 where it fits, else its interval's middle.

    The middle is the geometric mean, since paces are factors; at the ends, where the interval has one side
    only, the pace lies just inside. `critical` holds positive numbers, in any order.
    """
    steps = sorted(critical)
    below = steps[still_open - 1] if still_open else 0.0
    above = steps[still_open] if still_open < len(steps) else float("inf")
    if below < 1 < above:
        return 1.0
    if not still_open:
        return above * _MARGIN
    if still_open == len(steps):
        return below / _MARGIN
    return sqrt(below * above)
