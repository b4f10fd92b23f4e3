"""The door on Kafka: CloudEvents on `hotline-events`, binary and structured.

What cannot be understood is refused with a receipt, as at the webhook. Only a failure of our own parks a record, and then with
its place and nothing else, since the value holds what citizens said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from aiokafka import ConsumerRecord

from services.intake.domain.case import Case
from services.intake.hotline.arrivals import Arrival, Door
from services.intake.hotline.sources import Sources
from services.intake.hotline.taking import MOST_AT_ONCE, Taking
from services.intake.hotline.understanding import HeaderError, arrive_from_kafka, attributes_of, refused
from shared.contracts.envelope import Envelope
from shared.contracts.topics import HOTLINE_EVENTS
from shared.contracts.words import Origin
from shared.hotline.mapping import UNKNOWN_SOURCE
from shared.messaging.consumer import Consumer
from shared.messaging.delivery import Delivery
from shared.observability.metrics import PipelineMetrics
from shared.persistence.work import Store, Work

LATEST_MS: Final = 4_102_444_800_000
"""The year 2100. A record's time is its writer's word, and may be beyond what a date can be."""


class HotlineConsumer(Consumer[Case]):
    """Takes `hotline-events`. What was taken is known by the events' own ids, so reading again changes nothing."""

    def __init__(
        self, *, prefix: str, store: Store[Case], metrics: PipelineMetrics, park_limit: int, sources: Sources, taking: Taking
    ) -> None:
        async def take(work: Work[Any], deliveries: Sequence[Delivery]) -> None:
            await taking.take(work, [delivery.body for delivery in deliveries])

        super().__init__(
            service="intake", topic=HOTLINE_EVENTS, prefix=prefix, wanted={}, store=store, handle=take, metrics=metrics,
            park_limit=park_limit,
        )  # fmt: skip
        self._sources = sources

    async def take(self, records: Sequence[ConsumerRecord]) -> None:
        """Take a batch, in parts that one transaction can hold: a record may bring many events."""
        for part in _in_parts(self.read(record) for record in records):
            await self.take_read([delivery.record for delivery in part], part)

    def read(self, record: ConsumerRecord) -> Delivery:
        """What a record says; every record is understood as something, if only as refused."""
        payload = record.value or b""
        try:
            arrival = arrive_from_kafka(self._sources, payload, attributes_of(record.headers))
        except HeaderError as error:
            arrival = Arrival(UNKNOWN_SOURCE, Door.KAFKA, [refused(error.field, error.rule)], payload, {})
        arrival = arrival._replace(place=f"{record.partition}:{record.offset}:{record.timestamp}")
        return Delivery(record, _envelope(record, arrival), arrival, None)


def _in_parts(deliveries: Iterable[Delivery]) -> Iterator[list[Delivery]]:
    """Deliveries in their order, read only when their part is due."""
    part: list[Delivery] = []
    events = 0
    for delivery in deliveries:
        events += len(delivery.body.understood)
        if part and events > MOST_AT_ONCE:
            yield part
            part, events = [], len(delivery.body.understood)
        part.append(delivery)
    if part:
        yield part


def _envelope(record: ConsumerRecord, arrival: Arrival) -> Envelope:
    """What the pipeline is told of a record; its events have their own ids and times."""
    at = datetime.fromtimestamp(min(max(record.timestamp, 0), LATEST_MS) / 1000, UTC)
    agency = arrival.agency or arrival.source
    return Envelope("", HOTLINE_EVENTS.name, f"/{arrival.source}", arrival.source, agency, at, at, Origin.LIVE)
