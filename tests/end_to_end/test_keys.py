"""`motcua keys` against real services: a new master key, everything moves to it, and the old one goes when it opens nothing."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.cli.main import run
from deploy.local.environment import save_environment
from deploy.local.keys import PRIVATE_TOKEN_KEY
from deploy.local.state import StateFolder
from shared.security.key_file import key_id, read_key_file
from shared.security.tokens import Role
from tests.support.installation import Installation, installed
from tests.support.servers import Servers
from tests.support.waiting import eventually

AGENCY = "ldtbxh-haiphong"
BODY = {
    "agency": AGENCY, "kind": "dossier", "procedure": "1.001806", "channel": "counter", "note": "Xin gọi trước 8 giờ.",
    "applicant": {"name": "Nguyễn Thị Mẫu", "phone": "0900000000", "id_number": "031090000000", "language": "vi"},
}  # fmt: skip
BOUND = {"MOTCUA_ERASURE_SECONDS": "4"}
CLEANING = 90.0
"""The broker's cleaner comes round every fifteen seconds, whatever the bound."""
CASES = 12


@pytest.fixture
async def city(servers: Servers, tmp_path: Path) -> AsyncIterator[Installation]:
    async with installed(servers, tmp_path / "city", "intake", "processing", "notification", extra=BOUND) as running:
        yield running


class Keys:
    """Runs `motcua keys` as an operator of this installation."""

    def __init__(self, city: Installation, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        state = StateFolder(folder)
        state.create()
        ports = {f"MOTCUA_{name.upper()}_PORT": str(port) for name, port in city.ports.items()}
        save_environment(state, city.environment | ports)
        shutil.copy(city.keys.folder / "private.json", state.keys / PRIVATE_TOKEN_KEY)
        self._capsys = capsys

    async def __call__(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Exit status, and what is printed with `--json`."""
        self._capsys.readouterr()
        status = await asyncio.to_thread(run, ["keys", *arguments, "--json"])
        out, err = self._capsys.readouterr()
        assert out, err
        return status, json.loads(out)


async def file(city: Installation, key: str) -> str:
    """File a case; its id."""
    headers = city.headers(Role.OFFICER, AGENCY, **{"Idempotency-Key": key})
    answer = await city.http.post(city.url("intake", "/v1/cases"), headers=headers, json=BODY)
    assert answer.is_success, answer.text
    return str(answer.json()["case_id"])


async def test_an_old_key_goes_when_nothing_hangs_on_it(
    city: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MOTCUA_STATE_DIR", str(tmp_path / "state"))
    keys, names = Keys(city, tmp_path / "state", capsys), [str(uuid4()) for _ in range(CASES)]
    cases = [await file(city, each) for each in names]
    old = key_id(read_key_file(city.keys.folder / "key").keys[0]).hex()

    async def all_taken() -> bool:
        values: dict[str, dict[str, int]] = (await keys("status"))[1]["values"]
        return values["notification"].get(old) == CASES and values["case-private"].get(old) == 2 * CASES

    await eventually("every contact is where it belongs", all_taken, every=1.0)

    status, said = await keys("rotate", "--wait", "60")
    new = said["key"]
    assert (status, said["values on older keys"], said["keys"]) == (0, 0, [new, old]), said
    assert said["used by"] == {"intake": True, "processing": True, "notification": True}
    values = (await keys("status"))[1]["values"]
    assert values["intake"] == {new: 3 * CASES}
    assert values["notification"] == {new: CASES}
    early, hindered = await keys("retire")
    assert early == (1 if hindered["hindered by"] else 0)
    assert all(each.startswith("case-private: ") for each in hindered["hindered by"])

    async def retired() -> bool:
        return (await keys("retire"))[0] == 0

    await eventually("compaction has taken away what the old key opens", retired, within=CLEANING, every=3.0)
    assert (await keys("status"))[1]["keys"] == [new]

    async def forgotten() -> bool:
        held = [await city.get(each, "/v1/keys") for each in ("intake", "processing", "notification")]
        return all(each["keys"] == [new] for each in held)

    await eventually("the services have forgotten the old key", forgotten)
    assert [await file(city, each) for each in names] == cases, "the digests of keys and contents are the same"
    headers = city.headers(Role.OFFICER, AGENCY)
    for case_id in (cases[0], await file(city, str(uuid4()))):
        answer = await city.http.get(
            city.url("intake", f"/v1/cases/{case_id}/applicant"), params={"purpose": "inspection"}, headers=headers
        )
        assert (answer.json()["people"]["applicant"], answer.json()["note"]) == (BODY["applicant"], BODY["note"])
