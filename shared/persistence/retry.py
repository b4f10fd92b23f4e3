"""Waiting out what passes by itself, for work that must be written down once the world has been changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.persistence.errors import is_transient

T = TypeVar("T")
FIRST_WAIT, LONGEST_WAIT = 0.2, 2.0


async def until_it_passes(work: Callable[[], Awaitable[T]], seconds: float) -> T:
    """Do `work`, and again after each transient failure; the failure itself when `seconds` have gone by."""
    deadline, wait = time.monotonic() + seconds, FIRST_WAIT
    while True:
        try:
            return await work()
        except Exception as error:
            if not is_transient(error) or time.monotonic() + wait > deadline:
                raise
        await asyncio.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT)
