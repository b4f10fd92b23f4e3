"""Reads batches of raw records, and gets past a record that the client itself cannot read (a header's name that is no UTF-8).

The client fails in the middle of a poll then: what it had taken from other partitions is gone from its memory, and the
partition at fault stands still without a word. So every partition goes back to its committed offset, is read record by
record until the one at fault is met, and that one is handed on empty, to be parked.
"""

from __future__ import annotations

import asyncio
import time
from itertools import chain
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError

from shared.messaging.kafka import SUBSCRIBER

CAREFUL_SECONDS = 30.0
PAUSE_SECONDS = 0.03
GATHER_SECONDS, ROUND_SECONDS = 0.1, 0.03
MANY = 100
"""Records at once that tell of a load under which a batch may wait so long for more, which it looks for in rounds."""
log = structlog.get_logger()

Records = tuple[ConsumerRecord, ...]


class Reader:
    """Reads for one subscriber, which commits, or rewinds, each batch before it asks for the next."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._lost_place = False
        self._careful_until = 0.0

    async def read(self, client: AIOKafkaConsumer) -> Records:
        """The next records; none when nothing came in time."""
        if self._lost_place:
            await _rewind(client)
            self._lost_place = False
        try:
            if time.monotonic() < self._careful_until:
                return await self._one_by_one(client)
            found = await _gather(client)
        except ConsumerStoppedError:
            raise
        except KafkaError:
            self._lost_place = True
            raise
        except Exception:  # whatever a record does to the client
            log.exception("a record cannot be read", group=self._group)
            self._lost_place, self._careful_until = True, time.monotonic() + CAREFUL_SECONDS
            found = ()
        if not found:
            await asyncio.sleep(PAUSE_SECONDS)
        return found

    async def _one_by_one(self, client: AIOKafkaConsumer) -> Records:
        found: list[ConsumerRecord] = []
        for place in client.assignment():
            try:
                found += chain(*(await client.getmany(place, timeout_ms=0, max_records=1)).values())
            except (ConsumerStoppedError, KafkaError):
                raise
            except Exception:  # as above
                offset = await client.position(place)
                log.exception("record left out", group=self._group, partition=place.partition, offset=offset)
                client.seek(place, offset + 1)
                self._careful_until = 0.0
                found.append(_unreadable(place, offset))
        if not found:
            await asyncio.sleep(PAUSE_SECONDS)
        return tuple(found)


async def _gather(client: AIOKafkaConsumer) -> Records:
    """The next records. Where many come, a moment more is given: a fuller batch costs little more than a small one.

    In rounds, since the client fetches from a partition again only when what it fetched before was taken.
    """
    timeout, most = SUBSCRIBER["batch_timeout_ms"], SUBSCRIBER["max_records"]
    found = tuple(chain(*(await client.getmany(timeout_ms=timeout, max_records=most)).values()))
    until = time.monotonic() + GATHER_SECONDS
    while MANY <= len(found) < most and time.monotonic() < until:
        await asyncio.sleep(ROUND_SECONDS)
        found += tuple(chain(*(await client.getmany(timeout_ms=0, max_records=most - len(found))).values()))
    return found


async def _rewind(client: AIOKafkaConsumer) -> None:
    """Go back to what was committed: everything that was handed on is, or is to come again."""
    for place in client.assignment():
        committed = await client.committed(place)
        if committed is None:
            await client.seek_to_beginning(place)
        else:
            client.seek(place, committed)


def _unreadable(place: TopicPartition, offset: int) -> ConsumerRecord[Any, Any]:
    now = int(time.time() * 1000)
    return ConsumerRecord(place.topic, place.partition, offset, now, 0, None, None, None, 0, 0, ())
