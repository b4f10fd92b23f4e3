"""What notification states about its messages."""

from __future__ import annotations

from uuid import UUID

from shared.contracts.events.base import NOTIFICATION, CaseEvent
from shared.contracts.model import Label, Reason, Slug


class NotificationEvent(CaseEvent):
    """What became of one message to one recipient about one fact."""

    stated_by = NOTIFICATION

    message_id: UUID
    fact: Label
    fact_id: Label
    recipient: Slug
    channel: Slug
    reason: Reason | None = None


class NotificationSent(NotificationEvent):
    """The channel took the message over."""

    type = "notification.sent"


class NotificationDelivered(NotificationEvent):
    """The provider says that the message arrived."""

    type = "notification.delivered"


class NotificationFailed(NotificationEvent):
    """The channel refused the message; another may follow."""

    type = "notification.failed"


class NotificationUndeliverable(NotificationEvent):
    """No channel is left."""

    type = "notification.undeliverable"
