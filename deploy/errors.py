"""The one kind of error that a command shows to its user."""

from __future__ import annotations


class CommandError(Exception):
    """Says in one line what was wrong and what to do; `status` is the command's exit status (1 refused, 2 wrong usage)."""

    def __init__(self, message: str, *, status: int = 1) -> None:
        super().__init__(message)
        self.status = status
