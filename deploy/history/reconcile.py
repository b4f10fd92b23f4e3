"""Compares what each service says of each case with what is on the topic: stated = published = heard by every reader.

Readers of chosen types leave holes in the numbers they hear, so for each reader the last number of the types it takes counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from aiokafka import ConsumerRecord

from deploy.errors import CommandError
from deploy.history.reading import read_topics
from shared.contracts.asyncapi import READS
from shared.contracts.envelope import EnvelopeError, from_headers
from shared.contracts.topics import CASE_EVENTS
from shared.settings import KafkaSettings

SOURCES = ("intake", "processing", "notification")
COLUMNS = ("intake", "processing", "notification", "stated", "parked", "waiting")
NOTHING = dict.fromkeys(COLUMNS, 0)

Books = dict[str, dict[str, int]]
"""By case, what one service heard of each source, stated, parked and keeps waiting."""


@dataclass(slots=True)
class Published:
    """What `case-events` holds: by (case, source) the last number, and by (case, reader, source) that of the reader's types."""

    last: dict[tuple[str, str], int] = field(default_factory=dict)
    due: dict[tuple[str, str, str], int] = field(default_factory=dict)
    agencies: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    records: Counter[str] = field(default_factory=Counter)
    gaps: list[tuple[str, str, int]] = field(default_factory=list)

    def add(self, record: ConsumerRecord) -> None:
        """Take one record; one that is not about a case, or cannot be read, says nothing here."""
        try:
            envelope = from_headers(record.headers)
            case, source = str(envelope.case_id), envelope.source.lstrip("/")
        except EnvelopeError:
            return
        self.agencies[case].add(envelope.agency)
        last = self.last.get((case, source), 0)
        if envelope.sequence <= last:
            return  # a repetition in transport
        self.records[source] += 1
        self.gaps += [(case, source, number) for number in range(last + 1, min(envelope.sequence, last + 100))]
        self.last[case, source] = envelope.sequence
        for reader, topics in READS.items():
            if envelope.type in topics.get(CASE_EVENTS, ()):
                self.due[case, reader, source] = envelope.sequence


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not agree about one case."""

    case_id: str
    what: str
    expected: int
    found: int


async def read_published(settings: KafkaSettings) -> Published:
    """The whole topic, headers only in effect."""
    published = Published()
    await read_topics(settings, [CASE_EVENTS], published.add)
    return published


async def read_books(http: httpx.AsyncClient, url: str) -> tuple[Books, int]:
    """What one service says of every case, and how many records wait in its outbox.

    Raises:
        CommandError: It does not answer, or says no.
    """
    books: Books = {}
    cursor: str | None = None
    while True:
        try:
            answer = await http.get(f"{url}/v1/reconcile", params={"cursor": cursor} if cursor else {})
        except httpx.HTTPError as error:
            raise CommandError(f"no answer at {url} ({type(error).__name__}): run `motcua status`") from None
        if answer.is_error:
            raise CommandError(f"{url}/v1/reconcile answers {answer.status_code}")
        content: dict[str, Any] = answer.json()
        books |= {row[0]: dict(zip(COLUMNS, row[1:], strict=True)) for row in content["items"]}
        cursor = content["next"]
        if cursor is None:
            return books, content["pending"]


def compare(kept: Mapping[str, Books], published: Published, agency: str | None) -> list[Difference]:
    """Everything that does not agree, by case. With an agency, its cases, and those whose agency nothing on the topic tells."""
    every = {case for books in kept.values() for case in books} | set(published.agencies)
    ours = sorted(case for case in every if agency is None or agency in published.agencies.get(case, {agency}))
    found = [difference for case in ours for difference in _of_case(case, kept, published)]
    wanted = set(ours)
    return found + [
        Difference(case, f"published by {source}", number, 0) for case, source, number in published.gaps if case in wanted
    ]


def _of_case(case: str, kept: Mapping[str, Books], published: Published) -> Iterator[Difference]:
    pairs = [
        (f"published by {source}", kept[source].get(case, NOTHING)["stated"], published.last.get((case, source), 0))
        for source in SOURCES
    ]
    for reader, books in kept.items():
        row = books.get(case, NOTHING)
        pairs += [
            (f"{reader} heard of {source}", published.due.get((case, reader, source), 0), row[source]) for source in SOURCES
        ]
        pairs += [(f"{what} at {reader}", 0, row[what]) for what in ("parked", "waiting")]
    return (Difference(case, what, expected, found) for what, expected, found in pairs if expected != found)
