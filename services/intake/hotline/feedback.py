"""A ticket as a filing: a case of the kind feedback, through the channel hotline, by whoever called."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from services.intake import repository
from services.intake.domain.faults import not_valid
from services.intake.domain.submission import CLOCK_TOLERANCE, FilingRules, Submission
from services.intake.opening import NewCase
from shared.contracts.hotline import TicketOpened
from shared.contracts.words import Channel, Kind, Lane
from shared.hotline.rules import rule_of
from shared.hotline.said import Wrong
from shared.security.key_ring import KeyRing

_FIELDS: Final = {"note": "content", "procedure": "classification", "applicant": "caller"}
"""What the parts of a filing are called in a ticket."""

UNKNOWN_PROCEDURE: Final = "unknown_procedure"
"""The rule of a ticket whose agency takes no feedback of this class."""


class NotFiledError(Exception):
    """A ticket that cannot be a filing, and why."""

    def __init__(self, wrong: tuple[Wrong, ...]) -> None:
        super().__init__("not a filing")
        self.wrong = wrong


def scope_of(source: str) -> str:
    """Whose idempotency keys the ids of tickets are."""
    return f"hotline:{source}"


def make_case(keys: KeyRing, source: str, agency: str, ticket: TicketOpened, at: datetime, rules: FilingRules) -> NewCase:
    """The case that a ticket becomes. It is filed when it was said, or now where that is long ago, or still to come.

    A case of the vendor's future would be later than what is done with it now: nothing could be asked of it for so long.

    Raises:
        NotFiledError: The agency has no such procedure, or a text holds what no filing may.
    """
    said: dict[str, Any] = {
        "agency": agency,
        "kind": Kind.FEEDBACK,
        "procedure": f"feedback.{ticket.classification}",
        "channel": Channel.HOTLINE,
        "applicant": None if ticket.caller is None else ticket.caller.model_dump(exclude_none=True),
        "note": ticket.content,
        "matter": ticket.matter,
    }
    try:
        filed = Submission.model_validate({name: value for name, value in said.items() if value is not None}, context=rules)
    except ValidationError as error:
        raise NotFiledError(_wrong(error)) from None
    filed_at = at if rules.now - CLOCK_TOLERANCE <= at <= rules.now else rules.now
    digest = keys.digest(filed.canonical())
    return NewCase(
        repository.make_case_id(), scope_of(source), ticket.ticket_id, digest, filed, filed_at, Lane.INTERACTIVE
    )  # fmt: skip


def _wrong(error: ValidationError) -> tuple[Wrong, ...]:
    return tuple(Wrong(field := _field(fault.pointer), _rule(field, fault.code)) for fault in not_valid(error).faults)


def _rule(field: str, code: str) -> str:
    return UNKNOWN_PROCEDURE if field == "classification" else rule_of({"type": code})


def _field(pointer: str) -> str:
    first, *rest = pointer.strip("/").split("/")
    return ".".join([_FIELDS.get(first, first), *rest])
