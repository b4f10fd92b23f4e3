"""The bulk lane's brake: what was sent since the last answer counts as unread."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.contracts.topics import CASE_EVENTS, CASE_PRIVATE
from shared.messaging import lag
from shared.messaging.lag import DownstreamLag
from shared.settings import ServiceSettings


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What Kafka says, one after the other; without any it does not answer."""
    said: list[int] = []

    async def largest(_self: DownstreamLag) -> int:
        if not said:
            raise ConnectionError
        return said.pop(0)

    monkeypatch.setattr(DownstreamLag, "_largest", largest)
    return said


def make(limit: int) -> DownstreamLag:
    settings = ServiceSettings(
        kafka_bootstrap="127.0.0.1:1", postgres_url="postgresql://x@127.0.0.1:1/postgres", topic_prefix="p-",
        token_public_key_file=Path("x"), private_key_file=Path("x"), bulk_lag_limit=limit,
    )  # fmt: skip
    return DownstreamLag(settings, "intake", CASE_EVENTS, ("metrics",))


async def test_what_was_sent_since_the_last_answer_counts_as_unread(answers: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    readers = make(limit=10)
    answers += [4, 0]
    assert await readers.room() == 7
    readers.sent(CASE_PRIVATE.name, 100)
    readers.sent(CASE_EVENTS.name, 6)
    assert await readers.room() == 1
    readers.sent(CASE_EVENTS.name, 1)
    assert await readers.room() == 0
    assert answers == [0]
    monkeypatch.setattr(lag, "CHECK_SECONDS", 0.0)
    assert await readers.room() == 11


async def test_while_kafka_does_not_say_the_lane_does_not_move(answers: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lag, "CHECK_SECONDS", 0.0)
    readers = make(limit=10)
    assert await readers.room() == 0
    answers.append(10)
    assert await readers.room() == 1
    answers.append(11)
    assert await readers.room() == 0
