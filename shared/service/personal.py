"""What a service keeps of persons, as it says so itself (`shared.service.holdings` asks)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Personal:
    """What a service keeps of persons: by table, how to count it for a case, and how to know that an erasure has come here."""

    held: dict[str, str] = field(default_factory=dict)
    erased: str = "select true"
