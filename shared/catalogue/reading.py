"""Catalogue files read with their line numbers: YAML text to plain values, or faults; never a traceback.

YAML's traps are faults here: a key given twice, aliases, and a code that was not quoted and would turn
into a number.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shared.catalogue.faults import Fault, Rule

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Path = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A file's values, and for each path into them the line and, for scalars, the text as written."""

    file: str
    values: Any
    lines: dict[_Path, int]
    texts: dict[_Path, str]

    def line_of(self, path: _Path) -> int | None:
        """Line of the nearest node on the way to `path`."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return None


def read_document(path: Path) -> Document | list[Fault]:
    """Read one file; a list of faults when it cannot be read as plain YAML."""
    file = str(path)
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        return [Fault(file, Rule.READABLE, f"not UTF-8 at byte {error.start}: save the file as UTF-8")]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        return [Fault(file, Rule.READABLE, f"cannot be read: {reason}")]
    return parse_document(file, text)


def parse_document(file: str, text: str) -> Document | list[Fault]:
    """Read a text that came from `file`; a list of faults when it is no plain YAML."""
    try:
        return _parse(file, text)
    except yaml.YAMLError as error:
        return [_syntax_fault(file, error)]
    except RecursionError:
        return [Fault(file, Rule.YAML_SYNTAX, "nested too deeply")]
    except (ValueError, TypeError, OverflowError) as error:
        return [Fault(file, Rule.YAML_SYNTAX, f"a value cannot be read: {error}")]


def _parse(file: str, text: str) -> Document | list[Fault]:
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return [Fault(file, Rule.YAML_SYNTAX, "the file is empty")]
        document = Document(file, None, {}, {})
        faults = list(_Walk(loader, document, set()).visit(root, ()))
        if faults:
            return faults
        return Document(file, loader.construct_document(root), document.lines, document.texts)
    finally:
        loader.dispose()


def _syntax_fault(file: str, error: yaml.YAMLError) -> Fault:
    """The parser's problem with its line, in one line."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or error
    message = " ".join(str(problem).split())
    return Fault(file, Rule.YAML_SYNTAX, message, line=None if mark is None else mark.line + 1)


@dataclass(frozen=True, slots=True)
class _Walk:
    """Notes every node's line, and yields the faults that would be lost once the values are plain."""

    loader: Any
    document: Document
    seen: set[int]

    def visit(self, node: yaml.Node, path: _Path) -> Iterator[Fault]:
        line = node.start_mark.line + 1
        if id(node) in self.seen:
            yield self._fault(Rule.NO_ALIAS, "an alias (*) hides what is meant: write it out", line)
            return
        self.seen.add(id(node))
        self.document.lines[path] = line
        if isinstance(node, yaml.ScalarNode):
            yield from self._visit_scalar(node, path, line)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                yield from self.visit(item, (*path, index))
        elif isinstance(node, yaml.MappingNode):
            yield from self._visit_mapping(node, path)

    def _visit_scalar(self, node: yaml.ScalarNode, path: _Path, line: int) -> Iterator[Fault]:
        """Note the text; a value like 2020-06-31 looks like a date and is none."""
        self.document.texts[path] = node.value
        try:
            self.loader.construct_object(node)
        except (ValueError, OverflowError) as error:
            yield self._fault(Rule.YAML_SYNTAX, f"{node.value!r} cannot be read: {error}", line)

    def _visit_mapping(self, node: yaml.MappingNode, path: _Path) -> Iterator[Fault]:
        keys: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            name = key.value if isinstance(key, yaml.ScalarNode) else str(key.tag)
            if name in keys:
                message = f"the key {name!r} is already in line {keys[name]}; a key may stand once"
                yield self._fault(Rule.DUPLICATE_KEY, message, line)
            keys.setdefault(name, line)
            yield from self.visit(value, (*path, name))

    def _fault(self, rule: Rule, message: str, line: int) -> Fault:
        return Fault(self.document.file, rule, message, line=line)
