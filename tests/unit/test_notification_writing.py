"""Messages on their way to a channel: a fault in one holds up no other."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from services.notification.channels.channel import Outcome, Result
from services.notification.channels.email import EmailChannel
from services.notification.channels.file import FileChannel
from services.notification.domain.case import Case, evolve
from services.notification.domain.ledger import Entry
from services.notification.metrics import NotificationMetrics
from services.notification.rendering import Renderer
from services.notification.sending import Sender
from services.notification.settings import SmtpServer
from shared.contracts.private import Contact
from shared.persistence.work import Store
from shared.security.key_ring import KeyRing
from tests.support.notification import accepted, entry_about

KEYS = KeyRing([b"k" * 32])
CASE_ID = UUID(int=1)


class BrokenRenderer(Renderer):
    """Cannot write about refusals."""

    def render(self, entry: Entry) -> tuple[str, str]:
        """A lookup error, as a missing template is."""
        if entry.language == "xx":
            raise KeyError(entry.fact)
        return super().render(entry)


def sender(channel: FileChannel | EmailChannel) -> Sender:
    store: Store[Case] = object.__new__(Store)  # writing needs no database
    metrics = NotificationMetrics(CollectorRegistry())
    return Sender(channel, (channel.way,), store, KEYS, BrokenRenderer(), metrics)


def sealed(contact: Contact) -> bytes:
    return KEYS.new_case(CASE_ID).seal(contact.model_dump_json().encode(), "contact")


def entry(language: str = "vi") -> Entry:
    return entry_about(CASE_ID, accepted(), evolve(Case(), accepted()), language)


def test_a_template_that_fails_postpones_its_message_and_no_other(tmp_path: Path) -> None:
    broken, good = entry("xx"), entry()
    messages, outcomes = sender(FileChannel(tmp_path / "m"))._write([(broken, None), (good, None)])
    assert [message.id for message in messages] == [good.id]
    assert outcomes == [Outcome(broken.id, Result.RETRY, "not_written")]


@pytest.mark.parametrize("ciphertext", [None, sealed(Contact(phone="0912345678"))], ids=["erased", "without an address"])
def test_a_contact_that_has_gone_meanwhile_refuses_the_channel(ciphertext: bytes | None) -> None:
    mail, gone = EmailChannel(SmtpServer("127.0.0.1", 1), "a@b.vn"), entry()
    assert sender(mail)._write([(gone, ciphertext)]) == ([], [Outcome(gone.id, Result.REFUSED, "no_contact")])


def test_a_contact_that_does_not_open_is_tried_later() -> None:
    mail, odd = EmailChannel(SmtpServer("127.0.0.1", 1), "a@b.vn"), entry()
    assert sender(mail)._write([(odd, b"garbage")]) == ([], [Outcome(odd.id, Result.RETRY, "not_written")])


def test_the_address_goes_to_the_channel_and_not_into_the_text() -> None:
    mail = EmailChannel(SmtpServer("127.0.0.1", 1), "a@b.vn")
    contact = Contact(name="Nguyễn Thị Bí Mật", email="bi.mat@example.vn", phone="0912345678")
    ((message,), outcomes) = sender(mail)._write([(entry(), sealed(contact))])
    assert outcomes == []
    assert message.address == "bi.mat@example.vn"
    for secret in ("bi.mat", "Bí Mật", "0912345678"):
        assert secret not in message.subject + message.text
