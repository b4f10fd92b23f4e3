"""The README's settings tables say what the settings classes say, and no variable of the code is left out."""

from __future__ import annotations

import re

import pytest

from deploy.local.settings import LocalSettings
from tests.contract.settings_table import OUTSIDE, README, SERVICES, STACK, settings_of, tables, with_tables

ROOT = README.parent


def test_the_readme_holds_the_settings_of_now() -> None:
    text = README.read_text(encoding="utf-8")

    assert with_tables(text) == text, "write them anew: python -m tests.contract.settings_table"


@pytest.mark.parametrize("kind", [*SERVICES.values(), LocalSettings], ids=lambda kind: kind.__name__)
def test_every_setting_has_a_meaning(kind: type) -> None:
    assert [each.name for each in settings_of(kind) if not each.meaning] == []


def test_the_meanings_of_the_local_stack_name_settings_that_exist() -> None:
    assert set(STACK) == {each.name for each in settings_of(LocalSettings)}


def test_every_variable_that_the_code_names_is_in_the_tables() -> None:
    sources = [path for folder in ("deploy", "services", "shared") for path in (ROOT / folder).rglob("*.py")]
    named = {name for path in sources for name in re.findall(r"MOTCUA_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8"))}

    assert {name for name in named if f"`{name}`" not in tables()} == set()
    assert set(OUTSIDE) - named == {"MOTCUA_TEST_DATA"}, "only tests read it"


def test_a_password_has_no_default() -> None:
    secret = re.compile("PASSWORD|KEY_FILE|_URL$")
    defaults = {each.default for kind in SERVICES.values() for each in settings_of(kind) if secret.search(each.name)}

    assert defaults <= {"none", "**required**"}
