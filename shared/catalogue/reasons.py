"""Reasons as codes with their words: why something was refused, asked for, put off, stopped, raised or rejected."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field as Setting

from shared.catalogue.entry import Entry, Text


class ReasonUse(StrEnum):
    """What a reason is given for: a command, a fact that the system states, a command or a message that came to nothing."""

    REFUSAL = "refusal"
    SUPPLEMENT = "supplement"
    EXTENSION = "extension"
    APOLOGY = "apology"
    WITHDRAWAL = "withdrawal"
    STOP = "stop"
    RESUMPTION = "resumption"
    REOPENING = "reopening"
    CORRECTION = "correction"
    RECALCULATION = "recalculation"
    LINK = "link"
    CAUSE = "cause"
    ESCALATION = "escalation"
    REJECTION = "rejection"
    DELIVERY = "delivery"
    DUPLICATE = "duplicate"


class Reason(Entry):
    """A code, what it is used for, and its words. The words follow a colon or stand alone, without a full stop."""

    code: Annotated[str, Setting(max_length=64, pattern=r"^[a-z0-9]+(_[a-z0-9]+)*$")]
    use: Annotated[tuple[Annotated[ReasonUse, Setting(strict=False)], ...], Setting(strict=False, min_length=1)]
    vi: Text
    en: Text

    def words(self, language: str) -> str:
        """The words in `vi`, or in `en` for any other language."""
        return self.vi if language == "vi" else self.en


class ReasonFile(Entry):
    """`reasons.yaml`."""

    reasons: Annotated[tuple[Reason, ...], Setting(strict=False)]
