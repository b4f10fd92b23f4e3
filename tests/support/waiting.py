"""Awaiting a condition instead of sleeping."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
WITHIN = float(os.environ.get("MOTCUA_TEST_WITHIN", "30"))
"""Seconds that a condition gets; `make prove` expects most of its tests to wait in vain, and sets less."""


async def eventually(what: str, look: Callable[[], Awaitable[T]], *, within: float = WITHIN, every: float = 0.05) -> T:
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
