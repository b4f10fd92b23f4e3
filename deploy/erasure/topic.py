"""The proof: what `case-private` still holds of a case, read record by record from the beginning."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from aiokafka import ConsumerRecord

from deploy.history.reading import read_topics
from shared.contracts.topics import CASE_PRIVATE, PLACES
from shared.settings import KafkaSettings

READ = (CASE_PRIVATE, PLACES)


@dataclass(frozen=True, slots=True)
class Value:
    """A record of the case that still has a value; the value itself is nobody's business here."""

    topic: str
    partition: int
    offset: int
    what: str
    size: int


@dataclass(slots=True)
class Found:
    """What was read: all records, and of the case those with a value and the tombstones."""

    case_id: UUID
    records: int = 0
    tombstones: int = 0
    values: list[Value] = field(default_factory=list)

    def take(self, record: ConsumerRecord) -> None:
        """Look at one record."""
        self.records += 1
        case_id, _, what = (record.key or b"").partition(b"/")
        if case_id != str(self.case_id).encode():
            return
        if record.value is None:
            self.tombstones += 1
        else:
            shown = what[:64].decode(errors="replace")
            self.values.append(Value(record.topic, record.partition, record.offset, shown, len(record.value)))


async def read_case(settings: KafkaSettings, case_id: UUID) -> Found:
    """Everything of a case on `case-private` and on the copies of what could not be taken."""
    found = Found(case_id)
    await read_topics(settings, READ, found.take)
    return found
