"""The partition of many keys at once is Kafka's own."""

from __future__ import annotations

import random
from uuid import UUID

import pytest
from aiokafka.partitioner import murmur2

from shared.messaging.kafka import partition_of
from shared.messaging.partitions import hashes

PLACES = list(range(12))
RNG = random.Random(7)


def keys_of(length: int, count: int) -> list[bytes]:
    return [RNG.randbytes(length) for _ in range(count)]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 300])
@pytest.mark.parametrize("length", [0, 1, 3, 4, 8, 36, 37, 44, 64])
def test_many_keys_have_the_partitions_that_each_has_alone(length: int, count: int) -> None:
    keys = keys_of(length, count)
    assert [hashed % 12 for hashed in hashes(keys)] == [partition_of(key, PLACES, PLACES) for key in keys]


def test_keys_of_several_lengths_keep_their_order() -> None:
    cases = [str(UUID(int=RNG.getrandbits(128))).encode() for _ in range(100)]
    keys = [*cases, *(case + b"/contact" for case in cases), b"agency-01", *cases, b""]
    RNG.shuffle(keys)
    assert hashes(keys) == [murmur2(key) & 0x7FFFFFFF for key in keys]


def test_extreme_words_do_not_reach_into_their_neighbours() -> None:
    keys = [b"\xff" * 36, b"\x00" * 36, b"\x80\x00\x00\x00" * 9, b"\x01\x00\x00\x00" * 9, b"\xff" * 36]
    assert hashes(keys) == [murmur2(key) & 0x7FFFFFFF for key in keys]


JAVA = [
    (b"foobar", -790332482),
    (b"a-little-bit-long-string", -985981536),
    (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
]
"""Values of Kafka's own test of murmur2; the longer two have whole words only."""


@pytest.mark.parametrize(("key", "hashed"), JAVA)
def test_the_hash_is_the_one_of_java_clients(key: bytes, hashed: int) -> None:
    assert hashes([key] * 5) == [hashed & 0x7FFFFFFF] * 5
