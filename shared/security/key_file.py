"""The file of the master keys (`MOTCUA_PRIVATE_KEY_FILE`), as text.

    <base64 of 32 bytes>           the current master key
    <base64 of 32 bytes>           an older one, which still opens
    digest <base64 of 32 bytes>    what digests and search tokens are made with

Without a `digest` line, which a file of one key need not have, its secret is derived from the last key. The first rotation
writes the line, so that the key can be retired later and digests stay as they were: of an idempotency key the content is gone
and could not be digested again. The secret comes from a key by a one-way function and opens nothing.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
_DIGEST: Final = "digest "


class CipherError(ValueError):
    """Keys are unusable, or a value was sealed under another key or for another place."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The content of a key file; the first key is the current one."""

    keys: tuple[bytes, ...] = field(repr=False)
    digest_key: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Raises CipherError unless there is a key, and all are of the right length."""
        every = self.keys if self.digest_key is None else (*self.keys, self.digest_key)
        if not self.keys or any(len(key) != KEY_BYTES for key in every):
            raise CipherError(f"a key must have {KEY_BYTES} bytes")

    @property
    def digests(self) -> bytes:
        """The secret of digests."""
        return self.digest_key or derived(self.keys[-1], b"digest")

    def with_new(self, key: bytes) -> KeyFile:
        """The file with a new current key; digests stay."""
        return KeyFile((key, *self.keys), self.digests)

    def without(self, keys: tuple[bytes, ...]) -> KeyFile:
        """The file without these keys; digests stay."""
        return KeyFile(tuple(key for key in self.keys if key not in keys), self.digests)

    def as_text(self) -> str:
        """The file's text."""
        digest = [] if self.digest_key is None else [_DIGEST + _encoded(self.digest_key)]
        return "\n".join([*map(_encoded, self.keys), *digest]) + "\n"


def read_key_file(file: Path) -> KeyFile:
    """Read the keys.

    Raises:
        OSError: The file cannot be read.
        CipherError: It holds something else, or no key.
    """
    lines = [line.strip() for line in file.read_text().splitlines() if line.strip()]
    try:
        keys = tuple(base64.b64decode(line, validate=True) for line in lines if not line.startswith(_DIGEST))
        digests = [base64.b64decode(line.removeprefix(_DIGEST), validate=True) for line in lines if line.startswith(_DIGEST)]
    except ValueError:
        raise CipherError("a line is no base64") from None
    if len(digests) > 1:
        raise CipherError("there must be one digest line at most")
    return KeyFile(keys, digests[0] if digests else None)


def key_id(key: bytes) -> bytes:
    """The id of a master key: it tells keys apart and nothing about them."""
    return derived(key, b"id")[:4]


def derived(key: bytes, purpose: bytes) -> bytes:
    """A key of 32 bytes for one purpose."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"motcua " + purpose).derive(key)


def _encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()
