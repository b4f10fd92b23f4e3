"""Schemas of bodies that a route reads by itself, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


def flat_schema(model: type[BaseModel]) -> dict[str, Any]:
    """A model's JSON Schema without references, since `$defs` inside an operation cannot be pointed to."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})
    flat: dict[str, Any] = _resolved(schema, definitions)
    return flat


def _resolved(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, dict):
        name = str(node.get("$ref", "")).removeprefix("#/$defs/")
        found = {**definitions[name], **{key: value for key, value in node.items() if key != "$ref"}} if name else node
        return {key: _resolved(value, definitions) for key, value in found.items()}
    return [_resolved(each, definitions) for each in node] if isinstance(node, list) else node
