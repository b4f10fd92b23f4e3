"""Settings of the local stack: a wrong one is named, with what it accepts."""

from __future__ import annotations

import pytest

from deploy.local.errors import SettingError
from deploy.local.settings import load_settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("INTAKE_PORT", "PROCESSING_PORT", "KAFKA_BOOTSTRAP", "POSTGRES_URL", "KAFKA_SOURCE", "PROMETHEUS_RETENTION"):
        monkeypatch.delenv(f"MOTCUA_{name}", raising=False)


@pytest.mark.parametrize(
    ("name", "value", "accepts"),
    [
        ("MOTCUA_INTAKE_PORT", "abc", "a port number"),
        ("MOTCUA_INTAKE_PORT", "70000", "a port number"),
        ("MOTCUA_KAFKA_BOOTSTRAP", "nowhere", "host:port"),
        ("MOTCUA_KAFKA_SOURCE", "maybe", "auto, container or local"),
        ("MOTCUA_PROMETHEUS_RETENTION", "long", "a length of time"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_accepts(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, accepts: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=f"{name} accepts {accepts}.*{value}") as caught:
        load_settings()
    assert caught.value.status == 2
    assert "\n" not in str(caught.value)


def test_a_wrong_server_url_is_refused_without_showing_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTCUA_POSTGRES_URL", "mysql://user:secret@host/db")
    with pytest.raises(SettingError, match="MOTCUA_POSTGRES_URL accepts postgresql://") as caught:
        load_settings()
    assert "secret" not in str(caught.value)


def test_two_services_cannot_have_the_same_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTCUA_INTAKE_PORT", "8002")
    with pytest.raises(SettingError, match="MOTCUA_PROCESSING_PORT accepts a port of its own"):
        load_settings()


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTCUA_KAFKA_BOOTSTRAP", "")
    assert load_settings().kafka_bootstrap is None
