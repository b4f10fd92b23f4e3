"""From the ledger to a channel and back: claim, write, send, record.

What this process has just planned comes with its lease (`handover`); everything else is claimed. A claim is a lease in the
ledger, so no transaction is open while a channel works, replicas never hold the same message, and what a dead one held comes
free by itself. A channel may see a message twice (a crash before the record was committed); the
ledger and the events say each outcome once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

from services.notification import repository
from services.notification.channels.channel import Channel, Message, Outcome, Result
from services.notification.domain.case import Case
from services.notification.domain.ledger import OPEN, Entry, MessageStatus
from services.notification.domain.routing import NOBODY, Way, choose_route, next_attempt_at, ways_after
from services.notification.handlers import follow, open_contact, state_outcome
from services.notification.handover import Handover
from services.notification.metrics import NotificationMetrics
from services.notification.rendering import Renderer
from services.notification.repository import CaseWork
from shared.contracts.events import NotificationFailed, NotificationSent, NotificationUndeliverable
from shared.contracts.words import Origin
from shared.observability.failpoints import reach
from shared.persistence.retry import until_it_passes
from shared.persistence.work import Store
from shared.security.key_ring import KeyRing

log = structlog.get_logger()

UNTRIED_WAIT = timedelta(seconds=5)
"""When a message comes again whose turn did not come."""

Claimed = tuple[Entry, bytes | None]


class NoAddressError(Exception):
    """The contact was erased or changed since the message was routed."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends the pending messages of one channel."""

    channel: Channel
    ways: tuple[Way, ...]
    store: Store[Case]
    keys: KeyRing
    renderer: Renderer
    metrics: NotificationMetrics
    handover: Handover | None = None

    async def send_due(self) -> int:
        """Send one batch of what was handed over and one of what is due besides; gives how many messages these were."""
        handed = [(entry, None) for entry in self.handover.take()] if self.handover else []
        return await self._send(handed) + await self._send(await self._claim())

    async def _claim(self) -> list[Claimed]:
        way, channel = self.channel.way, self.channel
        async with self.store.database.transaction() as tx:
            until = tx.now + timedelta(seconds=channel.lease_seconds)
            return await repository.claim_due(tx, way.name, channel.batch, until, with_contact=way.needs_contact)

    async def _send(self, claimed: Sequence[Claimed]) -> int:
        """Send messages whose lease is ours."""
        if not claimed:
            return 0
        messages, outcomes = self._write(claimed)
        if messages:
            outcomes += await self.channel.send(messages)
            await reach("after_send")
        # what was sent must be written down within the lease, or it would be sent again
        await until_it_passes(lambda: self._settle(claimed, outcomes), self.channel.lease_seconds / 2)
        return len(claimed)

    async def _settle(self, claimed: Sequence[Claimed], outcomes: Sequence[Outcome]) -> None:
        async with self.store.open({entry.case_id for entry, _ in claimed}) as work:
            settled = await self._record(work, [entry for entry, _ in claimed], outcomes)
        self._observe(work, settled)

    def _write(self, claimed: Sequence[Claimed]) -> tuple[list[Message], list[Outcome]]:
        """The messages as text with their addresses, and an outcome for those that cannot be written."""
        messages, outcomes = [], []
        for entry, ciphertext in claimed:
            try:
                messages.append(self._message(entry, ciphertext))
            except NoAddressError:
                outcomes.append(Outcome(entry.id, Result.REFUSED, "no_contact"))
            except Exception as error:  # noqa: BLE001 - a fault in a template or a key must not hold up the others
                log.warning("message not written", fact=entry.fact, error=type(error).__name__)
                outcomes.append(Outcome(entry.id, Result.RETRY, "not_written"))
        return messages, outcomes

    def _message(self, entry: Entry, ciphertext: bytes | None) -> Message:
        address = self._address(entry.case_id, ciphertext) if self.channel.way.needs_contact else None
        subject, text = self.renderer.render(entry)
        return Message(
            id=entry.id,
            case_id=entry.case_id,
            fact=entry.fact,
            fact_id=entry.fact_id,
            recipient=entry.recipient,
            language=entry.language,
            origin=entry.origin,
            occurred_at=entry.occurred_at,
            subject=subject,
            text=text,
            address=address,
        )

    def _address(self, case_id: UUID, ciphertext: bytes | None) -> str:
        """The applicant's address on this channel; NoAddressError when there is none any more."""
        address = ciphertext and self.channel.way.address_of(open_contact(self.keys, case_id, ciphertext))
        if not address:
            raise NoAddressError(self.channel.way.name)
        return str(address)

    async def _record(self, work: CaseWork, entries: Sequence[Entry], outcomes: Sequence[Outcome]) -> list[Entry]:
        """Write and state what became of the messages that are still pending; gives them as they are now.

        After a long stall another replica may have been faster: its word stands.
        """
        sent = await repository.mark_sent(work.tx, [each.message_id for each in outcomes if each.result is Result.SENT])
        settled = [_sent(work, entry) for entry in entries if entry.id in sent]
        others = {each.message_id: each for each in outcomes if each.result is not Result.SENT}
        return settled + (await self._record_failures(work, others) if others else [])

    async def _record_failures(self, work: CaseWork, outcomes: dict[UUID, Outcome]) -> list[Entry]:
        entries = await repository.lock_entries(work.tx, outcomes, MessageStatus.PENDING)
        changed = [self._after(work, entry, outcomes[entry.id]) for entry in entries]
        followers = await self._followers(work, [entry for entry in changed if entry.status == MessageStatus.FAILED])
        settled = [_settle(work, entry, has_follower=entry.id in followers) for entry in changed]
        await repository.add_entries(work.tx, list(followers.values()))
        await repository.update_entries(work.tx, settled)
        return settled

    def _after(self, work: CaseWork, entry: Entry, outcome: Outcome) -> Entry:
        """The entry when it was not sent; a message that was tried often enough has failed."""
        if outcome.result is Result.NOT_TRIED:
            return entry._replace(next_attempt_at=work.now + UNTRIED_WAIT)
        tried = entry._replace(attempts=entry.attempts + 1, reason=outcome.reason)
        if outcome.result is Result.REFUSED or tried.attempts >= self.channel.attempts:
            return tried._replace(status=MessageStatus.FAILED)
        first, longest = self.channel.waits
        at = next_attempt_at(work.now, tried.attempts, first_seconds=first, longest_seconds=longest)
        return tried._replace(next_attempt_at=at)

    async def _followers(self, work: CaseWork, failed: Sequence[Entry]) -> dict[UUID, Entry]:
        """By failed message, the one that goes on in its place by the next channel, where there is one."""
        if not failed:
            return {}
        reaches = await repository.reaches_of(work.tx, {entry.case_id for entry in failed})
        followers = {}
        for entry in failed:
            reach = reaches.get(entry.case_id, NOBODY)
            route = choose_route(Origin(entry.origin), reach, ways_after(self.channel.way.name, self.ways))
            if route.status is MessageStatus.PENDING:
                fresh = entry._replace(id=uuid7(), attempts=0, next_attempt_at=work.now, created_at=work.now)
                followers[entry.id] = follow(fresh, route, reach)
        return followers

    def _observe(self, work: CaseWork, entries: Sequence[Entry]) -> None:
        seen: dict[tuple[str, str], list[float | None]] = defaultdict(list)
        for entry in entries:
            final = entry.status not in OPEN
            took = (work.now - entry.created_at).total_seconds() if final else None
            seen[entry.channel, str(entry.status) if final else "postponed"].append(took)
        for (channel, outcome), seconds in seen.items():
            self.metrics.observe(channel, outcome, seconds)


def _sent(work: CaseWork, entry: Entry) -> Entry:
    sent = entry._replace(attempts=entry.attempts + 1, reason=None, status=MessageStatus.SENT, sent_at=work.now)
    state_outcome(work, NotificationSent, sent)
    return sent


def _settle(work: CaseWork, entry: Entry, *, has_follower: bool) -> Entry:
    """State a failure for good; what failed on the last channel that was left is undeliverable."""
    if entry.status != MessageStatus.FAILED:
        return entry
    state_outcome(work, NotificationFailed, entry)
    if has_follower:
        return entry
    state_outcome(work, NotificationUndeliverable, entry)
    return entry._replace(status=MessageStatus.UNDELIVERABLE)
