"""NDJSON in pieces: bytes as the network brings them become numbered lines, however they are cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

LONGEST_LINE: Final = 64 * 1024
"""Bytes of one line, its line feed not counted."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is not empty: its number in the input, from 1, and its bytes; None when it was too long."""

    number: int
    content: bytes | None


class LineSplitter:
    """Splits a stream at line feeds; a carriage return before one is white space. Holds at most one line's bytes."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        """Allow lines of `longest` bytes."""
        self._longest = longest
        self._held = bytearray()
        self._too_long = False
        self._number = 1

    def feed(self, chunk: bytes) -> Iterator[Line]:
        """The lines that this chunk completes. Exhaust it before the next call."""
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            self._hold(piece)
            yield from self._end_line()
        self._hold(rest)

    def finish(self) -> Iterator[Line]:
        """The last line, when no line feed ended it."""
        yield from self._end_line()

    def _hold(self, piece: bytes) -> None:
        if self._too_long or len(self._held) + len(piece) > self._longest:
            self._too_long = True
            self._held.clear()
        else:
            self._held += piece

    def _end_line(self) -> Iterator[Line]:
        number, content = self._number, bytes(self._held)
        too_long = self._too_long
        self._held.clear()
        self._too_long, self._number = False, number + 1
        if too_long:
            yield Line(number, None)
        elif content.strip():
            yield Line(number, content)
