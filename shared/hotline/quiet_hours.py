"""How long a feed may be silent, as a mapping writes it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from shared.hotline.strict import Strict

_HOURS = r"^(?:[01]?\d|2[0-3])-(?:[01]?\d|2[0-4])$"
_DAY = "(?:mon|tue|wed|thu|fri|sat|sun)"
Minutes = Annotated[int, Field(ge=1, le=60 * 24 * 14)]


class QuietHours(Strict):
    """Days (`mon-fri`, `sat`) and hours (`7-17`: from 07:00 to 17:00, local time) with the longest silence that is usual then."""

    days: Annotated[str, StringConstraints(pattern=rf"^{_DAY}(?:-{_DAY})?$")] = "mon-sun"
    hours: Annotated[str, StringConstraints(pattern=_HOURS)] = "0-24"
    minutes: Minutes

    @model_validator(mode="after")
    def _hours_go_on(self) -> QuietHours:
        first, last = self.span
        if first >= last:
            raise ValueError("hours begin before they end; write two lines for a span over midnight")
        return self

    @property
    def span(self) -> tuple[int, int]:
        """The first hour, and the one after the last."""
        first, _, last = self.hours.partition("-")
        return int(first), int(last)


class ExpectedSilence(Strict):
    """How long a feed may say nothing before somebody must look: by hour of the week, the first line that fits."""

    hours: Annotated[list[QuietHours], Field(default_factory=list)]
    otherwise_minutes: Minutes
