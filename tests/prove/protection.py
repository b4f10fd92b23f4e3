"""What `make prove` switches off."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Protection:
    """In `file`, `on` is replaced by `off`; then at least one of `tests` must fail."""

    name: str
    file: str
    on: str
    off: str
    tests: tuple[str, ...]
