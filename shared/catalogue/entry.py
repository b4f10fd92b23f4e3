"""What every entry of a catalogue file has in common: strict, immutable, and errors that carry the rule they broke."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Setting
from pydantic_core import PydanticCustomError

from shared.calendar import LimitUnit
from shared.catalogue.faults import Rule

Text = Annotated[str, Setting(min_length=1, max_length=1000, pattern=r"\S")]
Slug = Annotated[str, Setting(min_length=1, max_length=64, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Code = Annotated[str, Setting(min_length=1, max_length=64, pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*$")]
Unit = Annotated[LimitUnit, Setting(strict=False)]


class Entry(BaseModel):
    """Strict and immutable; a key that nobody knows is a fault, since it may be a misspelt one."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


def broken(rule: Rule, message: str) -> PydanticCustomError:
    """An error that carries the rule it broke; braces would be read as placeholders."""
    return PydanticCustomError(rule, "{message}", {"message": message})


class Name(Entry):
    """Vietnamese first, English second."""

    vi: Text
    en: Text


class Limit(Entry):
    """A positive count of working days, calendar days or hours."""

    count: Annotated[int, Setting(ge=1, le=10_000)]
    unit: Unit

    def __str__(self) -> str:
        """`15 working days`."""
        return f"{self.count} {self.unit.value.replace('_', ' ')}"
