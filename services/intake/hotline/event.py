"""One event on its way through a transaction: what it says, and what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.intake.hotline.arrivals import Arrival, Taken
from services.intake.hotline.orders import Place
from services.intake.hotline.tickets import TicketKey
from shared.contracts.commands import FIRST_YEAR, LAST_YEAR
from shared.contracts.hotline import EventOutcome, HotlineEvent
from shared.hotline.rules import Rule
from shared.hotline.said import Refused, Said, Understood, Wrong

LONGEST: Final = 200
MOST_WRONG: Final = 20
"""As many faults of one event are told."""
OLDEST: Final = timedelta(days=13)
"""How long ago an event may have happened."""
NEWEST: Final = timedelta(days=1)
"""How far ahead its clock may be. Both together are no more than ids are known for (`payloads.KEPT_DAYS`): by the time when an
id is forgotten, its event is too old to be taken again."""
_ID: Final = re.compile(r"[\x21-\x7e]{1,200}")
EventKey = tuple[str, str]
"""A source, and its id of an event."""


@dataclass(slots=True)
class Event:
    """One event of a payload. `first` is the one in this transaction that it repeats.

    `place` is the case that its ticket is, `same_as` the one with which its matter began, `dossier` the one whose code it names.
    `sequence` is its number, also where nothing else was understood.
    """

    arrival: Arrival
    event_id: str | None
    said: Said | None
    outcome: EventOutcome
    wrong: tuple[Wrong, ...] = ()
    note: str = ""
    first: Event | None = None
    case_id: UUID | None = None
    place: Place | None = None
    same_as: Place | None = None
    dossier: Place | None = None
    sequence: int | None = None
    sequence_scope: str = ""

    @property
    def source(self) -> str:
        """The source's slug."""
        return self.arrival.source

    @property
    def key(self) -> EventKey:
        """Source and id."""
        return self.source, self.event_id or ""

    @property
    def body(self) -> HotlineEvent | None:
        """What it says, as long as it is taken."""
        return self.said.body if self.said is not None and self.outcome is EventOutcome.ACCEPTED else None

    @property
    def agency(self) -> str:
        """The agency that it is for; the source's own name where nobody says one."""
        return (self.said.agency if self.said is not None else "") or self.arrival.agency or self.source

    @property
    def ticket(self) -> TicketKey | None:
        """The ticket that it is about."""
        ticket_id: str | None = getattr(self.body, "ticket_id", None)
        return None if ticket_id is None else (self.source, ticket_id)

    def refuse(self, *wrong: Wrong) -> None:
        """It cannot be taken."""
        self.outcome, self.wrong = EventOutcome.REFUSED, told(wrong)

    def repeat(self, case_id: UUID | None, note: str = "") -> None:
        """It says nothing new."""
        self.outcome, self.case_id, self.note = EventOutcome.DUPLICATE, case_id, note

    def follow_first(self) -> None:
        """What it repeats has been settled: it is refused as that was, or a duplicate of it."""
        if self.first is not None and self.first.outcome is EventOutcome.REFUSED:
            self.refuse(*self.first.wrong)
        elif self.first is not None:
            self.repeat(self.first.case_id)

    def answer(self) -> Taken:
        """What is answered."""
        return Taken(self.event_id, self.outcome, self.case_id, self.wrong, self.note)


def event_of(arrival: Arrival, understood: Understood, now: datetime | None) -> Event:
    """An event as it was understood; what could not be kept is refused, and what may have been taken long ago.

    `now` is the database's time; None of a trial, whose samples may be of any age.
    """
    event = _judge(arrival, understood, now)
    event.sequence, event.sequence_scope = understood.sequence, understood.sequence_scope
    return event


def _judge(arrival: Arrival, understood: Understood, now: datetime | None) -> Event:
    event_id = understood.event_id if understood.event_id is not None and _ID.fullmatch(understood.event_id) else None
    if isinstance(understood, Refused):
        return Event(arrival, event_id, None, EventOutcome.REFUSED, told(understood.wrong))
    if event_id is None:
        wrong = Wrong("id", Rule.BAD_FORM)
        return Event(arrival, None, None, EventOutcome.REFUSED, (wrong,))
    if (rule := _time_fault(understood.occurred_at, now)) is not None:
        return Event(arrival, event_id, None, EventOutcome.REFUSED, (Wrong("time", rule),))
    if understood.body is None:
        return Event(arrival, event_id, understood, EventOutcome.IGNORED, note=printed(understood.ignored))
    return Event(arrival, event_id, understood, EventOutcome.ACCEPTED)


def _time_fault(at: datetime, now: datetime | None) -> Rule | None:
    """The rule that an event's time breaks."""
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        return Rule.TIME_OUT_OF_RANGE
    if now is None:
        return None
    if at < now - OLDEST:
        return Rule.TOO_OLD
    return Rule.IN_THE_FUTURE if at > now + NEWEST else None


def told(wrong: Iterable[Wrong]) -> tuple[Wrong, ...]:
    """Faults as they may be shown and kept; at least one, and not too many."""
    kept = tuple(Wrong(printed(each.field), printed(each.rule) or Rule.BAD_FORM, each.line) for each in wrong)
    return kept[:MOST_WRONG] or (Wrong("", Rule.BAD_FORM),)


def printed(text: str) -> str:
    """A text without what cannot be printed, and not too long."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:LONGEST])
