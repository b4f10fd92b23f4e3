"""`motcua hotline send`: events are sent as the vendor would, signed, byte by byte, again where intake is away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy.cli.main import run
from deploy.hotline import sending
from deploy.local.hotline import Folders
from tests.support.guide import VENDOR
from tests.support.plugged import MAPPING, plug_in, told
from tests.support.webhook import Webhook, webhook

SAMPLES = [str(VENDOR / f"{name}.json") for name in ("call", "ticket")]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    monkeypatch.setattr(sending, "RETRY_SECONDS", 0.01)
    return Folders.of(plug_in(tmp_path, monkeypatch), {})


def send(door: Webhook, *words: str) -> int:
    return run(["hotline", "send", "voxsaigon", *words, "--url", f"{door.url}/", "--json"])


def test_events_are_sent_signed_and_byte_by_byte(folders: Folders, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["hotline", "secret", "voxsaigon"]) == 0
    capsys.readouterr()
    with webhook(folders.secrets_of("voxsaigon")) as door:
        assert send(door, SAMPLES[1], "--sign") == 0
        first = told(capsys)
        assert send(door, SAMPLES[1], "--sign") == 0
        again = told(capsys)
    body = Path(SAMPLES[1]).read_bytes()
    assert door.verified == [body, body]
    assert (first["outcomes"], again["outcomes"]) == ({"accepted": 1}, {"duplicate": 1})
    assert first["url"] == f"{door.url}/v1/hotline/voxsaigon"
    ids = {headers["webhook-id"] for headers, _, _ in door.requests}
    assert len(ids) == 2


def test_without_a_signature_the_answer_is_shown_and_the_status_is_1(
    folders: Folders, capsys: pytest.CaptureFixture[str]
) -> None:
    folders.write_secrets("voxsaigon", ["whsec_" + "A" * 44])
    with webhook(folders.secrets_of("voxsaigon")) as door:
        assert send(door, SAMPLES[0]) == 1
        assert told(capsys)["outcomes"] == {"status 401": 1}
        assert run(["hotline", "send", "voxsaigon", SAMPLES[0], "--url", door.url]) == 1
    assert "1: 401 Bad signature: message_id_missing" in capsys.readouterr().out
    assert door.verified == []


def test_an_event_that_is_refused_beside_others_that_are_taken_is_status_1() -> None:
    taken, refused = {"event_id": "a", "outcome": "accepted"}, {"event_id": "b", "outcome": "refused"}
    answers = [{"number": 1, "status": 200, "results": [taken]}, {"number": 2, "status": 200, "results": [taken, refused]}]
    assert sending.all_taken(answers[:1])
    assert not sending.all_taken(answers)
    assert sending.outcomes(answers) == {"accepted": 2, "refused": 1}


def test_a_dry_run_stores_nothing(folders: Folders, capsys: pytest.CaptureFixture[str]) -> None:
    folders.write_secrets("voxsaigon", ["whsec_" + "A" * 44])
    with webhook(folders.secrets_of("voxsaigon")) as door:
        assert send(door, SAMPLES[0], "--sign", "--dry-run") == 0
    assert told(capsys)["dry_run"] is True
    assert door.stored == set()
    assert [dry_run for _, _, dry_run in door.requests] == [True]


@pytest.mark.parametrize("as_array", [True, False])
def test_an_array_or_a_document_a_line_is_many_events(
    folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str], as_array: bool
) -> None:
    folders.write_secrets("voxsaigon", ["whsec_" + "A" * 44])
    documents = [{"id": f"a-{number}", "text": "Đường"} for number in range(3)]
    file = tmp_path / "many.json"
    lines = "".join(f"{json.dumps(each)}\n\n" for each in documents)
    file.write_text(json.dumps(documents) if as_array else lines, encoding="utf-8")
    with webhook(folders.secrets_of("voxsaigon")) as door:
        assert send(door, str(file), "--sign") == 0
    assert told(capsys)["outcomes"] == {"accepted": 3}
    assert [json.loads(body) for body in door.verified] == documents


def test_an_array_is_one_body_where_the_mapping_says_so(
    folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    several = tmp_path / "several.yaml"
    several.write_text(f"{MAPPING.read_text(encoding='utf-8')}\nevents: '[]'\n", encoding="utf-8")
    folders.write_secrets("voxsaigon", ["whsec_" + "A" * 44])
    file = tmp_path / "many.json"
    file.write_text('[{"id": "a"}, {"id": "b"}]')
    with webhook(folders.secrets_of("voxsaigon")) as door:
        assert send(door, str(file), "--sign", "--mapping", str(several)) == 0
    assert told(capsys)["sent"] == 1
    assert door.verified == [file.read_bytes()]


def test_a_cloud_event_says_what_it_is(folders: Folders, tmp_path: Path) -> None:
    folders.write_secrets("voxsaigon", ["whsec_" + "A" * 44])
    file = tmp_path / "event.json"
    file.write_text('{"specversion": "1.0", "id": "a"}')
    with webhook(folders.secrets_of("voxsaigon")) as door:
        assert send(door, str(file), "--sign") == 0
        assert send(door, SAMPLES[0], "--sign") == 0
    types = [headers["Content-Type"] for headers, _, _ in door.requests]
    assert types == ["application/cloudevents+json", "application/json"]


def test_an_intake_that_is_away_is_asked_again_with_the_same_id(folders: Folders, capsys: pytest.CaptureFixture[str]) -> None:
    folders.write_secrets("voxsaigon", ["whsec_" + "A" * 44])
    with webhook(folders.secrets_of("voxsaigon"), away=2) as door:
        assert send(door, SAMPLES[0], "--sign") == 0
    assert len({headers["webhook-id"] for headers, _, _ in door.requests}) == 1
    capsys.readouterr()
    with webhook(folders.secrets_of("voxsaigon"), away=99) as door:
        assert send(door, SAMPLES[0], "--sign") == 1
    assert len(door.requests) == sending.TRIES
    assert "cannot answer now" in capsys.readouterr().err


def test_what_cannot_be_sent_is_told_in_one_line(folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*words: str) -> str:
        assert run(["hotline", "send", *words, "--url", "http://127.0.0.1:9"]) == 1
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        return error

    assert "no secret here" in refused("voxsaigon", SAMPLES[0], "--sign")
    assert "no mapping of nobody is known" in refused("nobody", SAMPLES[0])
    (folders.mappings.parent / "voxsaigon.yaml").write_text(MAPPING.read_text(encoding="utf-8"), encoding="utf-8")
    assert "no mapping of ../voxsaigon is known" in refused("../voxsaigon", SAMPLES[0])
    assert "does not answer" in refused("voxsaigon", SAMPLES[0])
    broken = tmp_path / "broken.json"
    broken.write_text('{"a": 1}\n{"b": \n')
    assert "line 2 is no JSON" in refused("voxsaigon", str(broken))
    broken.write_text(" \n")
    assert "is empty" in refused("voxsaigon", str(broken))
    (folders.mappings / "voxsaigon.yaml").write_text("source: x\n")
    assert "has faults" in refused("voxsaigon", SAMPLES[0])


def test_the_newest_secret_signs_and_a_file_may_hold_another(
    folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new, old, other = (f"whsec_{letter * 44}" for letter in "ABC")
    folders.write_secrets("voxsaigon", [new, old])
    with webhook([new]) as door:
        assert send(door, SAMPLES[0], "--sign") == 0
    (tmp_path / "secret").write_text(f"{other}\n")
    with webhook([other]) as door:
        assert send(door, SAMPLES[0], "--sign", "--secret-file", str(tmp_path / "secret")) == 0
