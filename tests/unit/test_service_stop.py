"""A stop ends, whatever it has to close."""

from __future__ import annotations

import asyncio

from shared.service.runtime import within


async def test_work_that_does_not_let_itself_be_cancelled_holds_up_no_stop() -> None:
    released, cancelled = asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                cancelled.set()

    async with asyncio.timeout(5):
        await within(0.01, stubborn())
        await cancelled.wait()
    released.set()


async def test_work_that_fails_holds_up_no_stop() -> None:
    async def broken() -> None:
        raise ConnectionError

    await within(5, broken())
