"""From planning straight to this process's own sender, so that what is sent at once need not be claimed first.

Such a message is planned with its lease already taken. The sender takes it only while enough of that lease is left; what a
crash, a stop or a stall leaves behind comes free with the lease, and is claimed like everything else.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from datetime import timedelta

from services.notification.channels.channel import Channel
from services.notification.domain.ledger import Entry

BATCHES = 4
"""How many batches a sender may be behind."""


class Handover:
    """The messages that were handed to the sender of one channel, at most a few of its batches."""

    def __init__(self, channel: Channel) -> None:
        self._batch, self._room, self._patience = channel.batch, BATCHES * channel.batch, channel.lease_seconds
        self._handed: deque[tuple[float, Entry]] = deque()
        self.lease = timedelta(seconds=2 * channel.lease_seconds)
        """From planning on: as long as a message may wait here, and then as long as sending may take."""

    @property
    def has_room(self) -> bool:
        """Whether the sender keeps up; what it cannot take in time would only come later than by a claim."""
        return len(self._handed) < self._room

    def put(self, entries: Iterable[Entry], planned_at: float) -> None:
        """Hand messages over once their plan is committed; `planned_at` is on the monotonic clock."""
        self._handed.extend((planned_at, entry) for entry in entries)

    def take(self) -> list[Entry]:
        """The next batch; those that have waited too long are left to their lease."""
        taken: list[Entry] = []
        since = time.monotonic() - self._patience
        while self._handed and len(taken) < self._batch:
            planned_at, entry = self._handed.popleft()
            if planned_at > since:
                taken.append(entry)
        return taken
