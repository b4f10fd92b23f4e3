"""A limit cuts its block off in time, can be moved, and leaves other cancellations alone."""

from __future__ import annotations

import asyncio
import time

import pytest

from shared.service.patience import Rounds


async def test_what_takes_too_long_is_cut_off_in_time() -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError), Rounds(0.01).limit(0.05):
        await asyncio.Event().wait()
    assert 0.04 < time.monotonic() - began < 1
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]


async def test_a_moved_limit_counts_from_then_on() -> None:
    async def work(before: float, after: float, needed: float) -> None:
        with Rounds(0.01).limit(before) as patience:
            patience.move(after)
            await asyncio.sleep(needed)

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await work(30, 0.05, 20)
    assert time.monotonic() - began < 1
    await work(0.02, 5, 0.05)


async def test_what_is_done_in_time_is_left_alone() -> None:
    with Rounds(0.01).limit(0.02):
        pass
    await asyncio.sleep(0.05)


async def test_a_cancellation_from_outside_stays_one() -> None:
    async def work() -> None:
        with Rounds(0.01).limit(5):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
