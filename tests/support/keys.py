"""Values as earlier versions sealed them."""

from __future__ import annotations

import os
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.security.key_file import derived


def seal_version_1(key: bytes, case_id: UUID, plaintext: bytes) -> bytes:
    """A contact of version 1: encrypted by a master key itself."""
    nonce = os.urandom(12)
    return b"\x01" + nonce + AESGCM(derived(key, b"encrypt")).encrypt(nonce, plaintext, str(case_id).encode())
