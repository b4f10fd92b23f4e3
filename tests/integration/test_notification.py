"""The notification service with real Kafka, PostgreSQL and SMTP: one message per fact, by the right channel, told once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr
from uuid_utils.compat import uuid7

from services.notification.channels.file import FileChannel
from services.notification.rendering import SIMULATED
from services.notification.sending import Sender
from shared.contracts.events import CaseForwarded
from shared.contracts.private import Contact
from shared.contracts.words import Kind, Origin
from shared.security.key_ring import KeyRing
from shared.security.tokens import Role
from tests.support.notification import AGENCY, OCCURRED_AT, Notification, accepted, resolved, returned
from tests.support.servers import Servers
from tests.support.waiting import eventually

CONTACT = Contact(name="Nguyễn Thị Bí Mật", email="bi.mat@example.vn", phone="0912345678", language="en")
SENT_BY_EMAIL = ("case.accepted", "email", "sent", None)
SENT_BY_FILE = ("case.accepted", "file", "sent", None)


class Mailbox:
    """Takes mail; recipients named in `refused` get their answer."""

    def __init__(self) -> None:
        self.received: list[tuple[str, str]] = []
        self.refused: dict[str, list[str]] = {}

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.refused.get(address):
            return self.refused[address].pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - as above
        self.received.append((envelope.rcpt_tos[0], envelope.content.decode()))
        return "250 OK"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def smtp(mailbox: Mailbox) -> Iterator[dict[str, Any]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield {"smtp_url": SecretStr(f"smtp://127.0.0.1:{port}"), "smtp_from": "mot-cua@haiphong.example.vn"}
    controller.stop()


def new_case() -> UUID:
    return uuid7()


async def test_a_live_fact_reaches_the_applicant_by_mail_in_their_language_and_is_stated(
    servers: Servers, tmp_path: Path, smtp: dict[str, Any], mailbox: Mailbox
) -> None:
    async with Notification.run(servers, tmp_path, **smtp) as service:
        case_id = new_case()
        await service.disclose(case_id, CONTACT)
        await eventually("the contact is known", lambda: service.query("select 1 from contacts"))
        (fact_id,) = await service.state(case_id, accepted())
        await service.ledger_becomes(case_id, SENT_BY_EMAIL)
        ((address, content),) = mailbox.received
        ((kind, subject, body, envelope),) = await service.stated(1)
    assert address == "bi.mat@example.vn"
    assert "Content-Language: en" in content
    assert (kind, subject) == ("notification.sent", case_id)
    assert (body["fact"], body["fact_id"], body["channel"], body["recipient"]) == (
        "case.accepted", fact_id, "email", "applicant",
    )  # fmt: skip
    assert (envelope.sequence, envelope.causation_id, envelope.origin) == (1, fact_id, Origin.LIVE)
    assert service.lines() == []


async def test_a_message_waits_for_its_contact_and_goes_when_it_comes(
    servers: Servers, tmp_path: Path, smtp: dict[str, Any], mailbox: Mailbox
) -> None:
    async with Notification.run(servers, tmp_path, **smtp) as service:
        case_id = new_case()
        await service.state(case_id, accepted())
        await service.ledger_becomes(case_id, ("case.accepted", "none", "waiting", None))
        await service.disclose(case_id, CONTACT)
        await service.ledger_becomes(case_id, SENT_BY_EMAIL)
    assert len(mailbox.received) == 1


async def test_a_message_whose_contact_never_comes_falls_back_on_the_file(
    servers: Servers, tmp_path: Path, smtp: dict[str, Any], mailbox: Mailbox
) -> None:
    async with Notification.run(servers, tmp_path, contact_wait_seconds=0.5, **smtp) as service:
        case_id = new_case()
        await service.state(case_id, accepted())
        await service.ledger_becomes(case_id, SENT_BY_FILE)
    assert [line["case_id"] for line in service.lines()] == [str(case_id)]
    assert mailbox.received == []


async def test_without_a_file_a_message_without_a_contact_is_undeliverable(
    servers: Servers, tmp_path: Path, smtp: dict[str, Any]
) -> None:
    async with Notification.run(servers, tmp_path, contact_wait_seconds=0.5, notification_file=None, **smtp) as service:
        case_id = new_case()
        await service.state(case_id, accepted())
        await service.ledger_becomes(case_id, ("case.accepted", "none", "undeliverable", "no_contact"))
        ((kind, _, body, _),) = await service.stated(1)
    assert (kind, body["reason"], body["channel"]) == ("notification.undeliverable", "no_contact", "none")


async def test_a_service_without_any_channel_says_so_at_once(servers: Servers, tmp_path: Path) -> None:
    async with Notification.run(servers, tmp_path, notification_file=None) as service:
        case_id = new_case()
        await service.state(case_id, accepted())
        await service.ledger_becomes(case_id, ("case.accepted", "none", "undeliverable", "no_channel"))


async def test_a_replay_goes_to_the_file_alone_marked_as_simulated_and_each_message_once(
    servers: Servers, tmp_path: Path, smtp: dict[str, Any], mailbox: Mailbox
) -> None:
    async with Notification.run(servers, tmp_path, **smtp) as service:
        cases = [new_case() for _ in range(200)]
        await service.disclose(cases[0], CONTACT)
        for _ in range(2):  # the whole year twice: sequences make the second reading harmless
            for case_id in cases:
                await service.state(case_id, accepted(), resolved(), returned(), origin=Origin.REPLAY, first_sequence=1)
        facts = await service.stated(600)
        await eventually("nothing is open", lambda: _nothing_open(service))
        assert await service.query("select count(*) from ledger") == [(600,)]
    lines = service.lines()
    assert len(lines) == len({line["id"] for line in lines}) == 600
    assert all(line["subject"].startswith(SIMULATED) and line["text"].startswith(SIMULATED) for line in lines)
    assert {envelope.occurred_at for *_, envelope in facts} == {OCCURRED_AT}
    assert {envelope.origin for *_, envelope in facts} == {Origin.REPLAY}
    assert sorted(envelope.sequence for _, case_id, _, envelope in facts if case_id == cases[0]) == [1, 2, 3]
    assert mailbox.received == []


async def _nothing_open(service: Notification) -> bool:
    return await service.query("select count(*) from ledger where status <> 'sent'") == [(0,)]


async def test_imports_tasks_and_internal_moves_notify_nobody(servers: Servers, tmp_path: Path) -> None:
    async with Notification.run(servers, tmp_path) as service:
        imported, task, last = new_case(), new_case(), new_case()
        await service.state(imported, accepted(), origin=Origin.IMPORT)
        await service.state(task, accepted().model_copy(update={"kind": Kind.TASK}))
        moved = CaseForwarded(agency=AGENCY, kind=Kind.DOSSIER, to_unit="unit-2")
        await service.state(last, moved, accepted(), origin=Origin.REPLAY)
        await service.ledger_becomes(last, SENT_BY_FILE)
        await eventually("all are heard", lambda: _heard(service, 3))
        assert await service.ledger(imported) == await service.ledger(task) == []


async def _heard(service: Notification, number: int) -> bool:
    return await service.query("select count(*) from cases where status is not null") == [(number,)]


async def test_a_mailbox_that_refuses_for_ever_falls_back_on_the_file_and_both_are_stated(
    servers: Servers, tmp_path: Path, smtp: dict[str, Any], mailbox: Mailbox
) -> None:
    mailbox.refused["bi.mat@example.vn"] = ["550 no such user"]
    async with Notification.run(servers, tmp_path, **smtp) as service:
        case_id = new_case()
        await service.disclose(case_id, CONTACT)
        await service.state(case_id, accepted())
        await service.ledger_becomes(case_id, ("case.accepted", "email", "failed", "smtp_550"), SENT_BY_FILE)
        facts = await service.stated(2)
    assert [(kind, body["channel"], body["reason"]) for kind, _, body, _ in facts] == [
        ("notification.failed", "email", "smtp_550"),
        ("notification.sent", "file", None),
    ]
    assert [line["language"] for line in service.lines()] == ["en"]


async def test_when_the_last_channel_refuses_the_message_is_undeliverable(
    servers: Servers, tmp_path: Path, smtp: dict[str, Any], mailbox: Mailbox
) -> None:
    mailbox.refused["bi.mat@example.vn"] = ["550 no such user"]
    async with Notification.run(servers, tmp_path, notification_file=None, **smtp) as service:
        case_id = new_case()
        await service.disclose(case_id, CONTACT)
        await service.state(case_id, accepted())
        await service.ledger_becomes(case_id, ("case.accepted", "email", "undeliverable", "smtp_550"))
        facts = await service.stated(2)
    assert [kind for kind, *_ in facts] == ["notification.failed", "notification.undeliverable"]


async def test_a_full_mailbox_is_tried_again_later(
    servers: Servers, tmp_path: Path, smtp: dict[str, Any], mailbox: Mailbox
) -> None:
    mailbox.refused["bi.mat@example.vn"] = ["452 full"]
    async with Notification.run(servers, tmp_path, **smtp) as service:
        case_id = new_case()
        await service.disclose(case_id, CONTACT)
        await service.state(case_id, accepted())
        await service.ledger_becomes(case_id, ("case.accepted", "email", "pending", "smtp_452"))
        ((attempts, seconds),) = await service.query(
            "select attempts, extract(epoch from next_attempt_at - clock_timestamp())::float from ledger"
        )
        assert attempts == 1
        assert 5 < seconds <= 15
        await service.query("update ledger set next_attempt_at = now()")
        await service.ledger_becomes(case_id, SENT_BY_EMAIL)


async def test_an_erased_contact_cancels_what_was_on_its_way_to_it(
    servers: Servers, tmp_path: Path, smtp: dict[str, Any], mailbox: Mailbox
) -> None:
    mailbox.refused["bi.mat@example.vn"] = ["452 full"]
    async with Notification.run(servers, tmp_path, **smtp) as service:
        case_id = new_case()
        await service.disclose(case_id, CONTACT)
        await service.state(case_id, accepted())
        await service.ledger_becomes(case_id, ("case.accepted", "email", "pending", "smtp_452"))
        await service.disclose(case_id, None)
        await service.ledger_becomes(case_id, ("case.accepted", "email", "cancelled", "contact_erased"))
        assert await service.query("select ciphertext from contacts") == [(None,)]
        await service.state(case_id, resolved())
        await eventually("the file has it", lambda: _lines(service, 1))
    assert mailbox.received == []


async def _lines(service: Notification, number: int) -> bool:
    return len(service.lines()) == number


async def test_an_older_contact_read_again_does_not_undo_an_erasure(servers: Servers, tmp_path: Path) -> None:
    async with Notification.run(servers, tmp_path) as service:
        case_id = new_case()
        await service.disclose(case_id, None)
        await eventually("the erasure is known", lambda: service.query("select 1 from contacts where ciphertext is null"))
        await service.query("update contacts set recorded_at = now() + interval '1 hour'")
        await service.disclose(case_id, CONTACT)
        other = new_case()
        await service.disclose(other, CONTACT)
        await eventually("all are read", lambda: service.query("select 1 from contacts where ciphertext is not null"))
        assert await service.query("select case_id from contacts where ciphertext is not null") == [(other,)]


async def test_a_contact_that_does_not_open_is_parked_and_its_neighbours_go_on(
    servers: Servers, tmp_path: Path, smtp: dict[str, Any], mailbox: Mailbox
) -> None:
    async with Notification.run(servers, tmp_path, **smtp) as service:
        bad, good = new_case(), new_case()
        await service.disclose(bad, CONTACT)
        ring, service.ring = service.ring, KeyRing([b"x" * 32])
        await service.disclose(bad, CONTACT)
        service.ring = ring
        await service.disclose(good, CONTACT)
        await service.state(good, accepted())
        await service.ledger_becomes(good, SENT_BY_EMAIL)
        parked = await eventually("it is parked", lambda: service.query("select case_id, type, detail from parked"))
    assert parked == [(None, "private.contact", "CipherError")]  # of no case: it must not hold back the case's facts


async def test_a_crash_after_the_file_was_written_repeats_no_line_and_states_it_once(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileChannel, "lease_seconds", 0.5)
    record, crashes = Sender._record, [1, 1]

    async def crashing(self: Sender, *arguments: Any) -> Any:
        if crashes:
            crashes.pop()
            raise asyncio.IncompleteReadError(b"", 1)
        return await record(self, *arguments)

    monkeypatch.setattr(Sender, "_record", crashing)
    async with Notification.run(servers, tmp_path) as service:
        case_id = new_case()
        await service.state(case_id, accepted(), resolved(), origin=Origin.REPLAY)
        await service.ledger_becomes(case_id, SENT_BY_FILE, ("case.resolved", "file", "sent", None))
        facts = await service.stated(2)
    assert not crashes
    assert [line["fact"] for line in service.lines()] == ["case.accepted", "case.resolved"]
    assert [(kind, body["fact"]) for kind, _, body, _ in facts] == [
        ("notification.sent", "case.accepted"),
        ("notification.sent", "case.resolved"),
    ]


async def test_the_ledger_is_read_by_officers_of_the_agency_and_shows_no_contact(
    servers: Servers, tmp_path: Path, smtp: dict[str, Any]
) -> None:
    async with Notification.run(servers, tmp_path, **smtp) as service:
        case_id = new_case()
        await service.disclose(case_id, CONTACT)
        await service.state(case_id, accepted(), resolved(), returned())
        await eventually("all are sent", lambda: _sent(service, case_id, 3))

        async def ask(role: Role, agency: str | None, **more: Any) -> Any:
            return await service.get("/v1/messages", token=service.keys.token(role, agency), case_id=case_id, **more)

        page = (await ask(Role.OFFICER, AGENCY, limit=2)).json()
        rest = (await ask(Role.AUDITOR, None, limit=2, cursor=page["next"])).json()
        assert [item["fact"] for item in page["items"] + rest["items"]] == [
            "case.accepted", "case.resolved", "case.returned",
        ]  # fmt: skip
        assert rest["next"] is None
        assert "example.vn" not in str(page)
        assert (await ask(Role.OFFICER, "another-agency")).json() == {"items": [], "next": None}
        assert (await ask(Role.COUNTER, AGENCY)).status_code == 403
        assert (await service.get("/v1/messages", token=None, case_id=case_id)).status_code == 401
        wrong = await service.get("/v1/messages", token=service.keys.token(), case_id="7", limit=0)
        assert wrong.status_code == 422
        assert [fault["pointer"] for fault in wrong.json()["errors"]] == ["/query/case_id", "/query/limit"]


async def _sent(service: Notification, case_id: UUID, number: int) -> bool:
    return [row[2] for row in await service.ledger(case_id)] == ["sent"] * number


async def test_nothing_personal_is_in_the_clear_in_the_database_the_events_the_metrics_or_the_logs(
    servers: Servers, tmp_path: Path, smtp: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    async with Notification.run(servers, tmp_path, **smtp) as service:
        case_id = new_case()
        await service.disclose(case_id, CONTACT)
        await service.state(case_id, accepted())
        await service.ledger_becomes(case_id, SENT_BY_EMAIL)
        facts = await service.stated(1)
        rows = [await service.query(f"select t::text from {table} t") for table in ("cases", "contacts", "ledger", "outbox")]
        metrics = (await service.get("/metrics", token=None)).text
    assert 'motcua_notification_handovers_total{channel="email",outcome="sent"} 1.0' in metrics
    captured = capfd.readouterr()
    everything = f"{rows}{facts}{metrics}{captured.out}{captured.err}"
    assert "bi.mat" not in everything
    assert "Bí Mật" not in everything
    assert "0912345678" not in everything
    assert b"bi.mat".hex() not in everything
