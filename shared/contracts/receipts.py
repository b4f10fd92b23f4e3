"""What a source learns of its events: the bodies of `hotline-receipts`. Nothing personal; a value is never repeated."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.hotline import EventOutcome
from shared.contracts.model import Contract, Instant, Slug

FieldName = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""Where in the source's payload, as its mapping names it; empty for the whole."""
Rule = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
EventId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
MOST_FAULTS: Final = 20


class ReceiptFault(Contract):
    """A rule that an event breaks, and where; `line` is the line of the mapping that asks for it."""

    type = "hotline.receipt_fault"

    field: FieldName = ""
    rule: Rule
    line: Annotated[int | None, Field(ge=1)] = None


class HotlineReceipt(Contract):
    """What became of one event of a source.

    `case_id` is the case that a ticket became. `event_id` is missing where so little could be read.
    """

    type = "hotline.receipt"

    source: Slug
    outcome: Annotated[EventOutcome, Field(strict=False)]
    received_at: Instant
    event_id: EventId | None = None
    case_id: UUID | None = None
    faults: tuple[ReceiptFault, ...] = Field(default=(), max_length=MOST_FAULTS)


RECEIPTS: Final[dict[str, type[Contract]]] = {HotlineReceipt.type: HotlineReceipt}
"""Every type on `hotline-receipts` by the value of `ce_type`."""
