"""What the shipped mappings make of realistic payloads: golden, rewritten by `python -m tests.contract.test_hotline_samples`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import shared.hotline
from shared.contracts.hotline import HOTLINE
from shared.hotline.mapping import Mapping
from shared.hotline.reading import read_mapping
from shared.hotline.said import Refused, Said, Understood
from shared.hotline.translate import translate

SAMPLES = Path(__file__).with_name("samples") / "hotline"
MAPPINGS = Path(shared.hotline.__file__).with_name("mappings")
SOURCES = sorted(path.stem for path in MAPPINGS.glob("*.yaml"))


def shipped(source: str) -> Mapping:
    return read_mapping((MAPPINGS / f"{source}.yaml").read_text(encoding="utf-8"), f"{source}.yaml")


def told(understood: Understood) -> dict[str, Any]:
    if isinstance(understood, Refused):
        return {"event_id": understood.event_id, "refused": [wrong._asdict() for wrong in understood.wrong]}
    body = understood.body
    said = understood._asdict() | {"occurred_at": understood.occurred_at.isoformat().replace("+00:00", "Z")}
    said |= {"type": body.type, "body": body.model_dump(mode="json", exclude_unset=True)} if body is not None else {}
    return {name: value for name, value in said.items() if value not in (None, "")}


def results(source: str) -> dict[str, list[dict[str, Any]]]:
    mapping = shipped(source)
    return {
        path.name: [told(each) for each in translate(mapping, path.read_bytes())]
        for path in sorted((SAMPLES / source / "samples").glob("*.json"))
    }


@pytest.mark.parametrize("source", SOURCES)
def test_a_shipped_mapping_makes_of_its_samples_what_is_written_down(source: str) -> None:
    golden = json.loads((SAMPLES / source / "golden.json").read_text(encoding="utf-8"))

    assert results(source) == golden


@pytest.mark.parametrize("source", SOURCES)
def test_a_mapping_s_file_is_named_after_its_source(source: str) -> None:
    assert shipped(source).source == source


@pytest.mark.parametrize("source", SOURCES)
def test_the_samples_show_every_kind_that_a_mapping_gives_and_a_refusal(source: str) -> None:
    mapping = shipped(source)
    all_told = [each for path in (SAMPLES / source / "samples").iterdir() for each in translate(mapping, path.read_bytes())]
    shown = {each.body.type for each in all_told if isinstance(each, Said) and each.body is not None}
    expected = {block.contract.type for block in mapping.blocks.values()} or set(HOTLINE)

    assert shown == expected
    assert any(isinstance(each, Refused) for each in all_told)


@pytest.mark.parametrize("source", SOURCES)
def test_a_payload_that_comes_again_has_the_same_ids(source: str) -> None:
    ids = [each["event_id"] for each_file in results(source).values() for each in each_file if each.get("event_id")]

    assert ids == [each["event_id"] for each_file in results(source).values() for each in each_file if each.get("event_id")]
    assert len(set(ids)) == len(ids)


if __name__ == "__main__":
    for each_source in SOURCES:
        written = json.dumps(results(each_source), ensure_ascii=False, indent=2) + "\n"
        (SAMPLES / each_source / "golden.json").write_text(written, encoding="utf-8")
