"""The keys of what is private: master keys in a file, a data key for each case, and keyed digests that outlive both.

A **sealed** value carries all that opens it but the master key, so that it can be moved, and rewrapped, by itself (version 2):

    1 byte   version, 0x02
    4 bytes  which master key wraps the data key
    12 bytes nonce of the wrapping
    48 bytes the case's data key, wrapped by AES-256-GCM; associated data: the case id (16 bytes)
    12 bytes nonce of the value
    n + 16   the value, by AES-256-GCM under the data key; associated data: `<case_id>/<what>`, its key on `case-private`

Version 1 (0x01, nonce, value) was encrypted by a master key itself and bound to the case id alone; it held contacts only, and
still opens as one.

Nonces are random. A data key seals the few values of one case; a master key wraps one data key a case and must be replaced
before 2^32 of them (NIST SP 800-38D, 8.3).
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.security.key_file import KEY_BYTES, CipherError, KeyFile, derived, read_key_file
from shared.settings import SettingError

log = structlog.get_logger()

VERSION_1, VERSION_2 = b"\x01", b"\x02"
ID_BYTES: Final = 4
NONCE_BYTES: Final = 12
PREFIX_BYTES: Final = 1 + ID_BYTES
"""Version and key id: so many bytes of a sealed value tell under which master key it is."""
_NONCE_END: Final = PREFIX_BYTES + NONCE_BYTES
_WRAP_END: Final = _NONCE_END + KEY_BYTES + 16
_SHORTEST: Final = _WRAP_END + NONCE_BYTES + 16
TOKEN_BYTES: Final = 16


class _Master:
    """One master key: what it wraps and unwraps, and its id."""

    def __init__(self, key: bytes) -> None:
        self.id = derived(key, b"id")[:ID_BYTES]
        self.wrapping = AESGCM(derived(key, b"wrap"))
        self.version_1 = AESGCM(derived(key, b"encrypt"))

    def wrap(self, data_key: bytes, nonce: bytes, case_id: UUID) -> bytes:
        """The beginning of every value that is sealed under this data key."""
        return VERSION_2 + self.id + nonce + self.wrapping.encrypt(nonce, data_key, case_id.bytes)


class CaseKey(NamedTuple):
    """The data key of a case, at hand and wrapped. Lives as long as it is used, and is never written."""

    case_id: UUID
    wrapped: bytes
    aes: AESGCM

    def seal(self, plaintext: bytes, what: str) -> bytes:
        """Encrypt what a case keeps under this name ("contact", "note", "note/<id>")."""
        nonce = os.urandom(NONCE_BYTES)
        return self.wrapped + nonce + self.aes.encrypt(nonce, plaintext, context_of(self.case_id, what))


class KeyRing:
    """The master keys of an installation; the first wraps, every one of them opens.

    One object for a process: `refresh` takes what the file holds now, in the same object.
    """

    def __init__(self, keys: Sequence[bytes], digest_key: bytes | None = None) -> None:
        self._file: Path | None = None
        self._stamp: object = None
        self._warned: object = ()
        self._take(KeyFile(tuple(keys), digest_key))

    @classmethod
    def from_file(cls, file: Path) -> KeyRing:
        """Read the keys.

        Raises:
            SettingError: The file is missing or holds no such keys.
        """
        try:
            stamp, content = _stamp_of(file), read_key_file(file)
            ring = cls(content.keys, content.digest_key)
        except (OSError, ValueError) as error:
            wrong = f"{file} holds no base64 keys of {KEY_BYTES} bytes, one a line ({type(error).__name__})"
            raise SettingError(f"MOTCUA_PRIVATE_KEY_FILE: {wrong}") from None
        ring._file, ring._stamp = file, stamp
        return ring

    @property
    def current(self) -> bytes:
        """The id of the key that wraps."""
        return self._current.id

    @property
    def prefix(self) -> bytes:
        """How a value begins that is sealed under the current key."""
        return VERSION_2 + self._current.id

    @property
    def older_prefixes(self) -> tuple[bytes, ...]:
        """How values begin that are sealed under the older keys."""
        return tuple(VERSION_2 + each for each in self.ids[1:])

    @property
    def ids(self) -> tuple[bytes, ...]:
        """The ids of all keys, the current one first."""
        return tuple(self._masters)

    def refresh(self) -> bool:
        """Read the file again if it was written since; whether the keys are others now. What cannot be read changes nothing."""
        if self._file is None:
            return False
        stamp = _stamp_of(self._file)
        if stamp == self._stamp:
            return False
        try:
            content = read_key_file(self._file)
            if content.digests != self._digests:
                raise CipherError("the digests of this file would be others")
            self._take(content)
        except (OSError, ValueError) as error:
            if stamp != self._warned:  # it is tried again at the next call: what was wrong may pass without a change of the file
                log.warning("the key file is of no use; the keys stay as they were", error=type(error).__name__)
            self._warned = stamp
            return False
        self._stamp = self._warned = stamp
        return True

    def _take(self, content: KeyFile) -> None:
        masters = {master.id: master for master in map(_Master, content.keys)}
        if not masters or len(masters) != len(content.keys):
            raise CipherError("there must be a key, and no two of one id")
        self._digests, self._tokens = content.digests, derived(content.digests, b"token")
        self._masters, self._current = masters, next(iter(masters.values()))

    def new_case(self, case_id: UUID) -> CaseKey:
        """A new data key for a case."""
        random = os.urandom(KEY_BYTES + NONCE_BYTES)
        data_key = random[:KEY_BYTES]
        return CaseKey(case_id, self._current.wrap(data_key, random[KEY_BYTES:], case_id), AESGCM(data_key))

    def key_of(self, sealed: bytes, case_id: UUID) -> CaseKey:
        """The data key of a sealed value, to seal more under it.

        Raises:
            CipherError: It is of version 1, of a key that is not here, or of another case.
        """
        return CaseKey(case_id, sealed[:_WRAP_END], AESGCM(self._unwrap(sealed, case_id)))

    def open(self, sealed: bytes, case_id: UUID, what: str) -> bytes:
        """The plaintext.

        Raises:
            CipherError: It was not sealed by a key of this ring, for this case and under this name.
        """
        if sealed[:1] == VERSION_1:
            return self._open_version_1(sealed, case_id, what)
        data_key = self._unwrap(sealed, case_id)
        nonce, rest = sealed[_WRAP_END : _WRAP_END + NONCE_BYTES], sealed[_WRAP_END + NONCE_BYTES :]
        return _decrypt(AESGCM(data_key), nonce, rest, context_of(case_id, what))

    def rewrap(self, sealed: bytes, case_id: UUID, what: str) -> bytes:
        """The same value under the current master key: its data key is wrapped anew, a value of version 1 sealed anew.

        Raises:
            CipherError: As `open`.
        """
        if sealed[:PREFIX_BYTES] == self.prefix:
            return sealed
        if sealed[:1] == VERSION_1:
            return self.new_case(case_id).seal(self._open_version_1(sealed, case_id, what), what)
        wrapped = self._current.wrap(self._unwrap(sealed, case_id), os.urandom(NONCE_BYTES), case_id)
        return wrapped + sealed[_WRAP_END:]

    def digest(self, content: bytes) -> bytes:
        """HMAC of a content: equal contents are recognised, and nothing can be guessed from it without the key."""
        return hmac.digest(self._digests, content, "sha256")

    def token(self, kind: str, value: str) -> bytes:
        """What stands for an identifier of a person in an index: equal identifiers of one kind have equal tokens."""
        return hmac.digest(self._tokens, f"{kind}\0{value}".encode(), "sha256")[:TOKEN_BYTES]

    def _unwrap(self, sealed: bytes, case_id: UUID) -> bytes:
        if sealed[:1] != VERSION_2 or len(sealed) < _SHORTEST:
            raise CipherError("unknown version of a sealed value, or cut off")
        master = self._master(sealed[1:PREFIX_BYTES])
        return _decrypt(master.wrapping, sealed[PREFIX_BYTES:_NONCE_END], sealed[_NONCE_END:_WRAP_END], case_id.bytes)

    def _master(self, key_id: bytes) -> _Master:
        """A key by its id; one that is not here may stand in the file by now, since another service may be quicker."""
        master = self._masters.get(key_id)
        if master is None and self.refresh():
            master = self._masters.get(key_id)
        if master is None:
            raise CipherError("sealed under a master key that is not in the key file")
        return master

    def _open_version_1(self, sealed: bytes, case_id: UUID, what: str) -> bytes:
        if what != "contact":  # others never were of version 1: a contact must not pass for one of them
            raise CipherError("only contacts are of version 1")
        nonce, rest, context = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], str(case_id).encode()
        for plaintext in _attempts(list(self._masters.values()), nonce, rest, context):
            return plaintext
        raise CipherError("the ciphertext does not open")


def context_of(case_id: UUID, what: str) -> bytes:
    """What a value is bound to; also its key on `case-private`."""
    return f"{case_id}/{what}".encode()


def id_of(sealed: bytes) -> str:
    """Under which master key a value is, in hexadecimal; `version 1` does not say."""
    return sealed[1:PREFIX_BYTES].hex() if sealed[:1] == VERSION_2 else "version 1"


def _attempts(masters: Sequence[_Master], nonce: bytes, rest: bytes, context: bytes) -> Iterator[bytes]:
    for master in masters:
        try:
            yield _decrypt(master.version_1, nonce, rest, context)
        except CipherError:
            continue


def _decrypt(aes: AESGCM, nonce: bytes, rest: bytes, context: bytes) -> bytes:
    try:
        return aes.decrypt(nonce, rest, context)
    except (InvalidTag, ValueError):
        raise CipherError("the ciphertext does not open") from None


def _stamp_of(file: Path) -> object:
    """What differs when a file was replaced or written; None when there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size
