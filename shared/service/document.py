"""The OpenAPI document as it is true here: every refusal is a problem (RFC 9457), FastAPI's own form of 422 never comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from shared.problems import MEDIA_TYPE

_FAULT: Final = {
    "type": "object",
    "required": ["pointer", "rule", "code"],
    "properties": {name: {"type": "string"} for name in ("pointer", "rule", "code")},
}
_PROBLEM: Final[dict[str, Any]] = {
    "title": "Problem",
    "type": "object",
    "description": "What was wrong, and never the input",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "pattern": "^urn:motcua:problem:[a-z0-9-]+$"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": _FAULT, "description": "every fault at once"},
    },
}
_UNUSED: Final = ("HTTPValidationError", "ValidationError")


def with_problems(make: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """The document that `make` makes, with problems for all refusals; the same object whenever it is asked for."""

    def document() -> dict[str, Any]:
        made = make()
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" not in schemas:
            for response in _refusals(made):
                response["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
            for name in _UNUSED:
                schemas.pop(name, None)
            schemas["Problem"] = _PROBLEM
        return made

    return document


def _refusals(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every answer of 4xx and 5xx that the application's own routes declare; health says how it is in its own form."""
    for path, operations in document["paths"].items():
        for operation in operations.values() if path.startswith("/v1/") else ():
            yield from (response for code, response in operation["responses"].items() if code[:1] in {"4", "5"})
