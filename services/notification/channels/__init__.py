"""The channels, one line each, in the order of wish. A new channel is one module and one line here."""

from __future__ import annotations

from services.notification.channels import email, file
from services.notification.channels.channel import Channel
from services.notification.settings import NotificationSettings

MAKERS = (
    email.make_channel,
    file.make_channel,
)


def make_channels(settings: NotificationSettings) -> list[Channel]:
    """The channels that the settings configure, in the order of wish."""
    return [channel for make in MAKERS if (channel := make(settings)) is not None]
