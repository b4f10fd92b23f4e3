"""The operator's files of the hotline as they are on the disk: mappings, and the secrets of sources, one a line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from shared.hotline.authentication import Authentication
from shared.hotline.signing import SecretError, check_secret

MOST_SECRETS: Final = 2
LARGEST_FILE: Final = 256 * 1024
log = structlog.get_logger()


def mapping_files(folder: Path | None) -> dict[str, Path]:
    """Mapping files of a folder by the source that they are called after; hidden ones are not looked at.

    Raises:
        OSError: The folder cannot be read.
    """
    if folder is None:
        return {}
    return {path.stem: path for path in folder.iterdir() if path.suffix == ".yaml" and not path.name.startswith(".")}


def content_of(path: Path) -> bytes:
    """All of a file. Raises OSError when it cannot be read, or is too large."""
    with path.open("rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise OSError("too large")
    return content


@dataclass(slots=True)
class Secrets:
    """The secrets of sources. `folder` is the operator's, None where nobody has one."""

    folder: Path | None
    _read: dict[str, tuple[bytes, Authentication, tuple[str, ...]]] = field(default_factory=dict)

    @property
    def are_there(self) -> bool:
        """Whether the folder can be read."""
        return self.folder is None or self.folder.is_dir()

    def of(self, source: str, authentication: Authentication) -> tuple[str, ...]:
        """Those that count now; one that the scheme cannot use is left out, and told when the file is new."""
        if self.folder is None:
            return ()
        try:
            content = content_of(self.folder / source)
        except OSError:
            self._read.pop(source, None)
            return ()
        before = self._read.get(source)
        if before is None or before[:2] != (content, authentication):
            self._read[source] = (content, authentication, _usable(source, authentication, content))
        return self._read[source][2]


def _usable(source: str, authentication: Authentication, content: bytes) -> tuple[str, ...]:
    """Of the first two lines those that the scheme can use. A secret may hold blanks, but none at its ends."""
    try:
        lines = [line.strip() for line in content.decode().splitlines() if line.strip()]
    except UnicodeDecodeError:
        log.warning("a file of secrets is not UTF-8", source=source)
        return ()
    return tuple(line for line in lines[:MOST_SECRETS] if _is_usable(source, authentication, line))


def _is_usable(source: str, authentication: Authentication, secret: str) -> bool:
    try:
        check_secret(authentication, secret)
    except SecretError as error:
        log.warning("a secret cannot be used", source=source, rule=str(error))
        return False
    return True
