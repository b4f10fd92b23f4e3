"""The topics: names, keys, retention. `motcua topics apply` makes them, `topics check` compares them."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType

PARTITIONS = 12
DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic: its name without the installation's prefix, what its key is, and its settings on the broker."""

    name: str
    key: str
    says: str
    settings: MappingProxyType[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    @property
    def dead_letters(self) -> str:
        """The topic that holds copies of what a consumer parked."""
        return f"{self.name}.dlq"


def _deleted_after(days: int | None) -> MappingProxyType[str, str]:
    retention = "-1" if days is None else str(days * DAY_MS)
    return MappingProxyType({"cleanup.policy": "delete", "retention.ms": retention})


CASE_EVENTS = Topic("case-events", "case_id", "every fact about a case", _deleted_after(None))
CASE_COMMANDS = Topic("case-commands", "case_id", "what officers' systems ask for", _deleted_after(14))
HOTLINE_EVENTS = Topic("hotline-events", "call or source id", "call-centre events", _deleted_after(14))
CASE_PRIVATE = Topic(
    "case-private",
    "case_id/what",
    "encrypted contacts and free text; a tombstone erases",
    MappingProxyType({"cleanup.policy": "compact", "max.compaction.lag.ms": str(DAY_MS)}),
)

SOURCES = (CASE_EVENTS, CASE_COMMANDS, HOTLINE_EVENTS, CASE_PRIVATE)
DEAD_LETTERS = tuple(
    Topic(topic.dead_letters, topic.key, f"copies of what consumers of {topic.name} parked", _deleted_after(30))
    for topic in SOURCES
)
TOPICS = SOURCES + DEAD_LETTERS
"""Every topic of an installation."""


def group_of(service: str, topic: Topic) -> str:
    """The consumer group in which a service reads a topic."""
    return f"motcua.{service}.{topic.name}"
