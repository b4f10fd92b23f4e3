"""The e-mail channel against a real SMTP server, kind, strict, slow and away."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from uuid_utils.compat import uuid7

from services.notification.channels.channel import Message, Result
from services.notification.channels.email import EmailChannel
from services.notification.settings import SmtpServer

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")  # a server on loopback, for a test
SENDER = "mot-cua@haiphong.example.vn"
OK = "250 OK"


class Mailbox:
    """An SMTP handler that takes mail and answers as told: a recipient's answers are used up one by one, then it is OK."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: dict[str, list[str]] = {}
        self.delay = 0.0

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        answers = self.answers.get(address)
        if answers:
            return answers.pop(0)
        envelope.rcpt_tos.append(address)
        return OK

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - as above
        await asyncio.sleep(self.delay)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.SMTP)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return OK


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def server(mailbox: Mailbox) -> Iterator[SmtpServer]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield SmtpServer(controller.hostname, controller.port)
    controller.stop()


def message(address: str = "nguoi.dan@example.vn", text: str = "Đã tiếp nhận.\n") -> Message:
    return Message(
        id=uuid7(),
        case_id=UUID(int=1),
        fact="case.accepted",
        fact_id="f",
        recipient="applicant",
        language="vi",
        origin="live",
        occurred_at=datetime(2026, 3, 2, tzinfo=UTC),
        subject="Hồ sơ 000.00.07.H24-260302-0001 đã được tiếp nhận",
        text=text,
        address=address,
    )


async def results(channel: EmailChannel, *messages: Message) -> list[tuple[Result, str | None]]:
    return [(outcome.result, outcome.reason) for outcome in await channel.send(messages)]


async def test_a_mail_arrives_with_its_vietnamese_text_and_an_id_made_of_the_ledgers(
    server: SmtpServer, mailbox: Mailbox
) -> None:
    sent = message()
    assert await results(EmailChannel(server, SENDER), sent) == [(Result.SENT, None)]
    (mail,) = mailbox.mails
    assert mail["Subject"] == sent.subject
    assert mail["From"] == SENDER
    assert mail["To"] == "nguoi.dan@example.vn"
    assert mail["Message-ID"] == f"<{sent.id}@haiphong.example.vn>"
    assert mail["Content-Language"] == "vi"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().strip() == "Đã tiếp nhận."


async def test_a_message_sent_again_after_a_crash_has_the_same_message_id(server: SmtpServer, mailbox: Mailbox) -> None:
    channel, sent = EmailChannel(server, SENDER), message()
    await channel.send([sent])
    await channel.send([sent])
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 1


async def test_a_batch_goes_over_one_connection_in_order(server: SmtpServer, mailbox: Mailbox) -> None:
    sent = [message(f"a{number}@example.vn") for number in range(20)]
    assert await results(EmailChannel(server, SENDER), *sent) == [(Result.SENT, None)] * 20
    assert [mail["To"] for mail in mailbox.mails] == [each.address for each in sent]


async def test_a_4xx_passes_and_the_next_try_is_taken(server: SmtpServer, mailbox: Mailbox) -> None:
    mailbox.answers["full@example.vn"] = ["452 mailbox full"]
    channel, sent = EmailChannel(server, SENDER), message("full@example.vn")
    assert await results(channel, sent) == [(Result.RETRY, "smtp_452")]
    assert await results(channel, sent) == [(Result.SENT, None)]


async def test_a_5xx_is_for_ever_and_harms_no_neighbour(server: SmtpServer, mailbox: Mailbox) -> None:
    mailbox.answers["gone@example.vn"] = ["550 no such user"]
    outcomes = await results(EmailChannel(server, SENDER), message(), message("gone@example.vn"), message())
    assert outcomes == [(Result.SENT, None), (Result.REFUSED, "smtp_550"), (Result.SENT, None)]
    assert len(mailbox.mails) == 2


async def test_a_server_that_closes_is_given_a_rest(server: SmtpServer, mailbox: Mailbox) -> None:
    mailbox.answers["busy@example.vn"] = ["421 try later"]
    outcomes = await results(EmailChannel(server, SENDER), message("busy@example.vn"), message())
    assert outcomes == [(Result.RETRY, "smtp_421"), (Result.NOT_TRIED, None)]


async def test_a_silent_server_costs_one_time_out_and_not_one_per_message(server: SmtpServer, mailbox: Mailbox) -> None:
    mailbox.delay = 30
    channel = EmailChannel(server, SENDER, timeout=0.3)
    began = time.monotonic()
    outcomes = await results(channel, *(message() for _ in range(10)))
    assert outcomes == [(Result.RETRY, "smtp_timeout"), *[(Result.NOT_TRIED, None)] * 9]
    assert time.monotonic() - began < 3


async def test_a_slow_server_does_not_hold_a_batch_longer_than_our_patience(server: SmtpServer, mailbox: Mailbox) -> None:
    mailbox.delay = 0.2
    outcomes = await EmailChannel(server, SENDER, patience=0.5).send([message() for _ in range(20)])
    kinds = [outcome.result for outcome in outcomes]
    assert kinds.count(Result.SENT) in (2, 3, 4)
    assert kinds.count(Result.SENT) + kinds.count(Result.NOT_TRIED) == 20


async def test_a_server_that_is_away_costs_only_the_first_message_an_attempt() -> None:
    channel = EmailChannel(SmtpServer("127.0.0.1", free_port()), SENDER)
    outcomes = await results(channel, message(), message())
    assert outcomes == [(Result.RETRY, "smtp_unreachable"), (Result.NOT_TRIED, None)]


async def test_a_server_that_comes_back_gets_the_mail(mailbox: Mailbox) -> None:
    port = free_port()
    channel, sent = EmailChannel(SmtpServer("127.0.0.1", port), SENDER), message()
    assert await results(channel, sent) == [(Result.RETRY, "smtp_unreachable")]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        assert await results(channel, sent) == [(Result.SENT, None)]
    finally:
        controller.stop()


@pytest.mark.parametrize("address", ["", "a@b@c.vn\r\nBcc: x@y.vn", "a@b.vn, c@d.vn"])
async def test_an_address_that_cannot_be_written_is_refused_and_harms_no_neighbour(
    server: SmtpServer, mailbox: Mailbox, address: str
) -> None:
    outcomes = await results(EmailChannel(server, SENDER), message(address), message())
    assert outcomes[0][0] is Result.REFUSED
    assert outcomes[1] == (Result.SENT, None)
    assert len(mailbox.mails) == 1


async def test_an_address_with_vietnamese_letters_is_taken_where_the_server_can(server: SmtpServer, mailbox: Mailbox) -> None:
    assert await results(EmailChannel(server, SENDER), message("hộp-thư@example.vn")) == [(Result.SENT, None)]


async def test_a_text_in_lines_with_dots_arrives_unchanged(server: SmtpServer, mailbox: Mailbox) -> None:
    text = ".\n..\n.đầu dòng\n" + "dài " * 500 + "\n"
    await EmailChannel(server, SENDER).send([message(text=text)])
    assert mailbox.mails[0].get_content().replace("\r\n", "\n") == text


@pytest.fixture
def guarded(mailbox: Mailbox) -> Iterator[SmtpServer]:
    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(handled=False, success=data.login == b"motcua" and data.password == b"pass word")

    controller = Controller(
        mailbox,
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=authenticate,
        auth_required=True,
        auth_require_tls=False,
    )
    controller.start()
    yield SmtpServer(controller.hostname, controller.port, username="motcua", password="pass word")
    controller.stop()


async def test_a_server_that_wants_a_log_in_gets_one(guarded: SmtpServer, mailbox: Mailbox) -> None:
    assert await results(EmailChannel(guarded, SENDER), message()) == [(Result.SENT, None)]


async def test_a_refused_log_in_is_our_fault_and_fails_no_message(guarded: SmtpServer, mailbox: Mailbox) -> None:
    wrong = SmtpServer(guarded.host, guarded.port, username="motcua", password="wrong")
    outcomes = await results(EmailChannel(wrong, SENDER), message(), message())
    assert outcomes == [(Result.RETRY, "smtp_535"), (Result.NOT_TRIED, None)]


async def test_a_server_that_wants_a_log_in_we_do_not_have_fails_no_message(guarded: SmtpServer, mailbox: Mailbox) -> None:
    anonymous = SmtpServer(guarded.host, guarded.port)
    assert await results(EmailChannel(anonymous, SENDER), message()) == [(Result.RETRY, "smtp_530")]
    assert mailbox.mails == []
