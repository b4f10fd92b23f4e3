"""`motcua file` through a real intake: the client dies, intake dies, and the same command goes on until each line is one case."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.filing.journal import Journal, Places
from deploy.local.keys import PRIVATE_TOKEN_KEY
from shared.messaging.topics_admin import apply_topics
from tests.support.installation import ROOT, Installation
from tests.support.servers import Servers
from tests.support.waiting import eventually

pytestmark = pytest.mark.faults
LINES, BAD = 12_000, (17, 6_001)
AGENCY = "so-campaign"


@pytest.fixture
async def city(servers: Servers, tmp_path: Path) -> AsyncIterator[Installation]:
    """Only intake runs."""
    made = Installation(tmp_path / "city", servers.kafka.address, servers.postgres.address)
    try:
        await apply_topics(made.kafka)
        made.start("intake")
        await made.ready()
        yield made
    finally:
        await made.close()


def write_state(folder: Path, city: Installation) -> None:
    """What a started stack leaves for its commands: where the services are, and what signs tokens."""
    (folder / "keys").mkdir(parents=True)
    (folder / "keys" / "environment.json").write_text(json.dumps({"MOTCUA_INTAKE_PORT": str(city.ports["intake"])}))
    shutil.copy(city.keys.folder / "private.json", folder / "keys" / PRIVATE_TOKEN_KEY)


def write_lines(file: Path) -> None:
    """A campaign; two of its lines are not valid."""
    body = {"agency": AGENCY, "kind": "dossier", "procedure": "1.001806"}
    bodies = ({"idempotency_key": f"k{n}", **body, "channel": "pigeon" if n in BAD else "online"} for n in range(1, LINES + 1))
    file.write_text("\n".join(map(json.dumps, bodies)))


async def test_a_filing_whose_client_and_whose_intake_were_killed_goes_on_and_every_line_is_one_case(
    city: Installation, tmp_path: Path
) -> None:
    state, file = tmp_path / "state", tmp_path / "campaign.ndjson"
    write_state(state, city)
    write_lines(file)
    places = Places.of(file, state)

    def start(*options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "deploy.cli.main", "file", str(file), "--agency", AGENCY, "--json", *options]
        environment = {**os.environ, "MOTCUA_STATE_DIR": str(state)}
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)

    async def done(client: subprocess.Popen[str]) -> tuple[int, Any]:
        said, _ = await asyncio.to_thread(client.communicate)
        return client.returncode, json.loads(said)

    async def is_past(line: int) -> bool:
        journal = Journal.load(places.journal)
        return journal is not None and journal.line >= line

    status, told = await done(start("--dry-run"))
    assert (status, told["would_be_filed"], told["fault_count"]) == (1, LINES - 2, 2)
    assert [fault["line"] for fault in told["faults"]] == list(BAD)
    assert (await city.query("intake", "select count(*) from cases"))[0][0] == 0

    client = start()
    await eventually("a part is filed", lambda: is_past(1000))
    client.send_signal(signal.SIGKILL)
    client.communicate()
    first = Journal.load(places.journal)
    assert first is not None
    assert 1000 <= first.line < LINES

    client = start()
    await eventually("it goes on", lambda: is_past(first.line + 1000))
    city.kill("intake")
    city.start("intake")
    status, told = await done(client)
    assert (status, told["lines"], told["refused"]) == (1, LINES, len(BAD))
    assert told["opened"] + told["known"] == LINES - len(BAD)
    assert told["went_on_after_line"] >= first.line
    assert [json.loads(line)["line"] for line in places.refused.read_text().splitlines()] == list(BAD)
    assert not places.journal.exists()
    stored = await city.query("intake", "select count(*), count(distinct case_id), count(distinct key) from idempotency")
    assert tuple(stored[0]) == (LINES - len(BAD),) * 3
    assert (await city.query("intake", "select count(*) from cases"))[0][0] == LINES - len(BAD)
