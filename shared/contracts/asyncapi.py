"""AsyncAPI 3.0 documents, one per service, from the contract models themselves.

FastStream can describe one payload type per subscriber; our topics carry many types, told apart by a header, and our
subscribers take raw records. So the documents are built here, from the same registry that decodes and encodes.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema

from shared.contracts.commands import COMMANDS
from shared.contracts.events import EVENTS, INTAKE, NOTIFICATION, PROCESSING
from shared.contracts.hotline import HOTLINE
from shared.contracts.model import Contract
from shared.contracts.private import PRIVATE, Contact, Erased, Note, Private
from shared.contracts.receipts import RECEIPTS
from shared.contracts.topics import (
    CASE_COMMANDS,
    CASE_EVENTS,
    CASE_PRIVATE,
    HOTLINE_EVENTS,
    HOTLINE_RECEIPTS,
    Topic,
    group_of,
)
from shared.contracts.words import Origin

METRICS = "metrics"
SCHEMAS = "#/components/schemas/{model}"

READS: dict[str, dict[Topic, tuple[str, ...]]] = {
    INTAKE: {
        CASE_EVENTS: (
            "case.accepted", "case.refused", "case.stopped", "case.resumed", "case.resolved", "case.returned", "case.reopened",
        ),
        HOTLINE_EVENTS: tuple(HOTLINE),
    },
    PROCESSING: {
        CASE_EVENTS: ("case.submitted", "case.duplicate_suspected"), CASE_COMMANDS: tuple(COMMANDS), CASE_PRIVATE: (Erased.type,),
    },
    NOTIFICATION: {
        CASE_EVENTS: (
            "case.submitted", "case.accepted", "case.refused", "case.forwarded", "case.supplement_requested",
            "case.supplement_received", "case.payment_requested", "case.payment_received", "case.extended",
            "case.due_date_recalculated", "case.withdrawal_requested", "case.stopped", "case.resumed", "case.resolved",
            "case.returned", "case.reopened", "case.corrected",
        ),
        CASE_PRIVATE: (Contact.type,),
    },
    METRICS: {CASE_EVENTS: tuple(EVENTS)},
}  # fmt: skip
"""What each service takes from each topic."""

SENDS: dict[str, dict[Topic, tuple[str, ...]]] = {
    INTAKE: {
        CASE_PRIVATE: tuple(PRIVATE),
        HOTLINE_RECEIPTS: tuple(RECEIPTS),
        CASE_COMMANDS: ("link", "record_contact", "reopen", "rate"),
    },
    PROCESSING: {CASE_PRIVATE: (Note.type,)},
}
"""What each service puts on each topic, besides the facts that it states."""

_MODELS: dict[Topic, dict[str, type[Contract]]] = {
    CASE_EVENTS: {**EVENTS},
    CASE_COMMANDS: {**COMMANDS},
    CASE_PRIVATE: {**PRIVATE},
    HOTLINE_EVENTS: {**HOTLINE},
    HOTLINE_RECEIPTS: {**RECEIPTS},
}


def models_on(topic: Topic) -> dict[str, type[Contract]]:
    """The contract models of a topic, by `ce_type`."""
    return _MODELS[topic]


def json_schemas(models: Iterable[type[Contract]]) -> dict[str, Any]:
    """JSON Schema 2020-12 definitions of these models and of what they refer to, by class name."""
    _, schema = models_json_schema([(model, "validation") for model in models], ref_template=SCHEMAS)
    definitions: dict[str, Any] = schema["$defs"]
    return definitions


def describe(service: str, prefix: str = "") -> dict[str, Any]:
    """The AsyncAPI 3.0 document of one service."""
    sends = tuple(kind for kind, event in EVENTS.items() if event.stated_by == service)
    parts = [(topic, kinds, "receive") for topic, kinds in READS[service].items()]
    if sends:
        parts.append((CASE_EVENTS, sends, "send"))
    parts += [(topic, kinds, "send") for topic, kinds in SENDS.get(service, {}).items()]
    models = {kind: models_on(topic)[kind] for topic, kinds, _ in parts for kind in kinds}
    schemas = {"Envelope": envelope_schema()} | json_schemas(models.values())
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"Một Cửa: {service}",
            "version": version("motcua"),
            "description": "CloudEvents 1.0, Kafka binary binding: attributes as `ce_` headers, the data as JSON in the value.",
        },
        "defaultContentType": "application/json",
        "channels": _channels(parts, prefix),
        "operations": {
            f"{action}.{topic.name}": _operation(service, topic, kinds, action, prefix) for topic, kinds, action in parts
        },
        "components": {"schemas": schemas, "messages": {kind: _message(kind, model) for kind, model in models.items()}},
    }


def _channels(parts: list[tuple[Topic, tuple[str, ...], str]], prefix: str) -> dict[str, Any]:
    channels: dict[str, Any] = {}
    for topic, kinds, _ in parts:
        channel = channels.setdefault(
            topic.name,
            {
                "address": f"{prefix}{topic.name}",
                "description": f"{topic.says}; keyed by {topic.key}",
                "messages": {},
                "bindings": {"kafka": {"topic": f"{prefix}{topic.name}", "bindingVersion": "0.5.0"}},
            },
        )
        channel["messages"] |= {kind: {"$ref": f"#/components/messages/{kind}"} for kind in kinds}
    return channels


def _operation(service: str, topic: Topic, kinds: tuple[str, ...], action: str, prefix: str) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "messages": [{"$ref": f"#/channels/{topic.name}/messages/{kind}"} for kind in kinds],
    }
    if action == "receive":
        group = {"type": "string", "enum": [f"{prefix}{group_of(service, topic)}"]}
        operation["bindings"] = {"kafka": {"groupId": group, "bindingVersion": "0.5.0"}}
    return operation


def _message(kind: str, model: type[Contract]) -> dict[str, Any]:
    private = issubclass(model, Private)
    return {
        "name": kind,
        "summary": (model.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/octet-stream" if private else "application/json",
        "headers": {"$ref": "#/components/schemas/Envelope"},
        "payload": {"type": "string", "description": "AES-256-GCM"}
        if private
        else {"$ref": f"#/components/schemas/{model.__name__}"},
    }


def envelope_schema() -> dict[str, Any]:
    """The JSON Schema of the headers."""
    text = {"type": "string", "minLength": 1, "maxLength": 256}
    time = {"type": "string", "format": "date-time"}
    return {
        "type": "object",
        "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_agency", "ce_time"],
        "properties": {
            "ce_specversion": {"type": "string", "const": "1.0"},
            "ce_id": text | {"description": "unique within the source; repeats are recognised by it"},
            "ce_type": text,
            "ce_source": text,
            "ce_subject": text | {"description": "the case_id, also the record's key"},
            "ce_agency": text,
            "ce_time": time | {"description": "when it happened in the world"},
            "ce_recordedtime": time | {"description": "when it was written"},
            "ce_origin": {"type": "string", "enum": list(Origin), "default": "live"},
            "ce_sequence": {
                "type": "string",
                "pattern": "^[1-9][0-9]{0,9}$",
                "description": "1, 2, 3 … per case and source (events)",
            },
            "ce_causationid": text | {"description": "id of the command or event that led to this one"},
            "content-type": {"type": "string"},
        },
    }
