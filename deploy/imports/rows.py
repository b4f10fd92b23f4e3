"""A reader of tables as rows: CSV with a head, or NDJSON with one flat object a line; in bounded memory.

A row that is broken in itself is a fault and the next row is read; a file that cannot be read at all is refused.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

from deploy.imports.errors import Fault, Faults, ImportFileError
from deploy.imports.opening import READING_ERRORS, format_of, open_log, rule_of

_LONGEST_LINE: Final = 1_000_000

Row: TypeAlias = tuple[int, Mapping[str, str]]
"""The line on which a row begins, and its values as written; empty ones are not there."""


def read_rows(path: Path, columns: Collection[str], faults: Faults) -> Iterator[Row]:
    """The rows in the file's order; a CSV must have these columns. Raises ImportFileError."""
    reader = _Reader(path.name, columns, faults)
    try:
        with open_log(path) as stream:
            yield from reader.csv(stream) if format_of(path) == "csv" else reader.ndjson(stream)
    except ImportFileError:
        raise
    except csv.Error as error:
        raise ImportFileError(path.name, f"line {reader.line}", f"is not CSV: {error}") from None
    except READING_ERRORS as error:
        raise ImportFileError(path.name, f"line {reader.line}" if reader.line else "", rule_of(error)) from None


class _Reader:
    """Knows where it is, for errors."""

    def __init__(self, file: str, columns: Collection[str], faults: Faults) -> None:
        self.line = 0
        self._file, self._columns, self._faults = file, columns, faults

    def csv(self, stream: IO[bytes]) -> Iterator[Row]:
        reader = csv.reader(self._lines(stream), strict=True)
        heads = next(reader, [])
        self._check_heads(heads)
        end = reader.line_num
        for row in reader:
            begin, end = end + 1, reader.line_num
            if len(row) == len(heads):
                yield begin, {name: value for name, value in zip(heads, row, strict=True) if value}
            elif row:
                self._fault(begin, f"has {len(row)} fields where the head names {len(heads)} columns")

    def _lines(self, stream: IO[bytes]) -> Iterator[str]:
        """The lines as text; each is decoded by itself, so that an error knows its line."""
        while text := stream.readline(_LONGEST_LINE + 1):
            self.line += 1
            if len(text) > _LONGEST_LINE:
                raise ImportFileError(self._file, f"line {self.line}", f"is longer than {_LONGEST_LINE:,} bytes")
            yield text.decode("utf-8-sig" if self.line == 1 else "utf-8")

    def _check_heads(self, heads: list[str]) -> None:
        twice = [name for name, count in Counter(heads).items() if count > 1]
        missing = sorted(set(self._columns) - set(heads))
        if not heads:
            raise ImportFileError(self._file, "", "holds no line with the names of its columns")
        if twice:
            raise ImportFileError(self._file, "line 1", f"names the column {twice[0]!r} twice")
        if missing:
            raise ImportFileError(self._file, "line 1", f"has no column {missing[0]!r}, which the mapping names")

    def ndjson(self, stream: IO[bytes]) -> Iterator[Row]:
        for text in self._lines(stream):
            if not text.strip():
                continue
            try:
                row = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant, parse_int=str, parse_float=str)
            except (ValueError, RecursionError) as error:
                self._fault(self.line, f"is not JSON: {error if isinstance(error, ValueError) else 'nested too deeply'}")
                continue
            if isinstance(row, dict):
                yield self.line, {key: written for key, value in row.items() if (written := _text(value))}
            else:
                self._fault(self.line, "is no JSON object")

    def _fault(self, line: int, rule: str) -> None:
        self._faults.add(Fault(line, "", rule))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return made


def _refuse_constant(name: str) -> float:
    message = f"{name} is no number of JSON"
    raise ValueError(message)


def _text(value: Any) -> str:
    """A value as written; what is nested, null or empty is passed over."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else ""
