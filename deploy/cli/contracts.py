"""`motcua contracts export DIR`: the contract as files, for readers in other languages.

`schemas/<ce_type>.json` is the JSON Schema 2020-12 of one record's value, `schemas/envelope.json` that of the headers;
`asyncapi/<service>.json` is a service's AsyncAPI 3 document. OpenAPI comes from a running service, at `/openapi.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.output import DONE, refuse, say
from shared.contracts.asyncapi import READS, describe, envelope_schema
from shared.contracts.commands import COMMANDS
from shared.contracts.events import EVENTS
from shared.contracts.hotline import HOTLINE
from shared.contracts.model import Contract
from shared.contracts.private import PRIVATE
from shared.contracts.receipts import RECEIPTS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MODELS: dict[str, type[Contract]] = {**EVENTS, **COMMANDS, **PRIVATE, **HOTLINE, **RECEIPTS}
"""The model of every record's value, by `ce_type`; of `private.` types it is what is encrypted."""


def schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema 2020-12 of every value by `ce_type`, and of the headers as `envelope`."""
    found = {kind: _schema(kind, model.model_json_schema()) for kind, model in MODELS.items()}
    return found | {"envelope": _schema("envelope", envelope_schema())}


def _schema(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": DIALECT, "$id": f"urn:motcua:schema:{name}", **schema}


def asyncapi(prefix: str = "") -> dict[str, dict[str, Any]]:
    """The AsyncAPI 3 document of every service by its name; topics and groups take the installation's prefix."""
    return {service: describe(service, prefix) for service in READS}


def write_documents(folder: Path, documents: Mapping[str, dict[str, Any]]) -> int:
    """Write each document as `<name>.json`, readable and in a stable form; give their number."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(as_text(document), encoding="utf-8")
    return len(documents)


def as_text(document: dict[str, Any]) -> str:
    """The one form in which a document is written."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write; made if it is not there.")],
    prefix: Annotated[str, typer.Option(help="Prefix of the installation's topics and groups.")] = "",
) -> int:
    """Write JSON Schemas and AsyncAPI documents."""
    try:
        count = write_documents(folder / "schemas", schemas()) + write_documents(folder / "asyncapi", asyncapi(prefix))
    except OSError as error:
        refuse(f"cannot write to {folder}: {error.strerror}; give a folder that can be written")
    say(f"{count} files in {folder}")
    return DONE


def register(app: typer.Typer) -> None:
    """Add the group `contracts`."""
    group = typer.Typer(no_args_is_help=True, help="Events, commands and documents that services exchange.")
    group.command("export")(export)
    # a second callable keeps `export` a sub-command: typer would fold a group of one into its only command
    group.callback()(_group)
    app.add_typer(group, name="contracts")


def _group() -> None:
    """Events, commands and documents that services exchange."""
