"""The small parts that an erasure rests on: the pulse, the topic's settings, the copy of what was parked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from aiokafka import ConsumerRecord

from shared.contracts.topics import CASE_COMMANDS, CASE_EVENTS, CASE_PRIVATE, PARTITIONS, Topic, topics_with
from shared.messaging.delivery import BAD_BODY, BAD_HEADER, Decoder, Fault, Unwanted
from shared.messaging.kafka import partition_of
from shared.messaging.parking import BEHIND, HANDLER, Parking
from shared.messaging.pulse import TYPE, pulse_keys, pulse_seconds


def test_the_pulse_reaches_every_partition() -> None:
    every = list(range(PARTITIONS))
    assert [partition_of(key, every, every) for key in pulse_keys()] == every


def test_a_reader_passes_the_pulse_over_by_its_type() -> None:
    record = ConsumerRecord("case-private", 0, 1, 0, 0, pulse_keys()[0], None, None, 0, 0, (("ce_type", TYPE.encode()),))
    assert isinstance(Decoder({"private.contact": lambda value: value}, ordered=False).read(record), Unwanted)


@pytest.mark.parametrize("bound", [4.0, 3600.0, 86_400.0])
def test_rolling_and_pulse_leave_a_third_of_the_bound_for_cleaning(bound: float) -> None:
    (topic,) = (each for each in topics_with(bound) if each.name == CASE_PRIVATE.name)
    rolled = int(topic.settings["segment.ms"]) / 1000
    assert topic.settings["max.compaction.lag.ms"] == topic.settings["segment.ms"]
    assert rolled + pulse_seconds(bound) <= bound * 2 / 3


def test_only_the_private_topics_hang_on_the_bound() -> None:
    changed = [new.name for new, old in zip(topics_with(9.0), topics_with(10.0), strict=True) if new.settings != old.settings]
    places = topics_with(9.0)[-1].settings
    assert int(places["segment.ms"]) + int(places["retention.ms"]) == 9_000, "a segment is filled, and then kept"
    assert changed == [CASE_PRIVATE.name, CASE_PRIVATE.dead_letters]


@dataclass
class Outbox:
    """Takes what is put."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)

    def put(self, *row: Any) -> None:
        self.rows.append(row)


@pytest.mark.parametrize("reason", [BAD_BODY, BAD_HEADER, HANDLER, BEHIND])
def test_of_a_command_that_could_not_be_read_nothing_but_its_place_is_kept(reason: str) -> None:
    record = ConsumerRecord(CASE_COMMANDS.name, 3, 41, 0, 0, b"case", b'{"note": "a word"}', None, 0, 0, (("odd", b"a name"),))
    fault, outbox, whole = Fault(record, "accept", reason, "note: extra_forbidden"), Outbox(), reason in {HANDLER, BEHIND}
    parking, work = Parking("group", CASE_COMMANDS.name, CASE_COMMANDS.dead_letters, 10), cast("Any", outbox)
    parking._copy(work, fault)

    ((_, _, headers, value, _),) = outbox.rows
    assert (value == record.value, "odd" in dict(headers)) == (whole, whole)
    assert (record.value in parking._row(fault)) == whole
    assert dict(headers)["dlq_place"] == b"3:41"


@pytest.mark.parametrize("topic", [CASE_EVENTS, CASE_PRIVATE], ids=lambda each: each.name)
def test_the_copy_of_a_private_record_has_neither_value_nor_headers(topic: Topic) -> None:
    record = ConsumerRecord(topic.name, 3, 41, 0, 0, b"case/contact", b"sealed", None, 0, 0, (("odd", b"a name"),))
    fault, outbox, whole = Fault(record, "private.contact", "handler_error", "CipherError"), Outbox(), topic is CASE_EVENTS
    work: Any = outbox
    Parking("group", topic.name, topic.dead_letters, 10)._copy(work, fault)

    ((name, key, headers, value, _),) = outbox.rows
    assert (name, key) == (topic.dead_letters, b"case/contact")
    assert (value == b"sealed", "odd" in dict(headers)) == (whole, whole)
    assert dict(headers)["dlq_place"] == b"3:41"
