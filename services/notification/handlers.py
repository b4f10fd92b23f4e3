"""What the service does with facts and contacts. Nothing is sent here: a batch's transaction can be rolled back and repeated.

Everyone locks cases first and the ledger second, so that consumers and jobs cannot deadlock.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from pydantic_core import to_json
from uuid_utils.compat import uuid7

from services.notification import repository
from services.notification.domain.case import evolve
from services.notification.domain.ledger import Entry, MessageStatus
from services.notification.domain.policy import APPLICANT, notice_for, particulars
from services.notification.domain.routing import NOBODY, Reach, Route, Way, choose_route
from services.notification.handover import Handover
from services.notification.repository import CaseWork
from shared.contracts.events import CaseEvent, NotificationEvent, NotificationUndeliverable
from shared.contracts.private import CONTACT, Contact
from shared.contracts.words import Kind, Lane, Origin
from shared.messaging.delivery import Delivery
from shared.security.key_ring import KeyRing


@dataclass(frozen=True, slots=True)
class Planner:
    """What planning needs to know: the channels there are, how long to wait for a contact, and how to open one.

    `handovers` leads, by channel, to those senders of this process that messages are handed to.
    """

    ways: tuple[Way, ...]
    contact_wait: timedelta
    keys: KeyRing
    handovers: Mapping[str, Handover] = field(default_factory=dict)

    async def plan_messages(self, work: CaseWork, deliveries: Sequence[Delivery]) -> None:
        """Fold facts into their cases, and put a message into the ledger for each that the applicant must know."""
        live = {d.case_id for d in deliveries if d.case_id and d.envelope.origin is Origin.LIVE}
        reaches = await repository.reaches_of(work.tx, live) if live else {}
        planned = [entry for d in deliveries if (entry := self._plan(work, d, reaches)) is not None]
        new = await repository.add_entries(work.tx, planned)
        for entry in planned:
            if entry.id in new and entry.status == MessageStatus.UNDELIVERABLE:
                state_outcome(work, NotificationUndeliverable, entry)
        self._hand_over(work, [entry for entry in planned if entry.id in new])

    def _plan(self, work: CaseWork, delivery: Delivery, reaches: dict[UUID, Reach]) -> Entry | None:
        event, envelope, case_id = delivery.body, delivery.envelope, delivery.case_id
        if case_id is None or not isinstance(event, CaseEvent):
            return None
        locked = work.cases[case_id]
        before = locked.state
        locked.state = evolve(before, event)
        notice = notice_for(event, envelope.origin, before)
        if notice is None:
            return None
        reach = reaches.get(case_id)
        route = choose_route(envelope.origin, reach, self.ways)
        return Entry(
            id=uuid7(),
            case_id=case_id,
            fact=event.type,
            fact_id=envelope.id,
            sequence=envelope.sequence,
            recipient=APPLICANT,
            channel=route.channel,
            language=(reach or NOBODY).language,
            status=route.status,
            attempts=0,
            next_attempt_at=self._due_at(work, route),
            reason=route.reason,
            agency=event.agency,
            kind=event.kind,
            origin=envelope.origin,
            lane=locked.state.lane,
            particulars=to_json(particulars(notice, locked.state, event)).decode(),
            occurred_at=envelope.occurred_at,
            created_at=work.now,
            sent_at=None,
        )

    def _due_at(self, work: CaseWork, route: Route) -> datetime:
        """When the message is anyone's: at once, unless it waits, or goes to this process's sender with its lease taken."""
        if route.status is MessageStatus.WAITING:
            return work.now + self.contact_wait
        handover = self.handovers.get(route.channel)
        return work.now + handover.lease if handover is not None and handover.has_room else work.now

    def _hand_over(self, work: CaseWork, entries: Sequence[Entry]) -> None:
        """Once all is committed, give the senders what was planned with its lease taken."""
        for channel, handover in self.handovers.items():
            ours = [each for each in entries if each.channel == channel and each.next_attempt_at > work.now]
            if ours:
                work.after_commit.append(partial(handover.put, ours, time.monotonic()))

    def _routed(self, work: CaseWork, entry: Entry, reach: Reach) -> Entry:
        route = choose_route(Origin(entry.origin), reach, self.ways)
        return follow(entry, route, reach)._replace(next_attempt_at=self._due_at(work, route))

    async def take_contacts(self, work: CaseWork, deliveries: Sequence[Delivery]) -> None:
        """Keep the newest contact of each case, still encrypted, and send the messages that waited for it on their way.

        A record without a value erases the contact for good, whatever the clocks say that wrote it: intake publishes none of
        an erased case again. Messages that needed it are cancelled.

        Raises:
            CipherError: A contact does not open with our key; its record is parked.
            ValueError: Its content is no contact; likewise.
        """
        written, erased = await repository.contacts_recorded_at(work.tx, work.cases)
        newest: dict[UUID, repository.Contact] = {}
        for delivery in deliveries:
            recorded_at, case_id = delivery.envelope.recorded_at, delivery.case_id
            if case_id is None:
                continue
            if delivery.body is None:
                erased.add(case_id)
            elif case_id in erased or recorded_at < written.get(case_id, recorded_at):
                continue
            written[case_id] = recorded_at
            reach = self._reach(case_id, delivery.body)
            newest[case_id] = repository.Contact(case_id, delivery.body, reach, recorded_at)
        await repository.save_contacts(work.tx, list(newest.values()))
        await self._release(work, newest)

    def _reach(self, case_id: UUID, ciphertext: bytes | None) -> Reach:
        if ciphertext is None:
            return NOBODY
        contact = open_contact(self.keys, case_id, ciphertext)
        names = {way.name for way in self.ways if way.address_of(contact)}
        return Reach(frozenset(names), contact.language)

    async def _release(self, work: CaseWork, newest: dict[UUID, repository.Contact]) -> None:
        """Route what waits; after an erasure also what is pending, for it may have lost its address."""
        changed = []
        for entry in await repository.lock_open_entries_of(work.tx, newest):
            contact = newest[entry.case_id]
            if contact.ciphertext is None and self._needs_contact(entry.channel):
                changed.append(cancel(work, entry))
            elif entry.status == MessageStatus.WAITING:
                changed.append(settle(work, self._routed(work, entry, contact.reach)))
        await repository.update_entries(work.tx, changed)
        self._hand_over(work, changed)

    def _needs_contact(self, channel: str) -> bool:
        return any(way.needs_contact for way in self.ways if way.name == channel)

    async def end_waiting(self, work: CaseWork, ids: Sequence[UUID]) -> None:
        """Messages that have waited long enough go by a channel that needs no contact, or nowhere."""
        entries = await repository.lock_entries(work.tx, ids, MessageStatus.WAITING)
        changed = [settle(work, self._routed(work, entry, NOBODY)) for entry in entries]
        await repository.update_entries(work.tx, changed)
        self._hand_over(work, changed)


def open_contact(keys: KeyRing, case_id: UUID, ciphertext: bytes) -> Contact:
    """Decrypt a contact. Raises CipherError, or ValueError when the content is no contact."""
    return Contact.model_validate_json(keys.open(ciphertext, case_id, CONTACT))


def follow(entry: Entry, route: Route, reach: Reach) -> Entry:
    """The entry on its route."""
    return entry._replace(status=route.status, channel=route.channel, reason=route.reason, language=reach.language)


def settle(work: CaseWork, entry: Entry) -> Entry:
    """State it when a message has nowhere left to go."""
    if entry.status == MessageStatus.UNDELIVERABLE:
        state_outcome(work, NotificationUndeliverable, entry)
    return entry


def cancel(work: CaseWork, entry: Entry) -> Entry:
    """A message whose contact was erased; one that a channel has in its hands at this moment may still arrive."""
    cancelled = entry._replace(status=MessageStatus.CANCELLED, reason="contact_erased")
    state_outcome(work, NotificationUndeliverable, cancelled)
    return cancelled


def state_outcome(work: CaseWork, kind: type[NotificationEvent], entry: Entry) -> None:
    """State what became of a message. In a simulated year it happens at the time of its fact."""
    event = kind(
        agency=entry.agency,
        kind=Kind(entry.kind),
        message_id=entry.id,
        fact=entry.fact,
        fact_id=entry.fact_id,
        recipient=entry.recipient,
        channel=entry.channel,
        reason=entry.reason,
    )
    origin = Origin(entry.origin)
    work.emit(
        entry.case_id,
        event,
        occurred_at=work.now if origin is Origin.LIVE else entry.occurred_at,
        cause=entry.fact_id,
        origin=origin,
        lane=Lane(entry.lane),
    )
