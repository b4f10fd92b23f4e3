"""Requirements of the domain that only running services can meet: serials, one message per fact, and personal data kept away."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr
from uuid_utils.compat import uuid7

from shared.contracts.commands import Accept
from shared.contracts.private import Contact
from shared.contracts.words import Origin
from tests.support.intake import AGENCY, open_office
from tests.support.notification import Notification, accepted, resolved
from tests.support.office import running_office
from tests.support.servers import Servers
from tests.support.waiting import eventually

AT_ONCE = 50
CONTACT = Contact(name="Nguyễn Thị Bí Mật", email="bi.mat@example.vn", phone="0912345678", language="vi")
PERSON = {"name": "Trần Văn Kín", "email": "kin@example.vn", "phone": "0987654321", "language": "vi"}
PERSONAL = ("Trần Văn Kín", "Kín", "kin@example.vn", "0987654321", "987654321", "Tr\\u1ea7n", "K\\u00edn")
FILING: dict[str, Any] = {"agency": AGENCY, "kind": "dossier", "procedure": "1.001806", "channel": "counter"}


class RefusingMailbox:
    """Takes mail, except that every recipient is unknown for ever."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def handle_RCPT(self, _server: Any, _session: Any, _envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.asked.append(address)
        return "550 no such user"


@pytest.fixture
def mailbox() -> Iterator[tuple[RefusingMailbox, dict[str, Any]]]:
    box = RefusingMailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, {"smtp_url": SecretStr(f"smtp://127.0.0.1:{port}"), "smtp_from": "mot-cua@haiphong.example.vn"}
    controller.stop()


async def test_requirement_08_serials_are_unique_and_without_a_gap_per_agency_and_local_day_however_many_accept_at_once(
    servers: Servers, tmp_path: Path
) -> None:
    """Half of them on either side of midnight in Viet Nam, which is one date in UTC."""
    midnight = datetime(2020, 12, 17, 17, tzinfo=UTC)
    moments = [midnight - timedelta(microseconds=1), midnight]
    cases = [(uuid4(), moments[number % 2]) for number in range(AT_ONCE)]
    async with running_office(servers, tmp_path) as office:
        for case_id, at in cases:
            await office.submit(case_id, at - timedelta(hours=1), Origin.REPLAY)
        for case_id, at in cases:
            await office.command(case_id, Accept(), at, Origin.REPLAY)

        async def codes() -> list[str]:
            found = [row["code"] for row in await office.query("select code from cases where code is not null")]
            return sorted(found) if len(found) == AT_ONCE else []

        said = await eventually("every case has its code", codes)
    expected = [f"000.00.07.H24-{day}-{serial:04}" for day in ("201217", "201218") for serial in range(1, AT_ONCE // 2 + 1)]
    assert said == expected


async def test_requirement_13_an_event_that_comes_twice_sends_one_message_and_a_permanent_error_falls_back(
    servers: Servers, tmp_path: Path, mailbox: tuple[RefusingMailbox, dict[str, Any]]
) -> None:
    box, smtp = mailbox
    async with Notification.run(servers, tmp_path, **smtp) as service:
        case_id: UUID = uuid7()
        await service.disclose(case_id, CONTACT)
        for _ in range(2):
            await service.state(case_id, accepted(), resolved(), first_sequence=1)
        fell_back = [("email", "failed", "smtp_550"), ("file", "sent", None)]
        expected = sorted((fact, *rest) for fact in ("case.accepted", "case.resolved") for rest in fell_back)

        async def settled() -> bool:
            return sorted(await service.ledger(case_id), key=str) == sorted(expected, key=str)

        await eventually("each fact was refused once by mail and went to the file", settled)
        await service.stated(4)
    assert box.asked == [CONTACT.email] * 2
    assert len(service.lines()) == len({line["id"] for line in service.lines()}) == 2


async def test_requirement_14_personal_data_is_in_no_topic_no_log_and_no_series(
    servers: Servers, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with open_office(servers, tmp_path) as office, office.client() as officer:
        headers = {"Idempotency-Key": str(uuid4())}
        answer = await officer.post("/v1/cases", json={**FILING, "applicant": PERSON}, headers=headers)
        assert answer.status_code == 201, answer.text
        refused = await officer.post(
            "/v1/cases", json={**FILING, "applicant": {**PERSON, "phone": "x"}, "kind": "?"}, headers=headers
        )
        assert refused.status_code == 422
        records = await office.records(answer.json()["case_id"], 2)
        metrics = (await officer.get("/metrics")).text
    topics = b"".join([record.key + record.value + b"".join(value for _, value in record.headers) for record in records]).decode(
        errors="replace"
    )
    captured = capfd.readouterr()
    for place, text in {"topics": topics, "metrics": metrics, "logs": captured.out + captured.err, "fault": refused.text}.items():
        assert not [word for word in PERSONAL if word in text], place
    assert "motcua_" in metrics
