"""Whole lives through four real service processes on real Kafka and PostgreSQL."""

from __future__ import annotations

import email
import email.policy
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiosmtpd.controller import Controller

from deploy.history.send import send, settle
from deploy.imports.driver import past_of as past_of_log
from deploy.imports.mapping import load_mapping, packaged_mapping
from deploy.imports.plan import make_plan
from deploy.local.ports import take_port
from deploy.replay.driver import past_of
from deploy.replay.model import make_year
from deploy.replay.scenario import load_scenario
from shared.contracts.topics import TOPICS
from shared.security.tokens import Role
from tests.support.installation import SERVICES, Installation, installed
from tests.support.servers import Servers
from tests.support.waiting import eventually

AGENCY = "so-test"
CANARIES = ("Chim Hoàng Yến", "hoang.yen.canary@example.vn", "0912345678")


class Mailbox:
    """Keeps what a real SMTP server accepted."""

    def __init__(self) -> None:
        self.messages: list[email.message.EmailMessage] = []

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.messages.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 accepted"


@pytest.fixture(scope="module")
async def mailbox() -> AsyncIterator[tuple[Mailbox, int]]:
    box, port = Mailbox(), take_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@pytest.fixture(scope="module")
async def city(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory, mailbox: tuple[Mailbox, int]
) -> AsyncIterator[Installation]:
    smtp = {"MOTCUA_SMTP_URL": f"smtp://127.0.0.1:{mailbox[1]}", "MOTCUA_SMTP_FROM": "motcua@example.vn"}
    async with installed(servers, tmp_path_factory.mktemp("city"), extra=smtp) as running:
        yield running


def filing(**changes: Any) -> dict[str, Any]:
    applicant = {"name": CANARIES[0], "email": CANARIES[1], "phone": CANARIES[2]}
    body = {"agency": AGENCY, "kind": "dossier", "procedure": "1.001806", "channel": "counter", "applicant": applicant}
    return body | changes


async def file_case(city: Installation, key: str, **changes: Any) -> Any:
    headers = city.headers(Role.COUNTER, AGENCY, **{"Idempotency-Key": key})
    return await city.http.post(city.url("intake", "/v1/cases"), headers=headers, json=filing(**changes))


async def command(city: Installation, case_id: str, **body: Any) -> Any:
    url = city.url("processing", f"/v1/cases/{case_id}/commands")
    return await city.http.post(url, headers=city.headers(Role.OFFICER, AGENCY), json=body)


async def total(city: Installation, series: str, name: str = "metrics", **labels: str) -> float:
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    found = await city.series(name)
    return sum(v for k, v in found.items() if k.startswith(series + "{") and all(each in k for each in wanted))


async def accepted_by_processing(city: Installation, case_id: str) -> Any:
    async def look() -> Any:
        answer = await command(city, case_id, type="accept", unit="one-stop")
        return answer.json() if answer.status_code == 200 else None

    return await eventually("processing knows the case and accepts it", look)


async def test_one_case_is_filed_by_http_and_followed_to_its_gauge(city: Installation) -> None:
    answer = await file_case(city, "k-1")
    assert answer.status_code == 201, answer.text
    case_id = answer.json()["case_id"]
    assert answer.headers["location"] == f"/v1/cases/{case_id}/status"
    again = await file_case(city, "k-1")
    assert (again.status_code, again.json()) == (200, answer.json())
    assert (await file_case(city, "k-1", channel="post")).status_code == 409

    accepted = await accepted_by_processing(city, case_id)
    assert accepted["code"]
    assert accepted["due_at"]

    async def in_backlog() -> bool:
        return await total(city, "motcua_case_backlog", agency=AGENCY, status="accepted") == 1

    await eventually("the case is in the backlog gauge", in_backlog)
    assert (await command(city, case_id, type="resolve", outcome="granted")).status_code == 200
    assert (await command(city, case_id, type="return", channel="counter")).status_code == 200
    refused = await command(city, case_id, type="resolve", outcome="granted")
    assert refused.status_code == 409
    assert refused.json()["reason"] == "illegal_transition"

    async def resolved() -> bool:
        counts = [await total(city, f"motcua_cases_{fact}_total", agency=AGENCY) for fact in ("received", "resolved", "returned")]
        return [*counts, await total(city, "motcua_case_backlog", agency=AGENCY)] == [1, 1, 1, 0]

    await eventually("the counters and the gauge agree", resolved)

    async def public() -> bool:
        status = (await city.http.get(city.url("intake", f"/v1/cases/{case_id}/status"))).json()
        return bool(status["code"] == accepted["code"] and status["completion"]["degree"] == "returned")

    await eventually("the public sees code and completion", public)


async def test_the_citizen_gets_real_mail_with_code_and_due_date_and_without_a_name(
    city: Installation, mailbox: tuple[Mailbox, int]
) -> None:
    case_id = (await file_case(city, "k-mail")).json()["case_id"]
    code = (await accepted_by_processing(city, case_id))["code"]

    async def arrived() -> list[email.message.EmailMessage]:
        return [mail for mail in mailbox[0].messages if code in mail.get_content()]

    (mail,) = await eventually("the mail arrives", arrived)
    assert mail["To"] == CANARIES[1]
    assert CANARIES[0] not in mail.get_content()

    async def sent() -> bool:
        return await total(city, "motcua_notifications_total", agency=AGENCY, channel="email", outcome="sent") >= 1

    await eventually("metrics heard notification.sent", sent)


async def test_no_personal_data_in_topics_logs_or_metrics(city: Installation) -> None:
    case_id = (await file_case(city, "k-canary")).json()["case_id"]
    await accepted_by_processing(city, case_id)
    names = [f"{city.run}-{topic.name}" for topic in TOPICS]
    reader = AIOKafkaConsumer(*names, bootstrap_servers=city.bootstrap, auto_offset_reset="earliest")
    await reader.start()
    everything = bytearray()

    async def contact_published() -> bool:
        for records in (await reader.getmany(timeout_ms=300)).values():
            for record in records:
                everything.extend(b"".join((record.key or b"", record.value or b"", *(value for _, value in record.headers))))
        return f"{case_id}/contact".encode() in everything

    try:
        await eventually("the encrypted contact is on its topic", contact_published)
    finally:
        await reader.stop()
    for name in SERVICES:
        everything.extend(city.log_of(name).read_bytes())
        everything.extend((await city.http.get(city.url(name, "/metrics"))).content)
    assert len(everything) > 10_000
    for canary in CANARIES:
        assert canary.encode() not in everything
        assert json.dumps(canary).strip('"').encode() not in everything


async def test_a_real_log_gives_the_figures_of_an_independent_tool_and_twice_is_once(
    city: Installation, reference_data: Path
) -> None:
    log = reference_data / "receipt.xes.gz"
    mapping = packaged_mapping(log)
    assert mapping is not None
    golden = json.loads((Path(__file__).parents[1] / "contract" / "samples" / "receipt-figures.json").read_text())["every_case"]
    past = past_of_log(make_plan(log, load_mapping(mapping), "so-log"))
    async with city.as_importer() as services:
        for _ in range(2):
            await send(services, past, lambda *_: None)
            figures = await settle(services, past, lambda *_: None)
            span = figures["log_span"]
            assert span["cases"] == golden["cases"] == 1434
            assert figures["steps"] == 8577
            assert span["mean_seconds"] == pytest.approx(golden["mean_seconds"], abs=0.001)
            for share, name in (("0.5", "p50_seconds"), ("0.9", "p90_seconds"), ("0.99", "p99_seconds")):
                assert span["percentiles"][share] == pytest.approx(golden[name], abs=0.001)
    messages = await city.query("notification", "select count(*) from ledger where agency = 'so-log'")
    assert messages[0][0] == 0


async def test_a_second_replica_and_a_restart_show_the_same_business_figures(city: Installation) -> None:
    def business(series: dict[str, float]) -> dict[str, float]:
        kept = ("motcua_case", "motcua_notifications", "motcua_procedure", "motcua_agency")
        late = ("motcua_cases_duplicate_suspected", "motcua_case_first_time_valid")  # stated half a minute after the filing
        return {name: value for name, value in series.items() if name.startswith(kept) and not name.startswith(late)}

    before = business(await city.series("metrics"))
    assert len(before) > 50
    city.start("metrics", "metrics-2")
    await city.ready("metrics-2")
    city.kill("metrics")
    city.start("metrics")
    await city.ready("metrics")
    for name in ("metrics", "metrics-2"):

        async def same(name: str = name) -> bool:
            now = business(await city.series(name))
            differ = {
                each: (before.get(each), now.get(each)) for each in before.keys() | now if before.get(each) != now.get(each)
            }
            assert not differ, differ
            return True

        await eventually(f"{name} shows the same", same)
    assert city.terminate("metrics-2") == 0


async def test_bulk_answers_every_line_and_a_bad_one_stops_nobody(city: Installation) -> None:
    lines = [json.dumps({"idempotency_key": f"bulk-{n}", **filing(applicant=None)}) for n in range(3)]
    lines[1] = '{"idempotency_key": "bulk-bad", "agency": 7}'
    lines.append("x" * 70_000)
    url = city.url("intake", "/v1/cases/bulk")
    answer = await city.http.post(url, headers=city.headers(Role.COUNTER, AGENCY), content="\n".join(lines).encode())
    answers = [json.loads(line) for line in answer.text.splitlines()]
    assert [each["status"] for each in answers] == [201, 422, 201, 413]


@pytest.mark.parametrize("name", SERVICES)
async def test_each_service_exposes_clean_metrics_and_stays_under_200_mb(city: Installation, name: str) -> None:
    exposition = (await city.http.get(city.url(name, "/metrics"))).content
    promtool = shutil.which("promtool")
    assert promtool, "promtool is not installed (Debian: apt-get install prometheus)"
    checked = subprocess.run([promtool, "check", "metrics"], input=exposition, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
    status = Path(f"/proc/{city.processes[name].pid}/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    assert resident < 200_000


@pytest.mark.parametrize(
    "path", ["/v1/cases", "/v1/messages?case_id=00000000-0000-4000-8000-000000000000", "/v1/figures?agency=so-test"]
)
async def test_access_is_denied_without_a_token(city: Installation, path: str) -> None:
    name = {"/v1/ca": "processing", "/v1/me": "notification", "/v1/fi": "metrics"}[path[:6]]
    answer = await city.http.get(city.url(name, path))
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


def test_past_of_a_year_has_a_command_for_each_fact() -> None:
    year = make_year(load_scenario(), 40, 35, 3, "so-pure")
    past = past_of(year)
    kinds = [move.body.type for case in past.cases for move in case.commands]
    assert (kinds.count("accept"), kinds.count("resolve")) == (40, 35)
