"""E-mail over SMTP (RFC 5321): one message at a time over one connection per batch.

At least once at the edge: after a crash between the server's acceptance and our commit the mail goes out again, with the same
Message-ID, by which mail systems recognise it. The ledger and the events stay exactly once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import TYPE_CHECKING

import aiosmtplib

from services.notification.channels.channel import Message, Outcome, Result
from services.notification.domain.routing import Way
from shared.clock import real_time

if TYPE_CHECKING:
    from services.notification.settings import NotificationSettings, SmtpServer

WAY = Way("email", contact_field="email", simulated=False)

CLOSING = 421
PERMANENT = 500
"""Reply codes from here on are permanent (RFC 5321, §4.2.1)."""


class EmailChannel:
    """Hands messages to one SMTP server. `timeout` bounds each exchange, `patience` a whole batch; both in seconds."""

    way = WAY
    batch = 50
    waits = (15.0, 3600.0)

    def __init__(self, server: SmtpServer, sender: str, *, timeout: float = 10, patience: float = 15, attempts: int = 12) -> None:
        self._server, self._sender, self._timeout, self._patience = server, sender, timeout, patience
        self.attempts = attempts
        # One message may begin just before patience ends; the rest is for closing and for the commit.
        self.lease_seconds = patience + 2 * timeout + 25

    async def send(self, messages: Sequence[Message]) -> list[Outcome]:
        """Send one by one. Once the server is away the rest waits untried, so that an outage costs nobody an attempt."""
        outcomes: list[Outcome] = []
        ends_at = time.monotonic() + self._patience
        client = self._client()
        try:
            for message in messages:
                if time.monotonic() >= ends_at:
                    break
                outcome, alive = await self._send_one(client, message)
                outcomes.append(outcome)
                if not alive:
                    break
        finally:
            await _close(client)
        return outcomes + [Outcome(each.id, Result.NOT_TRIED) for each in messages[len(outcomes) :]]

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.tls,
            start_tls=False if server.tls else None,
            timeout=self._timeout,
        )

    async def _send_one(self, client: aiosmtplib.SMTP, message: Message) -> tuple[Outcome, bool]:
        """The outcome, and whether the server is still there for the next message."""
        try:
            mail, recipient = self._write(message)
        except (ValueError, MessageError):
            return Outcome(message.id, Result.REFUSED, "bad_address"), True
        try:
            async with asyncio.timeout(2 * self._timeout):
                if not client.is_connected:
                    await client.connect()
                await client.send_message(mail, sender=self._sender, recipients=[recipient])
        except Exception as error:  # noqa: BLE001 - whatever a server or a network does is an outcome
            return _judge(message, error)
        return Outcome(message.id, Result.SENT), True

    def _write(self, message: Message) -> tuple[EmailMessage, str]:
        """The mail and its one recipient; the Message-ID is made of the ledger's id, so that a repetition can be recognised.

        Raises:
            ValueError: The address is not exactly one.
        """
        mail = EmailMessage(policy=SMTP_POLICY)
        mail["From"] = self._sender
        mail["To"] = message.address
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(real_time())
        mail["Message-ID"] = f"<{message.id}@{self._sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        mail["Content-Language"] = message.language
        addresses = mail["To"].addresses
        if len(addresses) != 1 or not addresses[0].domain:
            raise ValueError("not one address")
        return mail, addresses[0].addr_spec


def _judge(message: Message, error: Exception) -> tuple[Outcome, bool]:
    """Sort a failure: 5xx about this message is permanent; 4xx, a server that does not want us, and the network pass."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    match error:
        case (
            aiosmtplib.SMTPAuthenticationError()
            | aiosmtplib.SMTPHeloError()
            | aiosmtplib.SMTPConnectResponseError()
            | aiosmtplib.SMTPSenderRefused()
        ):
            return Outcome(message.id, Result.RETRY, f"smtp_{error.code}"), False
        case aiosmtplib.SMTPResponseException():
            result = Result.REFUSED if error.code >= PERMANENT else Result.RETRY
            return Outcome(message.id, result, f"smtp_{error.code}"), error.code != CLOSING
        case aiosmtplib.SMTPNotSupported() | UnicodeError():
            return Outcome(message.id, Result.REFUSED, "address_not_supported"), True
        case TimeoutError():
            return Outcome(message.id, Result.RETRY, "smtp_timeout"), False
        case _:
            return Outcome(message.id, Result.RETRY, "smtp_unreachable"), False


async def _close(client: aiosmtplib.SMTP) -> None:
    try:
        if client.is_connected:
            await client.quit(timeout=2)
    except (aiosmtplib.SMTPException, OSError):
        pass  # the server has gone already
    finally:
        client.close()


def make_channel(settings: NotificationSettings) -> EmailChannel | None:
    """The channel, where a server is configured."""
    if settings.smtp_server is None:
        return None
    return EmailChannel(settings.smtp_server, settings.smtp_from, timeout=settings.smtp_timeout, attempts=settings.smtp_attempts)
