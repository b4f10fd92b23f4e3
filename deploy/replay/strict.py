"""What every part of a scenario file has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """Nothing is coerced, misspelt or changed."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


def _in_order(spread: tuple[float, float, float]) -> tuple[float, float, float]:
    least, likely, most = spread
    if not 0 <= least <= likely <= most or least == most:
        raise ValueError("give [least, most likely, most], in order and not all equal")
    return spread


Share = Annotated[float, Field(ge=0, le=1)]
Spread = Annotated[tuple[float, float, float], Field(strict=False), AfterValidator(_in_order)]
"""A triangular distribution: least, most likely, most."""
