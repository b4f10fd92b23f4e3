"""A file of cases in parts: numbered lines, and where to go on after them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from deploy.imports.opening import open_log

LONGEST_LINE: Final = 64 * 1024
"""Bytes of a line that intake takes, its line feed not counted."""
LINES_AT_ONCE: Final = 1000
BYTES_AT_ONCE: Final = 1024 * 1024
PIECE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not empty: its number from 1, and the byte where it begins; no content when it is too long to be sent."""

    number: int
    begin: int
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Part:
    """Lines that are sent together; `line` and `offset` are where the file goes on: the last line read, the bytes before."""

    lines: tuple[Line, ...]
    line: int
    offset: int


@dataclass(frozen=True, slots=True)
class Survey:
    """A file as a whole: how many lines it has, empty ones too, and the digest of its content."""

    lines: int
    digest: str


def survey(path: Path) -> Survey:
    """Read the file once. Raises what `open_log` and its reading raise."""
    digest, feeds, last = hashlib.sha256(), 0, b"\n"
    with open_log(path) as stream:
        while piece := stream.read(PIECE):
            digest.update(piece)
            feeds += piece.count(b"\n")
            last = piece[-1:]
    return Survey(feeds + (last != b"\n"), digest.hexdigest())


def read_parts(stream: IO[bytes], line: int = 0, offset: int = 0) -> Iterator[Part]:
    """The parts of the file after so many lines and bytes of it. A line that is too long is passed, not kept in memory."""
    stream.seek(offset)
    lines: list[Line] = []
    held = 0
    while content := stream.readline(LONGEST_LINE + 1):
        begin, line, offset, size = offset, line + 1, offset + len(content), len(content.rstrip(b"\n"))
        while not content.endswith(b"\n") and (rest := stream.readline(LONGEST_LINE)):
            content, offset, size = rest, offset + len(rest), size + len(rest.rstrip(b"\n"))
        if size > LONGEST_LINE:
            lines.append(Line(line, begin, None))
        elif content.strip():
            lines.append(Line(line, begin, content.rstrip(b"\r\n")))
            held += size
        if len(lines) == LINES_AT_ONCE or held >= BYTES_AT_ONCE:
            yield Part(tuple(lines), line, offset)
            lines, held = [], 0
    if lines:
        yield Part(tuple(lines), line, offset)
