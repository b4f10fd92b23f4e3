"""What is on record after a run: the topic, and each service's own tables, for one agency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contracts.envelope import from_headers
from shared.contracts.topics import CASE_EVENTS, PARTITIONS, Topic
from tests.support.installation import Installation

Offsets = dict[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Fact:
    """One record of `case-events`; `at` is when it was sent, in seconds, and tells no repetition from the first."""

    id: str
    type: str
    source: str
    sequence: int
    cause: str | None
    at: float = field(default=0.0, compare=False)


@dataclass(slots=True)
class Published:
    """An agency's records, in the order of the topic, by case."""

    cases: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))

    def stream(self, case_id: str, source: str) -> list[Fact]:
        """What one service published about a case, repetitions included."""
        return [fact for fact in self.cases.get(case_id, ()) if fact.source == source]

    def once(self, case_id: str, source: str) -> list[Fact]:
        """The same, each fact once."""
        return list(dict.fromkeys(self.stream(case_id, source)))

    def times(self) -> list[float]:
        """When each fact was sent for the first time, in order."""
        return sorted(fact.at for facts in self.cases.values() for fact in dict.fromkeys(facts))


def places(city: Installation, *topics: Topic) -> list[TopicPartition]:
    """The partitions of these topics."""
    return [TopicPartition(f"{city.run}-{topic.name}", number) for topic in topics for number in range(PARTITIONS)]


async def ends(city: Installation, *topics: Topic) -> Offsets:
    """Where these topics end now."""
    client = AIOKafkaConsumer(bootstrap_servers=city.bootstrap)
    await client.start()
    try:
        found: Offsets = await client.end_offsets(places(city, *topics))
        return found
    finally:
        await client.stop()


async def read_published(city: Installation, begin: Offsets, agency: str) -> Published:
    """Every record about the agency's cases between `begin` and the end of now."""
    client, published = AIOKafkaConsumer(bootstrap_servers=city.bootstrap), Published()
    await client.start()
    try:
        every = places(city, CASE_EVENTS)
        end: Offsets = await client.end_offsets(every)
        left = [place for place in every if end[place] > begin.get(place, 0)]
        client.assign(left)
        for place in left:
            client.seek(place, begin.get(place, 0))
        while left:
            for records in (await client.getmany(*left, timeout_ms=500)).values():
                _add(published, records, agency)
            left = [place for place in left if await client.position(place) < end[place]]
        return published
    finally:
        await client.stop()


def _add(published: Published, records: Sequence[object], agency: str) -> None:
    for record in records:
        envelope = from_headers(record.headers)  # type: ignore[attr-defined]
        if envelope.agency == agency:
            source, sent_at = envelope.source.lstrip("/"), record.timestamp / 1000  # type: ignore[attr-defined]
            fact = Fact(envelope.id, envelope.type, source, envelope.sequence, envelope.causation_id, sent_at)
            published.cases[envelope.subject].append(fact)
