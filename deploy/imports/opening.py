"""The bytes of a log, plain or gzip, and the words for what can go wrong while they are read."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import IO, Final, cast

from deploy.imports.errors import ImportFileError

_GZIP_MAGIC: Final = b"\x1f\x8b"

READING_ERRORS: Final = (OSError, EOFError, zlib.error, ValueError, LookupError)
"""What reading, unpacking and decoding raise."""


def open_log(path: Path) -> IO[bytes]:
    """The log's bytes, unpacked by what the file is, not by its name. Raises ImportFileError and OSError."""
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP_MAGIC
    if packed:
        return cast("IO[bytes]", gzip.open(path, "rb"))
    if path.suffix == ".gz":
        raise ImportFileError(path.name, "", "is named .gz but is not a gzip file")
    return path.open("rb")


def rule_of(error: Exception) -> str:
    """What a reading error says, in one line."""
    match error:
        case EOFError() | zlib.error() | gzip.BadGzipFile():
            return "the gzip stream is damaged or cut off"
        case OSError():
            return f"cannot be read: {error.strerror or error}"
        case ValueError() | LookupError():
            return f"its encoding cannot be read: {error}"
        case _:
            return str(error)


def format_of(path: Path) -> str:
    """The format by the file's name: `xes`, `csv` or `ndjson`, before a `.gz`.

    Raises:
        ImportFileError: It is none of them.
    """
    name = path.name.lower().removesuffix(".gz")
    for suffix, kind in ((".xes", "xes"), (".xml", "xes"), (".csv", "csv"), (".ndjson", "ndjson"), (".jsonl", "ndjson")):
        if name.endswith(suffix):
            return kind
    raise ImportFileError(path.name, "", "its name ends neither in .xes nor .csv nor .ndjson (.gz of each is read too)")
