"""One call to the hotline, folded from what its source says of it: events repeat, come late, and come in any order.

Of each state the earliest time counts, and every way of joining two parts gives the same call.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from shared.contracts.hotline import CallChanged, CallState
from shared.contracts.words import CallOutcome

MOST_SECONDS: Final = 2**31 - 1
"""What the database keeps; no call lasts 68 years."""
BEFORE: Final = frozenset({CallState.CREATED, CallState.QUEUED, CallState.RINGING})
OVER: Final = frozenset({CallState.ENDED, CallState.ABANDONED})


class Call(NamedTuple):
    """What was heard of one call so far, by the source's clock.

    `own_waiting` and `own_talking` are the seconds that the source counted itself.
    """

    began_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    own_waiting: int | None = None
    own_talking: int | None = None
    dossier_codes: tuple[str, ...] = ()


class Ended(NamedTuple):
    """A call that is over; whole seconds."""

    outcome: CallOutcome
    waiting_seconds: int
    talking_seconds: int


def call_of(change: CallChanged, at: datetime) -> Call:
    """What one event says."""
    return Call(
        began_at=at if change.state in BEFORE else None,
        answered_at=at if change.state is CallState.ANSWERED else None,
        ended_at=at if change.state in OVER else None,
        own_waiting=_bounded(change.waiting_seconds),
        own_talking=_bounded(change.talking_seconds),
        dossier_codes=(change.dossier_code,) if change.dossier_code else (),
    )


def join(one: Call, other: Call) -> Call:
    """What both say together: the earliest of each state, the most of the source's own seconds, every dossier."""
    return Call(
        _earliest(one.began_at, other.began_at),
        _earliest(one.answered_at, other.answered_at),
        _earliest(one.ended_at, other.ended_at),
        _most(one.own_waiting, other.own_waiting),
        _most(one.own_talking, other.own_talking),
        tuple(sorted({*one.dossier_codes, *other.dossier_codes})),
    )


def end_of(call: Call) -> Ended:
    """How a call ended whose end was heard.

    It was answered if anybody heard so, or if its source counted talking. It waited from its beginning until the answer, or
    until its end. What was not heard is no time at all; the source's own seconds win.

    Raises:
        ValueError: No end was heard.
    """
    if call.ended_at is None:
        raise ValueError("the call has not ended")
    answered = call.answered_at is not None or bool(call.own_talking)
    waiting, talking = call.own_waiting, call.own_talking
    if waiting is None:
        waiting = _seconds(call.began_at, call.answered_at or call.ended_at)
        if answered and call.answered_at is None:
            waiting = max(0, waiting - (talking or 0))
    if talking is None:
        talking = _seconds(call.answered_at, call.ended_at)
    return Ended(CallOutcome.ANSWERED if answered else CallOutcome.ABANDONED, waiting, talking)


def _bounded(seconds: int | None) -> int | None:
    return None if seconds is None else min(seconds, MOST_SECONDS)


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)


def _most(one: int | None, other: int | None) -> int | None:
    return max((seconds for seconds in (one, other) if seconds is not None), default=None)


def _seconds(start: datetime | None, end: datetime) -> int:
    """Whole seconds; a clock that went back has measured none."""
    return 0 if start is None else max(0, min(int((end - start).total_seconds()), MOST_SECONDS))
