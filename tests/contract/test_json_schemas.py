"""The JSON Schemas in the repository say what the models say, and the golden samples obey them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from deploy.cli import contracts
from deploy.cli.contracts import MODELS, as_text, asyncapi, schemas, write_documents
from deploy.cli.output import REFUSED
from deploy.errors import CommandError
from shared.contracts.asyncapi import READS
from tests.contract.golden import Sample, names, read_sample
from tests.contract.publish import SCHEMAS

ALL = [read_sample(name) for name in names()]
EVERY = pytest.mark.parametrize("sample", ALL, ids=[each.name for each in ALL])
NAMES = (*MODELS, "envelope")


def schema_of(name: str) -> dict[str, Any]:
    """A schema as the repository has it."""
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    return schema


def test_the_repository_holds_a_schema_of_every_type_and_nothing_else() -> None:
    assert {path.name for path in SCHEMAS.iterdir()} == {f"{name}.json" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_the_schema_in_the_repository_is_that_of_the_model(name: str) -> None:
    text = (SCHEMAS / f"{name}.json").read_text(encoding="utf-8")

    assert text == as_text(schemas()[name]), "write it anew: python -m tests.contract.publish"


def test_the_schemas_are_small() -> None:
    assert sum(path.stat().st_size for path in SCHEMAS.iterdir()) < 300_000


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_a_schema(name: str) -> None:
    schema = schema_of(name)

    Draft202012Validator.check_schema(schema)
    assert (schema["$schema"], schema["$id"]) == (contracts.DIALECT, f"urn:motcua:schema:{name}")


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_stands_alone(name: str) -> None:
    text = (SCHEMAS / f"{name}.json").read_text(encoding="utf-8")
    references = set(re.findall(r'"\$ref": "([^"]*)"', text))

    assert references <= {f"#/$defs/{each}" for each in schema_of(name).get("$defs", {})}


@EVERY
def test_every_sample_obeys_its_schema(sample: Sample) -> None:
    Draft202012Validator(schema_of(sample.kind)).validate(sample.value)
    Draft202012Validator(schema_of("envelope")).validate(sample.headers)


@EVERY
def test_a_sample_with_a_field_missing_breaks_its_schema(sample: Sample) -> None:
    schema = schema_of(sample.kind)
    for name in schema.get("required", []):
        rest = {key: value for key, value in sample.value.items() if key != name}
        with pytest.raises(ValidationError, match="required property"):
            Draft202012Validator(schema).validate(rest)


@EVERY
def test_schema_and_model_agree_about_unknown_fields(sample: Sample) -> None:
    closed = schema_of(sample.kind).get("additionalProperties") is False

    assert closed == (sample.folder not in {"events", "receipts"})


def test_a_field_of_an_event_is_required_only_while_it_always_was() -> None:
    """A field that came later has a default: every published sample of version 1 has all that is required now."""
    for sample in ALL:
        assert set(schema_of(sample.kind).get("required", [])) <= set(sample.value), sample.name


def test_the_command_writes_schemas_and_documents(tmp_path: Path) -> None:
    app = typer.Typer()
    contracts.register(app)

    app(args=["contracts", "export", str(tmp_path / "out"), "--prefix", "t-"], standalone_mode=False)

    assert {path.stem for path in (tmp_path / "out" / "schemas").iterdir()} == set(NAMES)
    assert {path.stem for path in (tmp_path / "out" / "asyncapi").iterdir()} == set(READS)
    written = json.loads((tmp_path / "out" / "asyncapi" / "metrics.json").read_text(encoding="utf-8"))
    assert written == asyncapi("t-")["metrics"]
    assert written["channels"]["case-events"]["address"] == "t-case-events"


def test_the_command_says_in_one_line_that_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here first")

    with pytest.raises(CommandError, match="cannot write to") as caught:
        contracts.export(tmp_path / "file")

    assert caught.value.status == REFUSED
    assert "\n" not in str(caught.value)


def test_documents_are_written_in_one_stable_form(tmp_path: Path) -> None:
    write_documents(tmp_path, {"a": {"vi": "Một Cửa"}})

    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n "vi": "Một Cửa"\n}\n'
