"""The integrator's guide: its programs sign rightly, its example is the vendor of the tests, both languages show the same."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from deploy.local.hotline import PACKAGED
from shared.contracts.hotline import HOTLINE
from shared.hotline import signing
from shared.hotline.authentication import Authentication, StandardWebhooks
from shared.hotline.reading import read_mapping
from shared.hotline.rules import EXPLAINED
from shared.hotline.said import Said
from shared.hotline.translate import translate
from tests.support.guide import GUIDES, ROOT, VENDOR, blocks, commands, program
from tests.support.webhook import webhook

PROGRAMS = {
    "bash": ("send.sh", ["bash"]),
    "python": ("send.py", [sys.executable, "-I"]),
    "java": ("Send.java", ["java"]),
    "php": ("send.php", ["php"]),
}
SECRET, WRONG = (
    signing.make_secret(StandardWebhooks(scheme="standard_webhooks"), key * 8) for key in (b"\x00\n\xfb\xff", b"\x00\n\xfb\xfe")
)
FAULTS = ("missing", "malformed")


@pytest.mark.parametrize("language", PROGRAMS)
def test_the_program_of_the_guide_signs_what_it_sends(language: str, tmp_path: Path) -> None:
    name, interpreter = PROGRAMS[language]
    found = shutil.which(interpreter[0])
    if found is None:
        pytest.skip(f"{interpreter[0]} is not installed here")
    (tmp_path / name).write_text(program(language), encoding="utf-8")
    payload = tmp_path / "ticket.json"
    payload.write_bytes(
        (VENDOR / "ticket.json").read_bytes().rstrip().replace(b'"envelope"', b'"id": "g-1", "envelope"') + b" \n"
    )
    command = [found, *interpreter[1:], name, payload.name]
    with webhook([SECRET]) as door:
        environment = {"URL": door.url, "SECRET": SECRET, "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path)}

        def told(**more: str) -> subprocess.CompletedProcess[bytes]:
            return subprocess.run(command, cwd=tmp_path, env=environment | more, capture_output=True, timeout=60, check=False)

        taken = told()
        assert taken.returncode == 0, taken.stderr.decode()
        assert json.loads(taken.stdout)["results"] == [{"event_id": "g-1", "outcome": "accepted"}]
        assert door.verified == [payload.read_bytes()]
        wrong = told(SECRET=WRONG)
        assert wrong.returncode != 0
        assert b"signature_wrong" in wrong.stdout + wrong.stderr
        assert len(door.verified) == 1


def test_the_guides_example_is_the_vendor_of_the_tests() -> None:
    """So that what the guide shows is what goes through the services in another test."""
    shown = {each.text for each in blocks() if each.language in {"json", "yaml"}}
    files = sorted(VENDOR.iterdir())
    assert [file.name for file in files] == ["call.json", "tally.json", "ticket.json", "voxsaigon.yaml"]
    assert [file.name for file in files if file.read_text(encoding="utf-8") not in shown] == []


def test_both_languages_show_the_same_programs_and_commands() -> None:
    assert blocks(GUIDES["vi"]) == blocks(GUIDES["en"])


def test_every_table_row_and_heading_is_in_both_languages() -> None:
    def shape(guide: Path) -> list[str]:
        lines = guide.read_text(encoding="utf-8").splitlines()
        return [line.split(" ")[0] for line in lines if line.startswith(("#", "|"))]

    assert shape(GUIDES["vi"]) == shape(GUIDES["en"])


@pytest.mark.parametrize("guide", GUIDES.values(), ids=GUIDES)
def test_reasons_rules_schemes_and_event_types_are_all_told(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    source = Path(signing.__file__).read_text(encoding="utf-8")
    heads = re.findall(r'_header\(given, [^,]+, "(\w+)"', source)
    reasons = set(re.findall(r'SignatureError\("(\w+)"', source)) | {f"{head}_{fault}" for head in heads for fault in FAULTS}
    assert len(reasons) == 11
    named = TypeAdapter(Authentication).json_schema()["discriminator"]["mapping"]
    assert [word for word in (*reasons, *named, *HOTLINE, *EXPLAINED) if word not in text] == []


def test_the_schemes_of_the_guides_table_are_ones_that_a_mapping_may_have() -> None:
    lines = GUIDES["en"].read_text(encoding="utf-8").splitlines()
    shown = [yaml.safe_load(line.split("`")[1]) for line in lines if line.startswith("| `{scheme:")]
    assert [TypeAdapter(Authentication).validate_python(each).scheme for each in shown] == ["hmac", "bearer", "basic"]


def test_the_half_hour_names_only_commands_that_there_are() -> None:
    heads = [words[:3] for words in commands()]
    assert heads[0] == ["motcua", "hotline", "new"]
    assert {tuple(words[:2]) for words in heads if words[0] != "cp"} == {("motcua", "hotline")}
    assert (ROOT / "deploy/hotline/kit/check_hotline.py").is_file()


def test_the_event_that_needs_no_mapping_is_understood() -> None:
    event = next(each.text for each in blocks() if each.language == "json" and "specversion" in each.text)
    mapping = read_mapping((PACKAGED / "normalised.yaml").read_text(encoding="utf-8"), "normalised.yaml")
    (said,) = translate(mapping, event.encode(), structured=True)
    assert isinstance(said, Said), said
    assert (said.event_id, said.sequence) == ("a7d1-0001", 919)
    assert said.body is not None
    assert said.body.model_dump(mode="json", exclude_none=True) == json.loads(event)["data"]


def test_the_data_of_each_type_of_event_is_as_the_contract_asks() -> None:
    lines = GUIDES["en"].read_text(encoding="utf-8").splitlines()
    shown = [line.split("`") for line in lines if line.startswith("| `hotline.")]
    assert {parts[1] for parts in shown} == HOTLINE.keys()
    for parts in shown:
        if parts[3].startswith("{"):
            HOTLINE[parts[1]].model_validate_json(parts[3])
