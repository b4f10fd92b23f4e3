"""Which Kafka and PostgreSQL are taken, and what is said when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local import find
from deploy.local.errors import StackError, UnavailableError
from deploy.local.find import KafkaChoice
from deploy.local.settings import LocalSettings, Source
from deploy.local.state import StateFolder


def _choice(tmp_path: Path, source: Source = Source.AUTO) -> KafkaChoice:
    state = StateFolder(tmp_path / "state")
    state.create()
    return KafkaChoice(LocalSettings(kafka_source=source, kafka_bootstrap=None), state)


def _unavailable(reason: str) -> object:
    def fail(*_: object) -> str:
        raise UnavailableError(reason)

    return fail


def test_a_container_comes_before_the_local_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "find_image", lambda image, _say: image)
    assert _choice(tmp_path).choose() == "container"


def test_the_local_machine_is_taken_when_the_image_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "find_image", _unavailable("no registry"))
    monkeypatch.setattr(find, "find_java", lambda: ("java", 17))
    monkeypatch.setattr(find, "find_jars", lambda _say: Path("jars"))
    assert _choice(tmp_path).choose() == "local"


def test_when_nothing_works_one_line_says_what_was_tried_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "find_image", _unavailable("no engine"))
    monkeypatch.setattr(find, "find_java", _unavailable("no Java"))
    with pytest.raises(StackError) as caught:
        _choice(tmp_path).choose()
    said = str(caught.value)
    assert "container: no engine; local: no Java; or set MOTCUA_KAFKA_BOOTSTRAP" in said
    assert "\n" not in said


def test_content_of_one_kind_is_not_left_behind_for_another(tmp_path: Path) -> None:
    choice = _choice(tmp_path, Source.CONTAINER)
    choice.state.remember("kafka", kind="local", port=1)
    with pytest.raises(StackError, match="kept by kind local, but MOTCUA_KAFKA_SOURCE=container"):
        choice.remembered_kind()


def test_an_address_that_does_not_answer_is_never_replaced(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state")
    state.create()
    choice = KafkaChoice(LocalSettings(kafka_bootstrap="127.0.0.1:1"), state)
    with pytest.raises(StackError, match=r"127\.0\.0\.1:1 does not answer .* unset MOTCUA_KAFKA_BOOTSTRAP"):
        choice.find()
