"""What events mean to cases that are there already: a citizen asks after one, opens it again, rates it, or names it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from services.intake.hotline.event import Event
from services.intake.hotline.orders import Place, find_dossiers, of_call, of_event, order
from shared.contracts.commands import Command, Link, Rate, RecordContact, Reopen
from shared.contracts.hotline import DossierNamed, TicketOpened, TicketRated, TicketReopened
from shared.contracts.words import ContactVia
from shared.persistence.database import Tx
from shared.persistence.work import Work

SAME_MATTER, NAMES_DOSSIER = "same_matter", "names_dossier"
"""Why two cases are tied."""
DOSSIER_UNKNOWN: Final = "dossier_unknown"
"""The note of an event that names a code which no case has."""


async def name_dossiers(tx: Tx, events: Sequence[Event]) -> None:
    """Find the cases whose codes events name. A code that nobody has is noted, and is no fault of the event."""
    named = [(event, code) for event in events if (code := getattr(event.body, "dossier_code", None)) is not None]
    dossiers = await find_dossiers(tx, {code for _, code in named})
    for event, code in named:
        event.dossier = dossiers.get(code)
        if event.dossier is None:
            event.note = DOSSIER_UNKNOWN


def send_commands(work: Work[Any], events: Sequence[Event]) -> None:
    """Ask processing for what these events mean. A call that names a dossier is told when it has ended (`calls`)."""
    for event in events:
        for place, command, why in _commands(event):
            order(work, place, command, event.source, why)


def _commands(event: Event) -> list[tuple[Place, Command, str]]:
    why = of_event(event.event_id or "")
    match event.body, event.place:
        case TicketOpened(), Place() as place:
            return _ties(event, place, why) + _contact(event, place, why)
        case DossierNamed(), Place() as place:
            return _contact(event, place, why)
        case DossierNamed(call_id=call_id), None:
            return _contact(event, None, why if call_id is None else of_call(call_id))
        case TicketReopened(reason=reason), Place() as place:
            return [(place, Reopen(reason=reason), why)]
        case TicketRated(score=score), Place() as place:
            return [(place, Rate(score=score), why)]
        case _:
            return []


def _ties(event: Event, place: Place, why: str) -> list[tuple[Place, Command, str]]:
    """Tickets of one matter are tied both ways, since a tie is told in one history only."""
    if (first := event.same_as) is None:
        return []
    there = place, Link(other_case_id=first.case_id, reason=SAME_MATTER), why
    return [there, (first, Link(other_case_id=place.case_id, reason=SAME_MATTER), why)]


def _contact(event: Event, place: Place | None, why: str) -> list[tuple[Place, Command, str]]:
    """Tell the dossier that its citizen asked; and the ticket's case, which dossier it is about. Its own code says nothing."""
    if (dossier := event.dossier) is None or event.said is None or (place and dossier.case_id == place.case_id):
        return []
    via, other = (ContactVia.CALL, None) if place is None else (ContactVia.TICKET, place.case_id)
    told = RecordContact(via=via, source=event.source, at=event.said.occurred_at, other_case_id=other)
    ties = [] if place is None else [(place, Link(other_case_id=dossier.case_id, reason=NAMES_DOSSIER), why)]
    return [(dossier, told, why), *ties]
