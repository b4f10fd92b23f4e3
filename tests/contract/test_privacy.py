"""Nothing on the public topics can hold a person: by the names of the fields, and by what their strings may be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from deploy.cli.contracts import schemas
from shared.contracts.commands import COMMANDS
from shared.contracts.events import EVENTS
from shared.contracts.hotline import HotlineEvent
from shared.contracts.model import Contract
from shared.contracts.private import Contact
from shared.contracts.receipts import RECEIPTS
from tests.contract.golden import names, read_sample

PERSONAL = {
    "name", "fullname", "firstname", "lastname", "surname", "ho", "ten", "hoten", "phone", "mobile", "tel", "telephone", "sdt",
    "zalo", "email", "mail", "address", "street", "ward", "diachi", "cccd", "cmnd", "passport", "identity", "national", "tax",
    "birth", "birthday", "birthdate", "dob", "gender", "sex", "ethnicity", "religion", "applicant", "citizen", "person", "owner",
    "caller", "contact", "officer", "user", "signature", "bank", "account", "iban", "ip", "latitude", "longitude", "location",
    "note", "notes", "comment", "text", "message", "description", "content", "title", "subject", "remark", "payload", "metadata",
}  # fmt: skip
"""Parts of field names that point at a person or at free text."""
ALLOWED = {"message_id", "national_channel"}
"""Names that hold such a part and are only identifiers."""
PERSONAL_MODULES = {Contact.__module__, HotlineEvent.__module__}
"""What is encrypted before it is sent, and what a call centre tells us, which is gone from its topic within a day."""
PUBLIC = EVENTS | COMMANDS | RECEIPTS


def models_below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and every model that its fields hold."""
    yield model
    for field in model.model_fields.values():
        for each in _types_in(field.annotation):
            if isinstance(each, type) and issubclass(each, BaseModel):
                yield from models_below(each)


def _types_in(annotation: Any) -> Iterator[Any]:
    yield annotation
    for each in get_args(annotation):
        yield from _types_in(each)


def looks_personal(name: str) -> bool:
    """Whether a part of the name is on the list."""
    return name not in ALLOWED and not PERSONAL.isdisjoint(name.split("_"))


@pytest.mark.parametrize("kind", PUBLIC)
def test_no_field_looks_personal(kind: str) -> None:
    found = {name for model in models_below(PUBLIC[kind]) for name in model.model_fields if looks_personal(name)}

    assert found == set()


def test_no_other_model_of_the_contract_looks_personal_outside_private() -> None:
    def below(model: type[Contract]) -> Iterator[type[Contract]]:
        for each in model.__subclasses__():
            yield each
            yield from below(each)

    found = {
        (model.__name__, name)
        for model in below(Contract)
        if model.__module__.startswith("shared.contracts") and model.__module__ not in PERSONAL_MODULES
        for name in model.model_fields
        if looks_personal(name)
    }

    assert found == set()


def test_the_check_knows_a_contact_when_it_sees_one() -> None:
    assert {name for name in Contact.model_fields if looks_personal(name)} == {"name", "email", "phone"}


def strings_of(schema: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every place of a schema that takes a string."""
    if isinstance(schema, dict):
        if schema.get("type") == "string":
            yield where, schema
        for name, each in schema.items():
            yield from strings_of(each, f"{where}/{name}")
    elif isinstance(schema, list):
        for each in schema:
            yield from strings_of(each, where)


@pytest.mark.parametrize("kind", PUBLIC)
def test_no_string_is_free_text(kind: str) -> None:
    for where, schema in strings_of(schemas()[kind]):
        closed = "enum" in schema or "const" in schema or schema.get("format") in {"date-time", "date", "uuid"}
        assert closed or ("pattern" in schema and schema["maxLength"] <= 200), where


@pytest.mark.parametrize("kind", PUBLIC)
def test_no_value_is_open_to_anything(kind: str) -> None:
    assert '"additionalProperties": true' not in json.dumps(schemas()[kind])
    assert {} not in schemas()[kind].get("properties", {}).values()


def test_the_contact_of_the_samples_is_nobody() -> None:
    (name,) = (each for each in names() if each.startswith("private/private.contact"))
    value = read_sample(name).value

    assert value["email"].endswith("@example.com")
    assert value["phone"] == "0900000000"
