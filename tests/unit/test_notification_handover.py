"""What planning hands to a sender, and what is left to its lease."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from services.notification.channels.file import FileChannel
from services.notification.domain.case import Case, evolve
from services.notification.domain.ledger import Entry
from services.notification.handover import BATCHES, Handover
from tests.support.notification import accepted, entry_about


def handover(tmp_path: Path, batch: int = 3) -> Handover:
    channel = FileChannel(tmp_path / "messages")
    channel.batch = batch
    return Handover(channel)


def entries(number: int) -> list[Entry]:
    return [entry_about(uuid4(), accepted(), evolve(Case(), accepted())) for _ in range(number)]


def test_messages_are_taken_in_order_a_batch_at_a_time_and_once(tmp_path: Path) -> None:
    made, handed = handover(tmp_path), entries(5)
    made.put(handed[:2], time.monotonic())
    made.put(handed[2:], time.monotonic())
    assert [made.take(), made.take(), made.take()] == [handed[:3], handed[3:], []]


def test_what_has_waited_as_long_as_sending_may_take_is_left_to_its_lease(tmp_path: Path) -> None:
    made, (late, fresh) = handover(tmp_path), entries(2)
    made.put([late], time.monotonic() - FileChannel.lease_seconds)
    made.put([fresh], time.monotonic())
    assert made.take() == [fresh]
    assert made.take() == []


def test_the_lease_holds_for_the_wait_and_for_sending(tmp_path: Path) -> None:
    assert handover(tmp_path).lease == timedelta(seconds=2 * FileChannel.lease_seconds)


def test_a_sender_that_is_some_batches_behind_has_no_room(tmp_path: Path) -> None:
    made = handover(tmp_path)
    made.put(entries(3 * BATCHES - 1), time.monotonic())
    assert made.has_room
    made.put(entries(1), time.monotonic())
    assert not made.has_room
    made.take()
    assert made.has_room
