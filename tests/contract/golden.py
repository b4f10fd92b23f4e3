"""The golden samples: one record per file, as it travels, and the list of what was published.

A file is `<folder>/<ce_type>.v<version>[.<variant>].json` with `headers`, `key` and `value`. A new form of a type is a new
file with the next version; a published file never changes. `private` samples show the value before it is encrypted.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import ConsumerRecord

from shared.contracts.commands import COMMANDS
from shared.contracts.events import EVENTS
from shared.contracts.model import Contract
from shared.contracts.private import PRIVATE
from shared.contracts.receipts import RECEIPTS

SAMPLES = Path(__file__).with_name("samples")
MANIFEST = SAMPLES / "MANIFEST.sha256"
FOLDERS: dict[str, Mapping[str, type[Contract]]] = {
    "events": EVENTS,
    "commands": COMMANDS,
    "private": PRIVATE,
    "receipts": RECEIPTS,
}
NAME = re.compile(r"(?P<type>[a-z_]+(?:\.[a-z_]+)?)\.v(?P<version>[1-9][0-9]*)(?:\.[a-z_]+)?\.json")


@dataclass(frozen=True, slots=True)
class Sample:
    """One golden sample."""

    name: str
    folder: str
    kind: str
    headers: dict[str, str]
    key: str
    value: dict[str, Any]

    @property
    def model(self) -> type[Contract]:
        """The contract model of its kind, which is its `ce_type`."""
        return FOLDERS[self.folder][self.kind]

    @property
    def raw_headers(self) -> list[tuple[str, bytes]]:
        """The headers as Kafka has them."""
        return [(name, value.encode()) for name, value in self.headers.items()]

    def headers_with(self, name: str, value: bytes | None) -> dict[str, Any]:
        """The raw headers with one of them replaced."""
        return dict(self.raw_headers) | {name: value}

    @property
    def raw_value(self) -> bytes:
        """The value as JSON."""
        return json.dumps(self.value, ensure_ascii=False).encode()

    def record(self, value: bytes | None = None) -> ConsumerRecord:
        """The sample as a consumer gets it; `value` takes the place of its own."""
        return make_record(self.raw_headers, self.key.encode(), self.raw_value if value is None else value)


def make_record(headers: list[tuple[str, Any]], key: bytes | None, value: bytes | None) -> ConsumerRecord:
    """A record of aiokafka."""
    sizes = len(key or b""), len(value or b"")
    return ConsumerRecord("case-events", 0, 7, 1_795_000_000_000, 0, key, value, None, *sizes, tuple(headers))


def read_sample(name: str) -> Sample:
    """Read `<folder>/<file>`."""
    folder, _, file = name.partition("/")
    match = NAME.fullmatch(file)
    assert match is not None, f"{name}: a sample is called <ce_type>.v<version>[.<variant>].json"
    return Sample(name, folder, match["type"], **json.loads((SAMPLES / name).read_text(encoding="utf-8")))


def names() -> list[str]:
    """Every sample there is, as `<folder>/<file>`."""
    return sorted(f"{folder}/{path.name}" for folder in FOLDERS for path in (SAMPLES / folder).iterdir())


def published(manifest: Path = MANIFEST) -> dict[str, str]:
    """The digest of each published sample by its name."""
    lines = manifest.read_text(encoding="utf-8").splitlines() if manifest.exists() else []
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def broken_promises(folder: Path = SAMPLES, manifest: Path = MANIFEST) -> list[str]:
    """Published samples that changed or vanished."""
    return [
        f"{name}: {'changed' if (folder / name).is_file() else 'vanished'}"
        for name, known in published(manifest).items()
        if not (folder / name).is_file() or digest(folder / name) != known
    ]
