"""How far a file was filed, kept beside it, so that an interrupted filing goes on where it was."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deploy.errors import CommandError


@dataclass(slots=True)
class Journal:
    """What was answered: of which content, to whom, up to which line, and what became of the lines.

    `refused_bytes` is how long the file of refused lines was then. `witness` is the first case that intake opened.
    """

    digest: str
    intake: str
    agency: str | None
    line: int = 0
    offset: int = 0
    opened: int = 0
    known: int = 0
    refused: int = 0
    refused_bytes: int = 0
    witness: str | None = None

    @classmethod
    def load(cls, path: Path) -> Journal | None:
        """The journal of a filing that was interrupted; None when there is none that can be used."""
        try:
            content: dict[str, Any] = json.loads(path.read_text())
            return cls(**content)
        except (OSError, ValueError, TypeError):
            return None

    def save(self, path: Path) -> None:
        """Replace the file in one step, on the disk."""
        new = path.with_name(f"{path.name}.new")
        with new.open("w") as file:
            json.dump(asdict(self), file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)


@dataclass(frozen=True, slots=True)
class Places:
    """Where a filing keeps its journal and the answers to refused lines."""

    journal: Path
    refused: Path

    @classmethod
    def of(cls, file: Path, state: Path) -> Places:
        """Beside the file; in the state folder where nothing can be written there."""
        folder = file.absolute().parent
        name = file.name
        if not os.access(folder, os.W_OK):
            name = f"{hashlib.sha256(os.fsencode(file.resolve())).hexdigest()[:12]}-{name}"
            folder = state / "filings"
            folder.mkdir(parents=True, exist_ok=True)
        return cls(folder / f"{name}.journal", folder / f"{name}.refused.ndjson")

    @property
    def refused_bytes(self) -> int:
        """How long the file of refused lines is; 0 when it is not there."""
        return self.refused.stat().st_size if self.refused.exists() else 0


@contextlib.contextmanager
def held(file: Path) -> Iterator[None]:
    """Keep others from filing the same file meanwhile.

    Raises:
        CommandError: Somebody files it now.
    """
    with file.open("rb") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(f"{file.name} is being filed by another motcua now: wait for it, or stop it") from None
        yield
