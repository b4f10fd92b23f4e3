"""A mapping's text, read and checked: every fault with its line."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from shared.catalogue.reading import Document, parse_document
from shared.hotline.blocks import Block, CallerBlock
from shared.hotline.conversion import takes_unit
from shared.hotline.mapping import Mapping
from shared.hotline.rules import rule_of
from shared.hotline.values import Value

LARGEST_FILE: Final = 256 * 1024
"""Bytes of a mapping."""

_TODO: Final = re.compile(r"(?:^|\s)#\s*TODO\b:?\s*(?P<what>.*)$")
_RULES: Final = {
    "extra_forbidden": "unknown-key",
    "missing": "missing-key",
    "union_tag_not_found": "missing-key",
}
_MESSAGES: Final = {
    "extra_forbidden": "there is no such key; misspelt?",
    "union_tag_not_found": "scheme is needed: standard_webhooks, hmac, bearer or basic",
    "union_tag_invalid": "scheme is one of standard_webhooks, hmac, bearer and basic",
    "model_type": "is an expression, or an object with the keys of this place",
    "dict_type": "is an object, a key and a value in each line",
    "string_type": "is a text; write it, and the words of a table, in quotation marks",
}
_FORMS: Final = {"hours": "is such as 7-17: from 07:00 to 17:00", "days": "is such as mon-fri, or sat"}


class Fault(NamedTuple):
    """What is wrong with a mapping: the file, the line (from 1) where known, the rule's stable name, and what to do."""

    file: str
    line: int | None
    rule: str
    message: str

    def __str__(self) -> str:
        """`file:line: message [rule]`."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.message} [{self.rule}]"


class MappingError(ValueError):
    """A mapping cannot be used; `faults` says every reason."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def read_mapping(text: str, name: str) -> Mapping:
    """The mapping in a text; `name` is what faults call its file.

    Raises:
        MappingError: It is no plain YAML, a key is misspelt, an expression is none, a word of ours does not exist, or a line
            still says `# TODO`.
    """
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST_FILE:
        raise MappingError([Fault(name, None, "readable", f"a mapping has at most {LARGEST_FILE} bytes")])
    document = parse_document(name, text)
    if not isinstance(document, Document):
        raise MappingError([Fault(fault.file, fault.line, str(fault.rule), fault.message) for fault in document])
    faults = list(_todos(text, name))
    try:
        mapping = Mapping.model_validate(document.values)
    except ValidationError as error:
        raise MappingError(_sorted([*faults, *_faults(error, document)])) from None
    mapping._lines.update(document.lines)  # noqa: SLF001 - a mapping that was built in code has no lines
    faults += _of_constants(mapping, document)
    if faults:
        raise MappingError(_sorted(faults))
    return mapping


def _sorted(faults: list[Fault]) -> list[Fault]:
    return sorted(set(faults), key=lambda fault: (fault.line or 0, fault.rule, fault.message))


def _todos(text: str, name: str) -> Iterator[Fault]:
    """What a draft leaves to a person."""
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _TODO.search(line):
            yield Fault(name, number, "todo", f"still to be decided: {match['what'] or 'this line'}; then remove the comment")


def _faults(error: ValidationError, document: Document) -> list[Fault]:
    """One fault for each place: of a value that may have several forms, what the form that got furthest says."""
    furthest: dict[tuple[Hashable, ...], Fault] = {}
    for fault in error.errors(include_url=False, include_input=False):
        path = _known(fault["loc"], document)
        key = fault["loc"][-1] if fault["type"] in {"extra_forbidden", "missing"} else ""
        furthest.setdefault((*path, key), _fault(fault, path, document))
    return list(furthest.values())


def _known(loc: tuple[int | str, ...], document: Document) -> tuple[int | str, ...]:
    """The part of a place that the file has: pydantic adds the names of forms, such as the scheme of an authentication."""
    path: tuple[int | str, ...] = ()
    for step in loc:
        if (*path, step) in document.lines:
            path = (*path, step)
    return path


def _fault(fault: Any, path: tuple[int | str, ...], document: Document) -> Fault:
    rule = _RULES.get(fault["type"], "wrong-value")
    key = str(fault["loc"][-1]) if fault["loc"] else ""
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "missing":
        path, message = path if path[-1:] == (key,) else (*path, key), "this key is needed"
    elif not path and message.partition(":")[0] in Mapping.model_fields:  # a rule about several keys, told of one of them
        name, _, message = message.partition(": ")
        path = (name,) if (name,) in document.lines else ("kind",)
        message = message if path == (name,) else f"{name}: {message}"
    else:
        message = _MESSAGES.get(fault["type"], _FORMS.get(str(path[-1]) if path else "", message))
    where = ".".join(map(str, path))
    return Fault(document.file, document.line_of(path), rule, f"{where}: {message}" if where else message)


def _of_constants(mapping: Mapping, document: Document) -> list[Fault]:
    """The mapping's own words are held to the contract now, and not when the first event comes."""
    found = [fault for kind, block in mapping.blocks.items() for fault in _of_block(block, block, (kind.value,), document)]
    return list(found)


def _of_block(block: Block, part: Block | CallerBlock, path: tuple[str, ...], document: Document) -> Iterator[Fault]:
    for name in type(part).model_fields:
        value, here = getattr(part, name), (*path, name)
        if isinstance(value, CallerBlock):
            yield from _of_block(block, value, here, document)
        if not isinstance(value, Value):
            continue
        if value.unit != "seconds" and not takes_unit(name):
            yield Fault(document.file, document.line_of((*here, "unit")), "wrong-value", f"{'.'.join(here)}: counts no seconds")
        for place, constant in _constants(value):
            rule = _broken(block, here[1:], constant)
            if rule is not None:
                message = f"{'.'.join(here)}: {constant!r} is no word of the contract ({rule})"
                yield Fault(document.file, document.line_of((*here, *place)), "wrong-word", message)


def _constants(value: Value) -> Iterator[tuple[tuple[str, ...], str | int]]:
    for key in ("value", "default", "otherwise"):
        if (constant := getattr(value, key)) is not None:
            yield (key,), constant
    for word, constant in (value.table or {}).items():
        yield ("table", word), constant


def _broken(block: Block, path: tuple[str, ...], constant: str | int) -> str | None:
    """The rule that a constant breaks in a field of the contract."""
    body: Any = constant
    for name in reversed(path):
        body = {name: body}
    try:
        block.contract.model_validate(body)
    except ValidationError as error:
        of_field = [fault for fault in error.errors(include_url=False, include_input=False) if fault["loc"][: len(path)] == path]
        return rule_of(of_field[0]).value if of_field else None
    return None
