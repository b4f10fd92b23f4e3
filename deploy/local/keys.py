"""The local stack's own keys: made at the first start, kept in the state folder, readable by its owner only; and new ones."""

from __future__ import annotations

import base64
import json
import secrets
from typing import TYPE_CHECKING

from joserfc.jwk import OKPKey

from deploy.local.state import StateFolder, write_private
from shared.security.key_file import KEY_BYTES, key_id, read_key_file

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

PRIVATE_TOKEN_KEY = "token-private.json"  # noqa: S105 - a file's name
PUBLIC_TOKEN_KEY = "token-public.json"  # noqa: S105 - a file's name
PRIVATE_KEY = "private-key"


def make_keys(state: StateFolder) -> None:
    """Make what is missing: the pair that signs tokens (Ed25519) and the key of `case-private` (32 random bytes, base64)."""
    if not (state.keys / PRIVATE_TOKEN_KEY).is_file():
        pair = OKPKey.generate_key("Ed25519", auto_kid=True)
        _write_key(state.keys / PUBLIC_TOKEN_KEY, pair, private=False)
        _write_key(state.keys / PRIVATE_TOKEN_KEY, pair, private=True)  # last: its presence says both are there
    if not (state.keys / PRIVATE_KEY).is_file():
        write_private(state.keys / PRIVATE_KEY, base64.b64encode(secrets.token_bytes(32)).decode())


def add_master_key(file: Path) -> bytes:
    """Put a new master key before those of the file, in one step; its id. Digests and search tokens stay as they are.

    Raises:
        OSError: The file cannot be read or written.
        CipherError: It holds something else.
    """
    key = secrets.token_bytes(KEY_BYTES)
    write_private(file, read_key_file(file).with_new(key).as_text())
    return key_id(key)


def drop_master_keys(file: Path, ids: Collection[str]) -> None:
    """Take master keys out of the file by their ids, in one step; never the current one. Raises as `add_master_key` does."""
    content = read_key_file(file)
    dropped = tuple(key for key in content.keys[1:] if key_id(key).hex() in ids)
    write_private(file, content.without(dropped).as_text())


def sign_token(state: StateFolder, *, role: str, agency: str | None, unit: str | None, seconds: int) -> str:
    """A bearer token of the local stack, valid for so many seconds from now (real time)."""
    from shared.security.tokens import Role, sign

    return sign(state.keys / PRIVATE_TOKEN_KEY, Role(role), agency, unit, seconds, f"local-{role}")


def _write_key(path: Path, key: OKPKey, *, private: bool) -> None:
    write_private(path, json.dumps(key.as_dict(private=private)) + "\n")
