"""What can go wrong with the local stack, each told in one line."""

from __future__ import annotations

from deploy.errors import CommandError


class StackError(CommandError):
    """The stack cannot do what was asked; the text says why and what to do."""


class UnavailableError(StackError):
    """One way of having a server is not to be had on this machine; another may be."""


class SettingError(StackError):
    """A setting has a value that it does not accept."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=2)
