"""The documents name commands, targets, files and addresses that exist."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI

from deploy.cli.main import make_app
from tests.contract.settings_table import README

ROOT = README.parent
DOCUMENTS = ("README.md", "README.vi.md", "ARCHITECTURE.md", "CHANGELOG.md")
LONGEST_LINE = 130
PLACES = ("deploy/", "services/", "shared/", "tests/")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def commands() -> set[str]:
    """The commands and groups of `motcua`."""
    app = make_app([])
    groups = {str(group.name) for group in app.registered_groups}
    return groups | {each.name or each.callback.__name__ for each in app.registered_commands if each.callback}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_that_is_named_exists(name: str) -> None:
    named = re.findall(r"[`(]((?:[\w.-]+/)*[\w.-]+/?)[`)]", text_of(name))
    paths = {path for path in named if path.startswith(PLACES) or path.endswith(".md")}

    assert {path for path in paths if not (ROOT / path).exists()} == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_that_is_named_exists(name: str) -> None:
    named = set(re.findall(r"(?:`|\n|bin/|\()motcua ([a-z-]+)", text_of(name)))

    assert named - commands() == set()


def test_the_readme_names_every_command() -> None:
    assert {name for name in commands() if f"| `motcua {name}" not in text_of("README.md")} == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_target_that_is_named_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))

    assert set(re.findall(r"(?:`|\n)make ([a-z]+)", text_of(name))) <= targets


def test_every_address_that_is_called_is_a_route(apps: dict[str, FastAPI]) -> None:
    ports = {"8001": "intake", "8002": "processing", "8003": "notification", "8004": "metrics"}
    called = re.findall(r"127\.0\.0\.1:(800\d)(/[^\s'\"?]+)", text_of("README.md"))
    assert called
    for port, path in called:
        known = [re.sub(r"\\{[^/]+\\}", "[^/]+", re.escape(each)) for each in apps[ports[port]].openapi()["paths"]]
        assert any(re.fullmatch(each, path) for each in known), f"{port}{path}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_lines_are_short(name: str) -> None:
    long = [line for line in text_of(name).splitlines() if len(line) > LONGEST_LINE and not line.startswith("|")]

    assert long == []
