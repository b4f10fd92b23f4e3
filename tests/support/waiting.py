"""Awaiting a condition instead of sleeping."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(what: str, look: Callable[[], Awaitable[T]], *, within: float = 30.0, every: float = 0.05) -> T:
    """Look until the answer is true and give it; fail with `what` and the last answer after `within` seconds.

    An exception while looking counts as "not yet" and is shown when time runs out.
    """
    deadline = time.monotonic() + within
    last: object = None
    while time.monotonic() < deadline:
        try:
            answer = await look()
        except Exception as error:  # noqa: BLE001 - not there yet
            last = error
        else:
            if answer:
                return answer
            last = answer
        await asyncio.sleep(every)
    raise AssertionError(f"not within {within} s: {what}; last seen: {last!r}")
