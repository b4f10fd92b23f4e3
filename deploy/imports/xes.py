"""A reader of XES logs (IEEE 1849), plain or gzip, trace by trace in bounded memory.

XML is read by expat with no document type allowed, so there are no entities to expand and nothing outside
is fetched. Only what a trace or an event carries directly is kept; nested attributes, extensions and globals
are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, NoReturn, TypeAlias
from xml.parsers import expat

from deploy.imports.errors import ImportFileError
from deploy.imports.opening import READING_ERRORS, open_log, rule_of

_CHUNK: Final = 1 << 16
_VALUES: Final = frozenset({"string", "date", "int", "float", "boolean", "id"})
_LONGEST_TRACE: Final = 1_000_000
_DEEPEST: Final = 100


Values: TypeAlias = Mapping[str, str]
"""Attributes by key, as written."""


@dataclass(frozen=True, slots=True)
class XesTrace:
    """One case of a log; values as written. `index` and lines count from 1; `lines` are those of the events."""

    index: int
    attributes: Values = field(default_factory=dict)
    events: list[Values] = field(default_factory=list)
    line: int = 0
    lines: list[int] = field(default_factory=list)


class _RefusedError(Exception):
    """The text breaks a rule of this reader, named by the message."""


class _Collector:
    """Expat's callbacks: builds traces one after the other."""

    def __init__(self) -> None:
        self.done: list[XesTrace] = []
        self.line: Callable[[], int] = int
        self.is_log = False
        self._path: list[str] = []
        self._count = 0
        self._trace: dict[str, str] = {}
        self._events: list[Values] = []
        self._begins, self._lines = 0, list[int]()
        self._open: dict[str, str] | None = None

    @property
    def place(self) -> str:
        """Where the reader is, for errors."""
        return f"trace {self._count}" if self._count else ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._path) >= _DEEPEST:
            message = f"is nested deeper than {_DEEPEST} elements"
            raise _RefusedError(message)
        tag = name.rsplit(" ", 1)[-1]
        path = [*self._path[1:], tag] if self._path else []
        if not self._path:
            self.is_log = tag == "log"
        elif path == ["trace"]:
            self._count += 1
            self._trace, self._events = {}, []
            self._begins, self._lines = self.line(), []
            self._open = self._trace
        elif path == ["trace", "event"]:
            self._open = {}
            self._lines.append(self.line())
        elif self._is_value(path) and self._open is not None:
            self._keep(attributes)
        self._path.append(tag)

    def end(self, _name: str) -> None:
        path = self._path[1:]
        self._path.pop()
        if path == ["trace", "event"] and self._open is not None:
            if len(self._events) >= _LONGEST_TRACE:
                message = f"has more than {_LONGEST_TRACE:,} events"
                raise _RefusedError(message)
            self._events.append(self._open)
            self._open = self._trace
        elif path == ["trace"]:
            self.done.append(XesTrace(self._count, self._trace, self._events, self._begins, self._lines))
            self._open = None

    def refuse_doctype(self, *_declaration: object) -> NoReturn:
        message = "has a document type declaration; entities are refused"
        raise _RefusedError(message)

    @staticmethod
    def _is_value(path: list[str]) -> bool:
        return path[-1] in _VALUES and path[:-1] in (["trace"], ["trace", "event"])

    def _keep(self, attributes: dict[str, str]) -> None:
        key, value = attributes.get("key"), attributes.get("value")
        if self._open is not None and key is not None and value is not None:
            self._open[key] = value


def _make_parser(collector: _Collector) -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=" ")
    collector.line = lambda: parser.CurrentLineNumber
    parser.StartElementHandler = collector.start
    parser.EndElementHandler = collector.end
    parser.StartDoctypeDeclHandler = collector.refuse_doctype
    parser.EntityDeclHandler = collector.refuse_doctype
    return parser


def read_traces(path: Path) -> Iterator[XesTrace]:
    """The traces in the file's order. Raises ImportFileError."""
    collector = _Collector()
    try:
        with open_log(path) as stream:
            yield from _parsed(stream, collector)
    except ImportFileError:
        raise
    except (_RefusedError, expat.ExpatError, *READING_ERRORS) as error:
        raise ImportFileError(path.name, collector.place, _rule(error)) from None
    if not collector.is_log:
        raise ImportFileError(path.name, "", "is XML but not an XES log: its root is not <log>")


def _parsed(stream: IO[bytes], collector: _Collector) -> Iterator[XesTrace]:
    parser = _make_parser(collector)
    while chunk := stream.read(_CHUNK):
        parser.Parse(chunk, False)
        yield from collector.done
        collector.done.clear()
    parser.Parse(b"", True)


def _rule(error: Exception) -> str:
    if isinstance(error, expat.ExpatError):
        return f"broken XML at line {error.lineno}: {expat.errors.messages[error.code]}"
    return rule_of(error)
