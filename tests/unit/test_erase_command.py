"""`motcua erase`: what it asks the services, when it is content, and what it says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from deploy.cli import erase
from deploy.cli.main import run
from deploy.erasure.topic import Found, Value
from deploy.local.environment import save_environment
from deploy.local.keys import make_keys
from deploy.local.settings import SERVICES
from deploy.local.state import StateFolder
from shared.settings import KafkaSettings

CASE = UUID(int=8)
ERASED = {"erased": True, "held": {"outbox": 0, "parked": 0}}


@dataclass
class City:
    """Services that say in turn what they hold; the last answer stays. Without one they do not answer."""

    answers: dict[str, list[dict[str, Any]]]
    known: bool = True
    asked: list[str] = field(default_factory=list)

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        parts = httpx.URL(url)
        service = SERVICES[(parts.port or 0) - 1]
        self.asked.append(f"{service} {method} {parts.path} {options['params']}")
        if method == "DELETE":
            return httpx.Response(200 if self.known else 404, json={"keys": []})
        turns = self.answers[service]
        if not turns:
            raise httpx.ConnectError("away")
        return httpx.Response(200, json=turns.pop(0) if len(turns) > 1 else turns[0])


@pytest.fixture
def city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> City:
    state = StateFolder(tmp_path)
    state.create()
    make_keys(state)
    ports = {f"MOTCUA_{name.upper()}_PORT": str(number) for number, name in enumerate(SERVICES, 1)}
    save_environment(state, ports | {"MOTCUA_KAFKA_BOOTSTRAP": "127.0.0.1:1", "MOTCUA_ERASURE_SECONDS": "7200"})
    monkeypatch.setenv("MOTCUA_STATE_DIR", str(tmp_path))
    made = City({name: [ERASED] for name in SERVICES})
    monkeypatch.setattr(httpx, "request", made.request)
    monkeypatch.setattr(erase, "LOOK_SECONDS", 0.0)
    return made


def test_it_asks_intake_and_then_everyone_until_nothing_is_held(city: City, capsys: pytest.CaptureFixture[str]) -> None:
    holding = {"erased": True, "held": {"outbox": 0, "parked": 0, "contacts": 1}}
    city.answers["notification"] = [holding, holding, ERASED]

    assert run(["erase", str(CASE), "--reason", "ordered"]) == 0

    said = capsys.readouterr().out
    assert city.asked[0] == f"intake DELETE /v1/cases/{CASE}/applicant {{'reason': 'ordered'}}"
    assert len(city.asked) == 1 + 3 * len(SERVICES)
    assert "within 2 h" in said
    assert f"motcua erase {CASE} --check" in said


@pytest.mark.parametrize(
    "answers", [[], [{"erased": False, "held": {}}], [{"erased": True, "held": {"notes": 2}}]], ids=["away", "unheard", "held"]
)
def test_it_is_not_content_while_a_service_may_hold_something(
    city: City, capsys: pytest.CaptureFixture[str], answers: list[dict[str, Any]]
) -> None:
    city.answers["processing"] = answers

    assert run(["erase", str(CASE), "--wait", "0", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["erased"] is False
    assert run(["erase", str(CASE), "--wait", "0"]) == 1
    assert "NOT erased" in capsys.readouterr().out


def test_an_unknown_case_is_refused(city: City, capsys: pytest.CaptureFixture[str]) -> None:
    city.known = False

    assert run(["erase", str(CASE)]) == 1
    assert "no such case" in capsys.readouterr().err
    assert run(["erase", str(CASE), "--reason", "because"]) == 2
    assert run(["erase", "not-a-case"]) == 2


@pytest.mark.parametrize("left", [0, 1])
def test_the_proof_fails_while_a_value_is_left(
    city: City, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    async def read(_: KafkaSettings, case_id: UUID) -> Found:
        return Found(case_id, 9, 3, [Value("case-private", 4, 7, "contact", 120)] * left)

    monkeypatch.setattr(erase, "read_case", read)

    assert run(["erase", str(CASE), "--check"]) == left
    assert ("case-private 4:7 contact" in capsys.readouterr().out) == bool(left)
    assert run(["erase", str(CASE), "--check", "--json"]) == left
    assert json.loads(capsys.readouterr().out)["clean"] is not bool(left)
    assert city.asked == []
