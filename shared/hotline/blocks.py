"""What an event of the vendor becomes, and the fields of each kind of event."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from shared.contracts.hotline import (
    CallChanged,
    DossierNamed,
    FeedCounted,
    HotlineEvent,
    TicketOpened,
    TicketRated,
    TicketReopened,
)
from shared.contracts.model import Reason
from shared.hotline.strict import Expression, Strict
from shared.hotline.values import TimeValue, Value


class EventKind(StrEnum):
    """What an event of the vendor can become; each but `nothing` has its block."""

    CALL = "call"
    TICKET = "ticket"
    REOPENED = "reopened"
    RATED = "rated"
    DOSSIER = "dossier"
    COUNT = "count"
    NOTHING = "nothing"


class Becomes(Strict):
    """`ticket`, or `{nothing: reason}` for an event that means nothing to us."""

    kind: Annotated[EventKind, Field(strict=False)]
    reason: Reason = "not_needed"

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, raw: Any) -> Any:
        if isinstance(raw, str):
            return {"kind": raw}
        if isinstance(raw, dict) and set(raw) == {"nothing"}:
            return {"kind": "nothing", "reason": raw["nothing"]}
        return raw


class KindValue(Strict):
    """The vendor's word for what happened; `otherwise` is for words that are not in the table, which are refused without it."""

    expression: Expression | None = None
    table: Annotated[dict[str, Becomes], Field(min_length=1)] | None = None
    otherwise: Becomes | None = None
    value: Becomes | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, raw: Any) -> Any:
        return {"value": raw} if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _one_origin(self) -> KindValue:
        if (self.expression is None) != (self.table is None) or (self.expression is None) == (self.value is None):
            raise ValueError("give expression and table, or the one kind that every event is")
        if self.otherwise is not None and self.table is None:
            raise ValueError("otherwise belongs to a table")
        return self

    @property
    def kinds(self) -> set[EventKind]:
        """Every kind that an event can be."""
        return {becomes.kind for becomes in (self.value, self.otherwise, *(self.table or {}).values()) if becomes is not None}


class Block(Strict):
    """The fields of one kind of event."""

    contract: ClassVar[type[HotlineEvent]]


class CallBlock(Block):
    """`hotline.call_changed`."""

    contract = CallChanged

    call_id: Value
    state: Value
    waiting_seconds: Value | None = None
    talking_seconds: Value | None = None
    dossier_code: Value | None = None


class CallerBlock(Strict):
    """Who gave feedback; every part personal."""

    name: Value | None = None
    phone: Value | None = None
    email: Value | None = None
    address: Value | None = None


class TicketBlock(Block):
    """`hotline.ticket_opened`. `find_code_in_content` looks for a dossier code in what was written down."""

    contract = TicketOpened

    ticket_id: Value
    content: Value | None = None
    classification: Value | None = None
    matter: Value | None = None
    same_matter: Value | None = None
    caller: CallerBlock | None = None
    dossier_code: Value | None = None
    call_id: Value | None = None
    find_code_in_content: bool = False

    @model_validator(mode="after")
    def _content_is_there(self) -> TicketBlock:
        if self.find_code_in_content and self.content is None:
            raise ValueError("find_code_in_content needs content")
        return self


class ReopenedBlock(Block):
    """`hotline.ticket_reopened`."""

    contract = TicketReopened

    ticket_id: Value
    reason: Value | None = None


class RatedBlock(Block):
    """`hotline.ticket_rated`."""

    contract = TicketRated

    ticket_id: Value
    score: Value


class DossierBlock(Block):
    """`hotline.dossier_named`."""

    contract = DossierNamed

    dossier_code: Value
    call_id: Value | None = None
    ticket_id: Value | None = None


class CountBlock(Block):
    """`hotline.feed_counted`."""

    contract = FeedCounted

    hour_at: TimeValue
    events: Value
