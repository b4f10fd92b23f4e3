"""Which channel a message takes: the order of wish, and what falls back on what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notification.domain.ledger import NO_CHANNEL, MessageStatus
from shared.contracts.private import Contact
from shared.contracts.words import Origin


@dataclass(frozen=True, slots=True)
class Way:
    """A channel as routing sees it.

    `contact_field` names what it needs of a contact, None when it reaches everybody; `simulated` says that it may carry a replay.
    """

    name: str
    contact_field: str | None
    simulated: bool

    @property
    def needs_contact(self) -> bool:
        """Whether only applicants with a contact of its kind can be reached."""
        return self.contact_field is not None

    def address_of(self, contact: Contact) -> str | None:
        """The applicant's address on this channel, None when there is none."""
        return None if self.contact_field is None else getattr(contact, self.contact_field)


@dataclass(frozen=True, slots=True)
class Reach:
    """By which channels the applicant can be reached, and in which language; nothing personal."""

    channels: frozenset[str] = frozenset()
    language: str = "vi"


NOBODY = Reach()
"""A contact that never came, or was erased."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a message goes next, and why when it goes nowhere."""

    status: MessageStatus
    channel: str = NO_CHANNEL
    reason: str | None = None


def choose_route(origin: Origin, reach: Reach | None, ways: Sequence[Way]) -> Route:
    """The first channel, in the order of `ways`, that can carry the message.

    `reach` is None while the contact has not come. A replay needs none, and never leaves by a channel to real people.
    """
    open_ways = [way for way in ways if origin is Origin.LIVE or way.simulated]
    if not open_ways:
        return Route(MessageStatus.UNDELIVERABLE, reason="no_channel")
    if reach is None and origin is Origin.LIVE:
        return Route(MessageStatus.WAITING)
    reached = (reach or NOBODY).channels
    for way in open_ways:
        if not way.needs_contact or way.name in reached:
            return Route(MessageStatus.PENDING, way.name)
    return Route(MessageStatus.UNDELIVERABLE, reason="no_contact")


def ways_after(channel: str, ways: Sequence[Way]) -> list[Way]:
    """What is left to try when a channel has failed for good."""
    names = [way.name for way in ways]
    return list(ways[names.index(channel) + 1 :]) if channel in names else list(ways)


def next_attempt_at(now: datetime, attempts: int, *, first_seconds: float = 15, longest_seconds: float = 3600) -> datetime:
    """When to try again after so many attempts: the wait doubles from `first_seconds` up to `longest_seconds`."""
    return now + timedelta(seconds=min(first_seconds * 2 ** min(attempts - 1, 30), longest_seconds))
