"""Encryption of what is private (AES-256-GCM) and keyed digests of content (HMAC-SHA-256)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.settings import SettingError

KEY_BYTES = 32
NONCE_BYTES = 12
VERSION = b"\x01"


class CipherError(ValueError):
    """The key is unusable, or the ciphertext was made with another key or for another place."""


class Cipher:
    """Encrypts bytes for a place (`context`), so that a ciphertext moved elsewhere does not open."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise CipherError(f"the key must have {KEY_BYTES} bytes")
        self._aes = AESGCM(_derived(key, b"encrypt"))
        self._mac_key = _derived(key, b"digest")

    @classmethod
    def from_file(cls, file: Path) -> Cipher:
        """Read a base64 key.

        Raises:
            SettingError: The file is missing or holds no such key.
        """
        try:
            return cls(base64.b64decode(file.read_text().strip(), validate=True))
        except (OSError, ValueError) as error:
            wrong = f"{file} holds no base64 key of {KEY_BYTES} bytes ({type(error).__name__})"
            raise SettingError(f"MOTCUA_PRIVATE_KEY_FILE: {wrong}") from None

    def encrypt(self, plaintext: bytes, context: bytes) -> bytes:
        """Version byte, nonce, ciphertext with tag."""
        nonce = os.urandom(NONCE_BYTES)
        return VERSION + nonce + self._aes.encrypt(nonce, plaintext, context)

    def decrypt(self, ciphertext: bytes, context: bytes) -> bytes:
        """The plaintext.

        Raises:
            CipherError: It was not encrypted by this key for this context.
        """
        if ciphertext[:1] != VERSION:
            raise CipherError("unknown version of ciphertext")
        nonce, rest = ciphertext[1 : 1 + NONCE_BYTES], ciphertext[1 + NONCE_BYTES :]
        try:
            return self._aes.decrypt(nonce, rest, context)
        except (InvalidTag, ValueError):
            raise CipherError("the ciphertext does not open") from None

    def digest(self, content: bytes) -> bytes:
        """HMAC of a content: equal contents are recognised, and nothing can be guessed from it without the key."""
        return hmac.digest(self._mac_key, content, hashlib.sha256)


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"motcua " + purpose).derive(key)
