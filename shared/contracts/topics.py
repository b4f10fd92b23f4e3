"""The topics: names, keys, retention. `motcua topics apply` makes them, `topics check` compares them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

PARTITIONS = 12
DAY_MS = 24 * 60 * 60 * 1000
ERASURE_SECONDS: Final = 24 * 60 * 60.0
"""Within so long what was erased is gone from `case-private`, unless an installation sets another bound."""
PAYLOAD_SECONDS: Final = 24 * 60 * 60.0
"""Within so long what call centres send is gone from `hotline-events`: at least for half of it it can be read again."""

ROLLED_AFTER: Final = 0.5
"""Share of that bound after which the log is cleaned; the other half is for whoever was down meanwhile."""
PULSES: Final = 24
"""Pulses within the bound."""


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


def _erased_within(seconds: float) -> MappingProxyType[str, str]:
    """Compaction that takes an erased value away in time.

    Only closed segments are compacted, and a segment closes at the first append after its time: hence the pulse
    (`shared.messaging.pulse`). That time is told by the broker's own clock, so that no producer's can stretch it. Tombstones
    stay for a month, so that a reader that was away hears of the erasure.
    """
    after = str(max(1, int(seconds * ROLLED_AFTER * 1000)))
    return MappingProxyType(
        {
            "cleanup.policy": "compact",
            "max.compaction.lag.ms": after,
            "segment.ms": after,
            "min.compaction.lag.ms": "0",
            "min.cleanable.dirty.ratio": "0.1",
            "delete.retention.ms": str(30 * DAY_MS),
            "message.timestamp.type": "LogAppendTime",
        }
    )


def _deleted_within(seconds: float) -> MappingProxyType[str, str]:
    """What may hold something personal is gone in time: what call centres send, and copies that an older version made.

    A segment is deleted as a whole, when its last record is too old: so half the time is for filling it, half for keeping it.
    """
    half = str(max(1, int(seconds * 1000 / 2)))
    return MappingProxyType(
        {"cleanup.policy": "delete", "retention.ms": half, "segment.ms": half, "message.timestamp.type": "LogAppendTime"}
    )


CASE_EVENTS = Topic("case-events", "case_id", "every fact about a case", _deleted_after(None))
CASE_COMMANDS = Topic("case-commands", "case_id", "what officers' systems ask for", _deleted_after(14))
HOTLINE_EVENTS = Topic(
    "hotline-events", "call or source id", "call-centre events, which hold what citizens said", _deleted_within(PAYLOAD_SECONDS)
)
HOTLINE_RECEIPTS = Topic("hotline-receipts", "source/event id", "what became of call-centre events", _deleted_after(14))
CASE_PRIVATE = Topic(
    "case-private",
    "case_id/what",
    "encrypted contacts and free text; a tombstone erases; the type private.pulse says nothing",
    _erased_within(ERASURE_SECONDS),
)

SOURCES = (CASE_EVENTS, CASE_COMMANDS, HOTLINE_EVENTS, CASE_PRIVATE)
DEAD_LETTERS = tuple(
    Topic(topic.dead_letters, topic.key, f"copies of what consumers of {topic.name} parked", _deleted_after(30))
    for topic in SOURCES[:-1]
)
PLACES = Topic(
    CASE_PRIVATE.dead_letters,
    CASE_PRIVATE.key,
    f"the places of what consumers of {CASE_PRIVATE.name} parked, without its content",
    _deleted_within(ERASURE_SECONDS),
)
TOPICS = (*SOURCES, HOTLINE_RECEIPTS, *DEAD_LETTERS, PLACES)
"""Every topic of an installation."""


def topics_with(erasure_seconds: float) -> tuple[Topic, ...]:
    """Every topic of an installation that promises erasure within so many seconds."""
    others = {CASE_PRIVATE: _erased_within(erasure_seconds), PLACES: _deleted_within(erasure_seconds)}
    return tuple(replace(topic, settings=others.get(topic, topic.settings)) for topic in TOPICS)


def group_of(service: str, topic: Topic) -> str:
    """The consumer group in which a service reads a topic."""
    return f"motcua.{service}.{topic.name}"
