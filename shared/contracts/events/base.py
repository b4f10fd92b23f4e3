"""What every event has in common, and who may state one."""

from __future__ import annotations

from typing import ClassVar

from shared.contracts.model import Contract, Slug
from shared.contracts.words import Kind

INTAKE, PROCESSING, NOTIFICATION = "intake", "processing", "notification"


class Event(Contract):
    """A fact on `case-events`."""

    stated_by: ClassVar[str]
    """The one service that states this fact; `ce_source` is this name after a slash."""


class CaseEvent(Event):
    """A fact about one case, keyed by its id. Agency and kind are on every one."""

    agency: Slug
    kind: Kind
