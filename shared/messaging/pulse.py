"""The pulse of `case-private`: a small record for each partition, so that erasure is finished on a quiet topic too.

A compacted log is cleaned but for its last segment, and that closes only when a record comes after its time. Where nothing is
written any more, a tombstone and what it erases would stay for ever. A reader skips the pulse by its type; the next one of
its partition replaces it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any, Final

from uuid_utils import uuid7

from shared.contracts.envelope import SPEC_VERSION
from shared.contracts.topics import CASE_PRIVATE, PARTITIONS, PULSES
from shared.contracts.words import Lane
from shared.messaging.kafka import partition_of
from shared.persistence.work import Store

TYPE: Final = "private.pulse"


def pulse_keys(partitions: int = PARTITIONS) -> Sequence[bytes]:
    """One key for each partition, in their order."""
    every, found = list(range(partitions)), dict[int, bytes]()
    for number in count():
        key = b"pulse/%d" % number
        found.setdefault(partition_of(key, every, every), key)
        if len(found) == partitions:
            return [found[each] for each in every]
    raise AssertionError("a count has no end")


def pulse_seconds(erasure_seconds: float) -> float:
    """How often the pulse beats, so that erasure ends in time."""
    return erasure_seconds / PULSES


async def beat(store: Store[Any]) -> None:
    """Put one pulse into each partition; several replicas that do it disturb nothing."""
    headers = [
        ("ce_specversion", SPEC_VERSION.encode()),
        ("ce_id", str(uuid7()).encode()),
        ("ce_type", TYPE.encode()),
        ("ce_source", f"/{store.service}".encode()),
    ]
    async with store.open(()) as work:
        for key in pulse_keys():
            work.put(CASE_PRIVATE.name, key, headers, None, Lane.INTERACTIVE)
