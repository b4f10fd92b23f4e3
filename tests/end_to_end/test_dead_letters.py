"""`motcua dead-letters` against real service processes: a bad deploy, what it parked, and the fix."""

from __future__ import annotations

import base64
import json
import secrets
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from deploy.cli.main import run
from deploy.local.environment import save_environment
from deploy.local.keys import PRIVATE_TOKEN_KEY
from deploy.local.state import StateFolder
from shared.contracts.envelope import Envelope
from shared.contracts.topics import CASE_EVENTS
from shared.contracts.words import Origin
from shared.security.tokens import Role
from tests.support.installation import Installation, installed
from tests.support.servers import Servers
from tests.support.waiting import eventually

AGENCY = "so-test"
APPLICANT = {"name": "Chim Hoàng Yến", "email": "hoang.yen.canary@example.vn"}


@pytest.fixture
async def city(servers: Servers, tmp_path: Path) -> AsyncIterator[Installation]:
    """Intake and processing; notification has another key than they, as after a bad deploy."""
    wrong_key = tmp_path / "wrong-key"
    wrong_key.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
    async with installed(servers, tmp_path / "city", "intake", "processing") as running:
        running.start("notification", MOTCUA_PRIVATE_KEY_FILE=str(wrong_key))
        await running.ready("notification")
        yield running


class CommandLine:
    """Runs `motcua` as an operator of this installation; metrics was never started."""

    def __init__(self, city: Installation, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
        state = StateFolder(folder)
        state.create()
        ports = {"metrics": 1} | city.ports
        save_environment(state, {f"MOTCUA_{name.upper()}_PORT": str(port) for name, port in ports.items()})
        shutil.copy(city.keys.folder / "private.json", state.keys / PRIVATE_TOKEN_KEY)
        monkeypatch.setenv("MOTCUA_STATE_DIR", str(folder))
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Exit status, standard output, standard error."""
        self._capsys.readouterr()
        status = run(["dead-letters", *arguments])
        out, err = self._capsys.readouterr()
        return status, out, err

    def json(self, *arguments: str, status: int = 0) -> Any:
        """What it prints with `--json`."""
        found, out, err = self(*arguments, "--json")
        assert found == status, err
        return json.loads(out)


@pytest.fixture
def motcua(
    city: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    return CommandLine(city, tmp_path / "state", monkeypatch, capsys)


async def file_case(city: Installation) -> str:
    body = {"agency": AGENCY, "kind": "dossier", "procedure": "1.001806", "channel": "counter", "applicant": APPLICANT}
    headers = city.headers(Role.COUNTER, AGENCY, **{"Idempotency-Key": secrets.token_hex(8)})
    answer = await city.http.post(city.url("intake", "/v1/cases"), headers=headers, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case_id"])


async def poison(city: Installation) -> str:
    """A submission that nobody can read; the case it would have made."""
    case_id, now = str(uuid4()), datetime.now(UTC)
    envelope = Envelope(str(uuid4()), "case.submitted", "/intake", case_id, AGENCY, now, now, Origin.LIVE, 1)
    async with AIOKafkaProducer(bootstrap_servers=city.bootstrap) as producer:
        name = f"{city.run}-{CASE_EVENTS.name}"
        await producer.send_and_wait(name, b'{"agency":', key=case_id.encode(), headers=envelope.to_headers())
    return case_id


async def test_a_bad_deploy_is_seen_mended_and_replayed_by_command(city: Installation, motcua: CommandLine) -> None:
    cases = {await file_case(city) for _ in range(3)}
    bad = await poison(city)

    async def parked() -> bool:
        rows = await city.query("notification", "select 1 from parked") + await city.query("processing", "select 1 from parked")
        return len(rows) == len(cases) + 2

    await eventually("contacts and poison are parked", parked)
    status, listed, said = motcua("list")
    assert status == 1
    assert "the metrics service does not answer" in said
    assert listed.count("handler_error: CipherError") == len(cases)
    assert listed.count("bad_body: value: json_invalid") == 2
    assert "case-private " in listed

    contacts = motcua.json("list", "--service", "notification")["items"]
    contacts = [each for each in contacts if each["topic"] == "case-private"]
    status, shown, _ = motcua("show", contacts[0]["id"])
    assert (status, "the content is not shown" in shown) == (0, True)
    assert motcua.json("replay", contacts[0]["id"], status=1)["stuck"][0]["reason"] == "handler_error"

    city.terminate("notification")
    city.start("notification")
    await city.ready("notification")
    done = motcua.json("replay", "--all", "--service", "notification", status=1)
    assert (done["replayed"], [each["case_id"] for each in done["stuck"]]) == (len(cases), [bad])
    assert motcua.json("replay", "--all", "--service", "notification", status=1)["replayed"] == 0
    rows = await city.query("notification", "select case_id::text, language, ciphertext is not null from contacts")
    assert {tuple(row) for row in rows} == {(case_id, "vi", True) for case_id in cases}
    assert {row[0] for row in await city.query("notification", "select payload from parked where state = 'replayed'")} == {None}

    for service in ("processing", "notification"):
        (letter,) = motcua.json("list", "--case", bad, "--service", service)["items"]
        assert motcua("discard", letter["id"], "--reason", "Bà Yến gọi")[0] == 2
        assert motcua.json("discard", letter["id"], "--reason", "Sent by mistake")["discarded"] == letter["id"]
        status, _, said = motcua("replay", letter["id"])
        assert (status, "It is settled already: it was discarded" in said) == (1, True)
        assert motcua("list", "--service", service)[1] == "nothing is parked\n"
    (settled,) = motcua.json("list", "--state", "discarded", "--service", "processing")["items"]
    assert settled["settled_reason"] == "sent_by_mistake"
    assert motcua("show", str(uuid4()))[0] == 1
