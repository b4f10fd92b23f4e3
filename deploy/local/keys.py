"""The local stack's own keys: made at the first start, kept in the state folder, readable by its owner only."""

from __future__ import annotations

import base64
import json
import secrets
from typing import TYPE_CHECKING

from joserfc.jwk import OKPKey

from deploy.local.state import StateFolder, write_private

if TYPE_CHECKING:
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


def sign_token(state: StateFolder, *, role: str, agency: str | None, unit: str | None, seconds: int) -> str:
    """A bearer token of the local stack, valid for so many seconds from now (real time)."""
    from shared.security.tokens import Role, sign

    return sign(state.keys / PRIVATE_TOKEN_KEY, Role(role), agency, unit, seconds, f"local-{role}")


def _write_key(path: Path, key: OKPKey, *, private: bool) -> None:
    write_private(path, json.dumps(key.as_dict(private=private)) + "\n")
