"""What a call centre says, as the hotline understands it: the bodies of CloudEvents on `hotline-events`.

A vendor either sends these, or its own events with a mapping file that makes these of them (`shared.hotline`). A misspelt field
is an error, as in commands: an event that is half understood must not count.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from pydantic import ConfigDict, Field, NonNegativeInt, StringConstraints

from shared.contracts.model import Code, Contract, Instant, Reason, Slug
from shared.contracts.private import Email, Phone

Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
"""A source's own id of an event, a call or a ticket: printable ASCII without spaces."""

Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$")]
"""A text of one line: it holds no control character and no separator of lines or paragraphs, as no filing may."""
Address = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$")]
"""A longer line."""
Lines = Annotated[
    str,
    StringConstraints(min_length=1, max_length=4000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]+$"),
]
"""A text of several lines, ended by LF or CR LF; it may hold tabs."""


class EventOutcome(StrEnum):
    """What became of one event of a source."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    """Its id was taken before: nothing changed, and the first answer holds."""
    IGNORED = "ignored"
    """The mapping says that it means nothing to us."""
    REFUSED = "refused"


class CallState(StrEnum):
    """Where a call stands."""

    CREATED = "created"
    QUEUED = "queued"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"
    ABANDONED = "abandoned"
    """It ended, and nobody had answered."""


class FeedbackClass(StrEnum):
    """The classes of feedback (Decree 20/2008/NĐ-CP): each is a procedure of the catalogue, `feedback.<class>`."""

    CONDUCT = "conduct"
    REGULATION = "regulation"
    OTHER = "other"


class HotlineEvent(Contract):
    """What happened at a call centre. The envelope tells the source, the event's id, its time and its sequence."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class CallChanged(HotlineEvent):
    """A call came into a state. Seconds are whole, and given only by a source that counts them itself (at the end)."""

    type = "hotline.call_changed"

    call_id: Id
    state: Annotated[CallState, Field(strict=False)]
    waiting_seconds: NonNegativeInt | None = None
    talking_seconds: NonNegativeInt | None = None
    dossier_code: Code | None = None


class Caller(Contract):
    """Who gave feedback; every part personal. A caller's number is never taken for an identity."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)
    type = "hotline.caller"

    name: Line | None = None
    phone: Phone | None = None
    email: Email | None = None
    address: Address | None = None


class TicketOpened(HotlineEvent):
    """A citizen's feedback was written down: it becomes a case of the kind feedback.

    `matter` is the field of the matter, a slug of the catalogue's list; `same_matter` is equal in tickets that concern one thing
    (a junction, a parent ticket). `content` and `caller` are personal and never leave intake unsealed.
    """

    type = "hotline.ticket_opened"

    ticket_id: Id
    content: Lines | None = None
    classification: Annotated[FeedbackClass, Field(strict=False)] = FeedbackClass.OTHER
    matter: Slug | None = None
    same_matter: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    caller: Caller | None = None
    dossier_code: Code | None = None
    call_id: Id | None = None


class TicketReopened(HotlineEvent):
    """The citizen is not content with the answer and opens the matter again."""

    type = "hotline.ticket_reopened"

    ticket_id: Id
    reason: Reason = "reopened_by_citizen"


class TicketRated(HotlineEvent):
    """The citizen says how content they are, 1 (not at all) to 5."""

    type = "hotline.ticket_rated"

    ticket_id: Id
    score: Annotated[int, Field(ge=1, le=5)]


class DossierNamed(HotlineEvent):
    """A call or a ticket concerns an existing dossier."""

    type = "hotline.dossier_named"

    dossier_code: Code
    call_id: Id | None = None
    ticket_id: Id | None = None


class FeedCounted(HotlineEvent):
    """The source's own count of the events that it sent in the hour that began at `hour_at`."""

    type = "hotline.feed_counted"

    hour_at: Instant
    events: NonNegativeInt


HOTLINE: Final[dict[str, type[HotlineEvent]]] = {
    event.type: event for event in (CallChanged, TicketOpened, TicketReopened, TicketRated, DossierNamed, FeedCounted)
}
"""Every normalised type on `hotline-events` by the value of `ce_type`."""
