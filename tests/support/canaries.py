"""Planted words that must be found nowhere: how they are looked for, and in what."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
from aiokafka import ConsumerRecord

from deploy.history.reading import read_topics
from shared.contracts.topics import TOPICS
from shared.security.key_file import CipherError
from shared.security.key_ring import KeyRing
from tests.support.installation import SERVICES, Installation

Place = tuple[str, bytes]
"""Where something was read, and what."""


@dataclass(slots=True)
class Canaries:
    """Every planted word by a name of its own, so that a hit says which field leaked."""

    planted: dict[str, str] = field(default_factory=dict)

    def _plant(self, name: str, word: str) -> str:
        self.planted[f"{name} #{len(self.planted)}"] = word
        return word

    def text(self, name: str) -> str:
        """Words of a language with signs, as a name or a note has them."""
        return self._plant(name, f"Chim Hoàng Yến {secrets.token_hex(6)}")

    def plain(self, name: str) -> str:
        """A word of ASCII, for a header or an account."""
        return self._plant(name, f"canary-{secrets.token_hex(8)}")

    def email(self, name: str) -> str:
        """An address."""
        return self._plant(name, f"canary.{secrets.token_hex(6)}@example.vn")

    def phone(self, name: str) -> str:
        """A number of ten digits."""
        return self._plant(name, f"09{10**7 + secrets.randbelow(9 * 10**7):08}")

    def id_number(self, name: str) -> str:
        """A citizen's number of twelve digits."""
        return self._plant(name, f"{10**11 + secrets.randbelow(9 * 10**11)}")


def forms(word: str) -> list[bytes]:
    """A word in clear, escaped as in JSON, in hexadecimal, and in base64 wherever it may begin."""
    raw = word.encode()
    found = {raw, json.dumps(word)[1:-1].encode(), raw.hex().encode(), raw.hex().upper().encode()}
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole = encode(b"\0" * before + raw)
            skipped, ends = (before * 8 + 5) // 6, (before + len(raw)) * 8 // 6  # only what the word alone decides
            found.add(whole[skipped:ends])
    return sorted(found)


def hits(canaries: Mapping[str, str], places: Iterable[Place]) -> list[str]:
    """Which words stand where."""
    wanted = [(name, form) for name, word in canaries.items() for form in forms(word)]
    return sorted({f"{name} in {where}" for where, content in places for name, form in wanted if form in content})


async def read_records(city: Installation) -> list[ConsumerRecord]:
    """Every record of every topic."""
    records: list[ConsumerRecord] = []
    await read_topics(city.kafka, TOPICS, records.append)
    return records


def places_of(records: Iterable[ConsumerRecord]) -> Iterator[Place]:
    """Records as bytes: key, headers with their names, value."""
    for record in records:
        headers = [part for name, value in record.headers for part in (name.encode(), value or b"")]
        yield f"{record.topic} {record.partition}:{record.offset}", b"\n".join((record.key or b"", *headers, record.value or b""))


async def read_tables(city: Installation) -> tuple[list[Place], list[bytes]]:
    """Every row of every table of every service as text (octets in hexadecimal), and all octets by themselves."""
    places: list[Place] = []
    octets: list[bytes] = []
    for service in SERVICES:
        connection = await asyncpg.connect(f"{city.postgres.rpartition('/')[0]}/{city.run}_{service}")
        try:
            for (table,) in await connection.fetch("select tablename from pg_tables where schemaname = 'public'"):
                for number, row in enumerate(await connection.fetch(f'select t::text as whole, t.* from "{table}" t')):
                    places.append((f"{service}.{table} row {number}", row["whole"].encode()))
                    octets += [value for value in row.values() if isinstance(value, bytes)]
        finally:
            await connection.close()
    return places, octets


def opened(ring: KeyRing, case_ids: Iterable[str], contents: Iterable[bytes]) -> int:
    """In how many of these the data key of one of these cases can be had by a master key, wherever it stands inside.

    Of version 1 the content itself is opened.
    """
    ids = [UUID(case_id) for case_id in case_ids]
    marks = [b"\x02" + key_id for key_id in ring.ids]
    return sum(any(_opens(ring, case_id, marks, content) for case_id in ids) for content in contents)


def _opens(ring: KeyRing, case_id: UUID, marks: list[bytes], content: bytes) -> bool:
    for mark in marks:
        at = content.find(mark)
        while at >= 0:
            try:
                ring.key_of(content[at:], case_id)
            except CipherError:
                at = content.find(mark, at + 1)
            else:
                return True
    try:
        return content[:1] == b"\x01" and bool(ring.open(content, case_id, "contact"))
    except CipherError:
        return False
