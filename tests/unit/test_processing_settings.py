"""Processing's own settings: a wrong value is a fault that names the setting."""

from __future__ import annotations

from typing import Any

import pytest

from services.processing.domain.code import CodePattern
from services.processing.settings import ProcessingSettings
from shared.settings import load_settings

REQUIRED = {
    "MOTCUA_KAFKA_BOOTSTRAP": "localhost:9092",
    "MOTCUA_POSTGRES_URL": "postgresql://localhost/postgres",
    "MOTCUA_TOKEN_PUBLIC_KEY_FILE": "public.json",
    "MOTCUA_PRIVATE_KEY_FILE": "key",
}


@pytest.fixture(autouse=True)
def required(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)


def test_patterns_are_read_from_json(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings(ProcessingSettings).code_patterns == {}
    monkeypatch.setenv("MOTCUA_CODE_PATTERNS", '{"ldtbxh-haiphong": "000.00.07.H24"}')
    monkeypatch.setenv("MOTCUA_PROCESSING_PORT", "18002")
    settings = load_settings(ProcessingSettings)
    assert (settings.code_patterns, settings.port) == ({"ldtbxh-haiphong": CodePattern("000.00.07.H24")}, 18002)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MOTCUA_CODE_PATTERNS", "nonsense"),
        ("MOTCUA_CODE_PATTERNS", "[]"),
        ("MOTCUA_CODE_PATTERNS", '{"agency": "lower case"}'),
        ("MOTCUA_CODE_PATTERNS", '{"No Slug": "H24"}'),
        ("MOTCUA_PROCESSING_PORT", "many"),
        ("MOTCUA_UNKNOWN_CASE_AFTER_SECONDS", "0"),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[Any], name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        load_settings(ProcessingSettings)
    assert stopped.value.code == 2
    assert f"setting {name}" in capsys.readouterr().err
