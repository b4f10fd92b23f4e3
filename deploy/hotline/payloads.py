"""The requests that a file stands for: one JSON document, an array of them, or one a line (NDJSON)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deploy.errors import CommandError


def read_payloads(file: Path, *, whole: bool) -> list[bytes]:
    """The bodies to send, in order. A document goes out byte by byte as it is in the file.

    `whole` says that the source sends several events in one body, so that an array is one request.

    Raises:
        CommandError: The file cannot be read, or it is no JSON.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return _lines(file, content)
    if isinstance(document, list) and not whole:
        return [_packed(each) for each in document]
    return [content]


def _lines(file: Path, content: bytes) -> list[bytes]:
    lines = [(number, line) for number, line in enumerate(content.splitlines(), 1) if line.strip()]
    for number, line in lines:
        try:
            json.loads(line)
        except (ValueError, RecursionError):
            what = f"line {number} is no JSON" if len(lines) > 1 else "is no JSON"
            raise CommandError(f"{file}: {what}; a file holds a JSON document, an array, or a document a line") from None
    if not lines:
        raise CommandError(f"{file} is empty")
    return [line for _, line in lines]


def _packed(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
