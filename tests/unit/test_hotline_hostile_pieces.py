"""What a record of a stranger may claim beside its value: a time that no date can be, another version of CloudEvents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from prometheus_client import CollectorRegistry

from services.intake.hotline.arrivals import Door
from services.intake.hotline.kafka_door import HotlineConsumer, _envelope
from services.intake.hotline.series import HotlineSeries
from services.intake.hotline.sources import Sources
from services.intake.hotline.understanding import arrive, arrive_from_kafka, attributes_of
from shared.contracts.topics import HOTLINE_EVENTS
from shared.hotline.said import Refused, Said
from shared.messaging.consumer import Consumer
from tests.support.hotline_records import VENDOR, binary
from tests.support.switchboard import SOURCE, Folders, event, written


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    folders = Folders(tmp_path / "hotline")
    folders.add()
    made = Sources(folders.settings["hotline_dir"], folders.settings["hotline_secrets_dir"], HotlineSeries(CollectorRegistry()))
    made.refresh()
    return made


@pytest.mark.parametrize("timestamp", [-1, 0, 1_800_000_000_000, 2**53, 2**63 - 1, -(2**63)])
def test_a_record_of_any_time_is_read(sources: Sources, timestamp: int) -> None:
    headers = binary(VENDOR)
    record = ConsumerRecord(
        HOTLINE_EVENTS.name, 0, 7, timestamp, 0, None, written(event()), None, 0, 0, tuple(headers)
    )  # fmt: skip
    arrival = arrive_from_kafka(sources, record.value or b"", attributes_of(record.headers))

    assert isinstance(arrival.understood[0], Said)
    assert 1970 <= _envelope(record, arrival).occurred_at.year <= 2100


def test_another_version_of_cloudevents_is_refused_at_every_door(sources: Sources) -> None:
    source = sources.get(SOURCE)
    assert source is not None
    for version in ("0.3", "1", "2.0", ""):
        for door in Door:
            (understood,) = arrive(source, door, written(event()), {"specversion": version}).understood
            assert isinstance(understood, Refused)
            assert understood.wrong[0][:2] == ("specversion", "not_a_cloudevent")
    (understood,) = arrive(source, Door.KAFKA, written(event()), {"specversion": "1.0"}).understood
    assert isinstance(understood, Said)


async def test_records_of_many_events_are_taken_in_parts_that_one_transaction_can_hold(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: list[list[int]] = []

    async def take_read(_self: HotlineConsumer, records: Sequence[Any], read: Sequence[Any]) -> None:
        assert [each.record for each in read] == records
        parts.append([record.offset for record in records])

    monkeypatch.setattr(Consumer, "__init__", lambda *_args, **_more: None)
    monkeypatch.setattr(Consumer, "take_read", take_read)
    nothing: Any = None
    consumer = HotlineConsumer(prefix="", store=nothing, metrics=nothing, park_limit=1, sources=sources, taking=nothing)
    bodies = [written({"events": [event()] * number}) for number in (1000, 1000, 1000, 999, 1, 1000, 1, 1, 1000, 0)]
    records = [ConsumerRecord(HOTLINE_EVENTS.name, 0, offset, 0, 0, None, body, None, 0, 0, tuple(binary(VENDOR)))
               for offset, body in enumerate(bodies)]  # fmt: skip

    await consumer.take(records)

    assert parts == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9]]
