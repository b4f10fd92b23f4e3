"""The AsyncAPI documents, held to the reference parser and to themselves."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.asyncapi import READS, describe
from shared.contracts.commands import COMMANDS
from shared.contracts.events import EVENTS
from shared.contracts.hotline import HOTLINE
from shared.contracts.private import PRIVATE, Note

CHECK = Path(__file__).with_name("asyncapi")
ERROR = 0
BROKEN = {
    "no_version": {"asyncapi": "3.0.0", "info": {"title": "No version"}},
    "lost_reference": {
        "asyncapi": "3.0.0",
        "info": {"title": "Lost", "version": "1"},
        "operations": {"take": {"action": "receive", "channel": {"$ref": "#/channels/nowhere"}}},
    },
    "wrong_action": describe("metrics") | {"operations": {"take": {"action": "swallow"}}},
}

Diagnostics = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def diagnostics() -> Diagnostics:
    """What the parser says about the four documents and the broken ones; one process for all."""
    if not (CHECK / "node_modules").is_dir():
        npm = shutil.which("npm")
        assert npm, "npm is needed: it installs the AsyncAPI parser (Node 20 or newer)"
        subprocess.run([npm, "ci", "--ignore-scripts"], cwd=CHECK, check=True, timeout=300, capture_output=True)
    node = shutil.which("node")
    assert node, "node is needed: it runs the AsyncAPI parser (20 or newer)"
    documents = {service: describe(service, "trial-") for service in READS} | BROKEN
    answer = subprocess.run(
        [node, "validate.mjs"],
        cwd=CHECK,
        input=json.dumps(documents),
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
    )
    found: Diagnostics = json.loads(answer.stdout)
    return found


@pytest.mark.parametrize("service", READS)
def test_the_reference_parser_accepts_the_document(diagnostics: Diagnostics, service: str) -> None:
    found = diagnostics[service]
    for each in found:
        print(f"{service}: {each}")

    assert [each for each in found if each["severity"] == ERROR] == []


@pytest.mark.parametrize("name", BROKEN)
def test_the_reference_parser_refuses_a_broken_document(diagnostics: Diagnostics, name: str) -> None:
    assert any(each["severity"] == ERROR for each in diagnostics[name])


def test_the_lock_names_packages_and_no_address() -> None:
    text = (CHECK / "package-lock.json").read_text(encoding="utf-8")
    lock = json.loads(text)["packages"]

    assert "://" not in text
    assert re.findall(r"\b[\w-]+\.(?:com|org|net|io|dev|vn)\b", text) == []
    assert lock["node_modules/@asyncapi/parser"]["version"].startswith("3.6.")
    assert all("integrity" in each and "resolved" not in each for name, each in lock.items() if name)


@pytest.mark.parametrize("service", READS)
def test_what_a_document_receives_and_sends_is_the_contract(service: str) -> None:
    document = describe(service)
    said: dict[str, set[str]] = {"receive": set(), "send": set()}
    for operation in document["operations"].values():
        said[operation["action"]] |= {each["$ref"].rpartition("/")[2] for each in operation["messages"]}

    assert said["receive"] == {kind for kinds in READS[service].values() for kind in kinds}
    stated = {kind for kind, event in EVENTS.items() if event.stated_by == service}
    asked = {"hotline.receipt", "link", "record_contact", "reopen", "rate"}
    others = {"intake": set(PRIVATE) | asked, "processing": {Note.type}}
    assert said["send"] == stated | others.get(service, set())


def test_every_event_is_sent_and_received_and_every_command_is_received_by_somebody() -> None:
    received = {kind for read in READS.values() for kinds in read.values() for kind in kinds}

    assert {*EVENTS, *COMMANDS, *HOTLINE, "private.contact", "private.erased"} == received


@pytest.mark.parametrize("service", READS)
def test_topics_and_groups_carry_the_prefix_of_the_installation(service: str) -> None:
    document = describe(service, "trial-")

    assert all(each["address"] == f"trial-{name}" for name, each in document["channels"].items())
    for operation in document["operations"].values():
        if operation["action"] == "receive":
            (group,) = operation["bindings"]["kafka"]["groupId"]["enum"]
            assert group.startswith(f"trial-motcua.{service}.")
