"""The cases of tickets: a new ticket opens one in the transaction that takes it, any other event of a ticket finds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from services.intake import repository
from services.intake.domain.submission import FilingRules
from services.intake.hotline.event import Event
from services.intake.hotline.feedback import NotFiledError, make_case
from services.intake.hotline.orders import Place
from services.intake.hotline.tickets import Ticket, TicketKey, find_tickets, keep_tickets
from services.intake.opening import NewCase, make_row
from shared.contracts.hotline import TicketOpened
from shared.hotline.said import Wrong
from shared.persistence.work import Work
from shared.security.key_ring import KeyRing

TICKET_KNOWN: Final = "ticket_known"
"""The note of an event that opens a ticket which was opened before."""
UNKNOWN_TICKET: Final = Wrong("ticket_id", "unknown_ticket")


class _New(NamedTuple):
    """A ticket that was not known, and the case that it becomes."""

    event: Event
    ticket: TicketOpened
    case: NewCase


async def open_cases(work: Work[Any], keys: KeyRing, rules: FilingRules, events: Sequence[Event]) -> int:
    """Give each event of a ticket its case, opening those of new tickets; how many were opened.

    An event of a ticket that nobody has opened is refused: it may be sent again later.
    """
    named = [(event, ticket) for event in events if (ticket := event.ticket) is not None]
    if not named:
        return 0
    places = await find_tickets(work.tx, sorted({ticket for _, ticket in named}))
    new = _new_ones(keys, rules, named, places)
    if new:
        places |= await _open(work, keys, new)
    for event, ticket in named:
        _settle(event, places.get(ticket), is_new=ticket in new and new[ticket].event is event)
    return sum(each.event.body is not None for each in new.values())


def _new_ones(
    keys: KeyRing, rules: FilingRules, named: Sequence[tuple[Event, TicketKey]], known: Mapping[TicketKey, Place]
) -> dict[TicketKey, _New]:
    new: dict[TicketKey, _New] = {}
    for event, ticket in named:
        said = event.said
        if said is None or not isinstance(said.body, TicketOpened) or ticket in known or ticket in new:
            continue
        try:
            case = make_case(keys, event.source, event.agency, said.body, said.occurred_at, rules)
        except NotFiledError as error:
            event.refuse(*error.wrong)
        else:
            new[ticket] = _New(event, said.body, case)
    return new


async def _open(work: Work[Any], keys: KeyRing, new: Mapping[TicketKey, _New]) -> dict[TicketKey, Place]:
    """Open the cases, unless another transaction was quicker with one: then its case is found by the key.

    Raises:
        TimeoutError: Such a key was forgotten in this very moment; it works when tried again.
    """
    driver, cases = work.tx.driver, [each.case for each in new.values()]
    opened = frozenset(await repository.open_new(driver, [make_row(case, keys, work.now) for case in cases]))
    work.after_commit.append(work.store.on_commit)
    lost = [(case.scope, case.key) for case in cases if case.case_id not in opened]
    found = await repository.find_keys(driver, lost) if lost else {}
    if len(found) < len(lost):
        raise TimeoutError("the key of a ticket was forgotten meanwhile")
    mine = {ticket: each for ticket, each in new.items() if each.case.case_id in opened}
    same = await keep_tickets(work.tx, [_ticket(keys, each) for each in mine.values()])
    for each in mine.values():
        if (first := same.get(each.case.case_id)) is not None:
            each.event.same_as = Place(first, each.event.agency)
    for each in new.values():
        if (taken := found.get((each.case.scope, each.case.key))) is not None:
            each.event.repeat(taken[1], TICKET_KNOWN)
    return {
        ticket: Place(each.case.case_id if ticket in mine else found[each.case.scope, each.case.key][1], each.event.agency)
        for ticket, each in new.items()
    }


def _ticket(keys: KeyRing, each: _New) -> Ticket:
    matter, agency = each.ticket.same_matter, each.event.agency
    matter_key = None if matter is None else keys.token("matter", f"{agency}\0{matter}")
    return Ticket(each.event.source, each.ticket.ticket_id, each.case.case_id, agency, matter_key)


def _settle(event: Event, place: Place | None, *, is_new: bool) -> None:
    """Give an event the case of its ticket. One that opens a ticket again repeats the first."""
    body = event.body
    if body is None:
        return
    if place is None:
        event.refuse(UNKNOWN_TICKET)
    elif isinstance(body, TicketOpened) and not is_new:
        event.repeat(place.case_id, TICKET_KNOWN)
    else:
        event.place, event.case_id = place, place.case_id
