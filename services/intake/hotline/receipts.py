"""Receipts: what became of each event that came over Kafka, and of each one that was refused, whatever its door."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from uuid_utils import uuid7

from services.intake.hotline.arrivals import Arrival, Door, Taken
from services.intake.vault import SERVICE
from shared.contracts.envelope import Envelope
from shared.contracts.hotline import EventOutcome
from shared.contracts.receipts import MOST_FAULTS, HotlineReceipt, ReceiptFault
from shared.contracts.topics import HOTLINE_RECEIPTS
from shared.contracts.words import Lane, Origin
from shared.hotline.said import Wrong
from shared.persistence.work import Work


def give_receipts(work: Work[Any], arrival: Arrival, answers: Iterable[Taken]) -> None:
    """Put the receipts of one payload into the outbox; their key is `<source>/<event id>`."""
    for taken in answers:
        if arrival.door is Door.KAFKA or taken.outcome is EventOutcome.REFUSED:
            _give(work, arrival, taken)


def _give(work: Work[Any], arrival: Arrival, taken: Taken) -> None:
    receipt = HotlineReceipt(
        source=arrival.source,
        outcome=taken.outcome,
        received_at=work.now,
        event_id=taken.event_id,
        case_id=taken.case_id,
        faults=tuple(_fault(wrong) for wrong in taken.wrong[:MOST_FAULTS]),
    )
    agency = arrival.agency or arrival.source
    envelope = Envelope(
        str(uuid7()), receipt.type, f"/{SERVICE}", arrival.source, agency, work.now, work.now, Origin.LIVE
    )  # fmt: skip
    key = f"{arrival.source}/{taken.event_id or ''}"
    body = receipt.model_dump_json(exclude_defaults=True).encode()
    work.put(HOTLINE_RECEIPTS.name, key, envelope.to_headers(), body, Lane.INTERACTIVE)


def _fault(wrong: Wrong) -> ReceiptFault:
    return ReceiptFault(field=wrong.field, rule=wrong.rule, line=wrong.line)
