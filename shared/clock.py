"""Real time, as an argument of whoever needs it. Legal rules use an agency's business clock instead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present moment, aware, in UTC."""


def real_time() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)
