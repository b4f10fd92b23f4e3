"""`motcua dead-letters`: what it asks the services, what it prints, and how it ends."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from deploy.cli.main import run
from deploy.local.environment import save_environment
from deploy.local.keys import make_keys
from deploy.local.settings import SERVICES
from deploy.local.state import StateFolder

LETTER, CASE = UUID(int=7), UUID(int=8)


def letter(**changes: Any) -> dict[str, Any]:
    content = {
        "id": str(LETTER), "service": "processing", "group": "motcua.processing.case-events", "topic": "case-events",
        "partition": 3, "offset": 41, "case_id": str(CASE), "type": "case.submitted", "reason": "bad_body",
        "detail": "agency: missing", "state": "parked", "parked_at": "2026-03-02T02:00:00Z", "settled_at": None,
        "settled_by": None, "settled_reason": None, "size": 120,
    }  # fmt: skip
    return content | changes


def done(replayed: int = 0, **changes: Any) -> dict[str, Any]:
    return {"replayed": replayed, "skipped": 0, "stuck": [], "more": False, "next": None} | changes


@dataclass
class City:
    """Services that answer what they were told to, in turn; without an answer they know nothing (404)."""

    answers: dict[str, list[Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        assert options["headers"]["Authorization"].startswith("Bearer ")
        parts = httpx.URL(url)
        service = SERVICES[(parts.port or 0) - 1]
        self.asked.append(
            (service, f"{method} {parts.path.removeprefix('/v1/dead-letters')}", options["json"] or options["params"])
        )
        turns = self.answers.get(service, [])
        answer = turns.pop(0) if turns else 404
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, json={}) if isinstance(answer, int) else httpx.Response(200, json=answer)


@pytest.fixture
def city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> City:
    state = StateFolder(tmp_path / "state")
    state.create()
    make_keys(state)
    save_environment(state, {f"MOTCUA_{name.upper()}_PORT": str(port) for port, name in enumerate(SERVICES, 1)})
    monkeypatch.setenv("MOTCUA_STATE_DIR", str(state.path))
    made = City()
    monkeypatch.setattr(httpx, "request", made.request)
    return made


def motcua(*arguments: str) -> int:
    return run(["dead-letters", *arguments])


def empty() -> dict[str, Any]:
    return {"items": [], "next": None}


def test_a_list_takes_every_page_of_every_service_and_says_what_where_why_and_since_when(
    city: City, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = [{"items": [letter()], "next": str(LETTER)}, {"items": [letter(id=str(uuid4()), detail="x" * 200)], "next": None}]
    city.answers = {name: [empty()] for name in SERVICES} | {"processing": pages}
    assert motcua("list") == 0
    out = capsys.readouterr().out
    assert f"{LETTER}  processing  case-events 3:41  case.submitted  bad_body: agency: missing" in out
    assert f"{CASE}  2026-03-02 09:00:00" in out
    assert "x" * 100 not in out
    assert [each for each in city.asked if each[0] == "processing"][1][2]["cursor"] == str(LETTER)
    assert motcua("list", "--service", "metrics", "--state", "discarded") == 0
    assert capsys.readouterr().out == "nothing is discarded\n"


def test_a_service_that_is_silent_is_named_and_the_others_are_listed_all_the_same(
    city: City, capsys: pytest.CaptureFixture[str]
) -> None:
    city.answers = {name: [empty()] for name in SERVICES} | {
        "intake": [httpx.ConnectError("away")],
        "processing": [{"items": [letter()], "next": None}],
    }
    assert motcua("list", "--json") == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out)["silent"] == ["intake"]
    assert len(json.loads(printed.out)["items"]) == 1
    assert "the intake service does not answer" in printed.err


def test_a_replay_asks_until_a_service_has_come_to_its_end_and_ends_in_1_while_one_is_at_fault(
    city: City, capsys: pytest.CaptureFixture[str]
) -> None:
    stuck = {
        "id": str(LETTER),
        "case_id": str(CASE),
        "group": "g",
        "reason": "bad_body",
        "detail": "agency: missing",
        "behind": 4,
    }
    city.answers = {name: [done()] for name in SERVICES} | {
        "intake": [done(5, more=True, next=str(CASE)), done(2, stuck=[stuck])]
    }
    assert motcua("replay", "--all") == 1
    printed = capsys.readouterr()
    assert "7 replayed, 0 skipped (known already), 1 still at fault" in printed.out
    assert f"{LETTER} (intake): bad_body: agency: missing; 4 wait behind it" in printed.out
    assert [each[2] for each in city.asked[:2]] == [{"all": True}, {"all": True, "cursor": str(CASE)}]
    assert [each[0] for each in city.asked] == ["intake", *SERVICES]


def test_one_letter_is_looked_for_in_every_service_and_settled_where_it_is(
    city: City, capsys: pytest.CaptureFixture[str]
) -> None:
    city.answers = {"notification": [letter(service="notification"), done(1)]}
    assert motcua("replay", str(LETTER), "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"replayed": 1, "skipped": 0, "stuck": []}
    assert city.asked[-1] == ("notification", "POST /replay", {"id": str(LETTER)})
    city.answers = {"metrics": [letter(service="metrics"), done(1, more=True), done(3)]}
    assert motcua("discard", str(LETTER), "--reason", "Sent by mistake.") == 0
    assert capsys.readouterr().out.startswith("discarded; 4 replayed")
    assert city.asked[-2:] == [
        ("metrics", f"POST /{LETTER}/discard", {"reason": "sent_by_mistake"}),
        ("metrics", "POST /replay", {"case_id": str(CASE)}),
    ]


def test_what_nobody_knows_is_refused_and_a_silent_service_that_might_know_it_is_named(
    city: City, capsys: pytest.CaptureFixture[str]
) -> None:
    assert motcua("show", str(LETTER)) == 1
    assert "no service knows a dead letter" in capsys.readouterr().err
    city.answers = {"metrics": [httpx.ReadTimeout("slow")]}
    assert motcua("show", str(LETTER)) == 1
    assert "these do not answer: metrics" in capsys.readouterr().err


def test_a_service_that_cannot_answer_now_is_asked_again_and_then_refused(
    city: City, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    city.answers = {"intake": [503, 503, letter(headers=[], header_names=[], value=None)]}
    assert motcua("show", str(LETTER)) == 0
    city.answers = {"intake": [503] * 5}
    assert motcua("show", str(LETTER)) == 1
    assert "the intake service says: status 503" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay",), ("replay", str(LETTER), "--all"), ("replay", "--case", "seven"), ("discard", str(LETTER)), ("show", "7"),
        ("discard", str(LETTER), "--reason", "Bà Yến gọi"), ("discard", str(LETTER), "--reason", "!"),
        ("discard", str(LETTER), "--reason", "x" * 65),
        ("list", "--state", "lost"),
    ],
)  # fmt: skip
def test_wrong_usage_ends_in_2_and_asks_nobody(city: City, arguments: tuple[str, ...]) -> None:
    assert motcua(*arguments) == 2
    assert city.asked == []


def test_content_is_shown_only_where_the_service_gives_it(city: City, capsys: pytest.CaptureFixture[str]) -> None:
    city.answers = {"intake": [letter(headers=[["ce_id", "1"]], header_names=["ce_id"], value='{"kind":1}')]}
    assert motcua("show", str(LETTER)) == 0
    out = capsys.readouterr().out
    assert "ce_id: 1" in out
    assert '{"kind":1}' in out
    settled = {"state": "discarded", "settled_at": "2026-03-02T03:00:00Z", "settled_by": "local-an", "settled_reason": "not_ours"}
    city.answers = {"intake": [letter(headers=None, header_names=["ce_id", "content-type"], value=None, **settled)]}
    assert motcua("show", str(LETTER)) == 0
    out = capsys.readouterr().out
    assert "headers: ce_id, content-type; the content is not shown" in out
    assert "discarded at 2026-03-02 10:00:00 by local-an, not_ours" in out
