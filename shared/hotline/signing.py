"""Signatures of a source's calls: proven before a byte of the body is parsed, and made as the source makes them.

Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md. Texts are compared,
not what they decode to, so that one signature has one spelling; every secret and every given signature is compared, in constant
time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from shared.hotline.authentication import Authentication, Basic, Bearer, Hmac, StandardWebhooks

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the mark of a secret's kind
SHORTEST_KEY, LONGEST_KEY = 24, 64
"""Bytes of a Standard Webhooks secret."""
SHORTEST_SECRET: Final = 16
LONGEST_SECRET: Final = 256
MOST_SIGNATURES: Final = 16
_ID, _TIMESTAMP, _SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_MESSAGE_ID: Final = re.compile(r"[\x21-\x7e]{1,256}")
_DIGITS: Final = re.compile(r"[0-9]{1,15}")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_HEX: Final = re.compile(r"[0-9a-fA-F]+")


class SignatureError(Exception):
    """A call is not proven to be the source's. `reason` is a stable code; `malformed`: its form is wrong."""

    def __init__(self, reason: str, *, malformed: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.malformed = reason, malformed


class SecretError(ValueError):
    """A secret cannot be used with this scheme; the sentence says what is asked for and never repeats the secret."""


def verify(auth: Authentication, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Prove that the body comes from who knows one of the secrets (two live ones, while they are exchanged).

    Names of headers are compared without their case. `now` is aware and real.

    Raises:
        SignatureError: It is not proven.
    """
    given = {name.lower(): value for name, value in headers.items()}
    if isinstance(auth, StandardWebhooks):
        _verify_standard(auth, secrets, given, body, now)
    elif isinstance(auth, Hmac):
        _verify_hmac(auth, secrets, given, body, now)
    else:
        _verify_credentials(auth, secrets, given)


def sign(auth: Authentication, secret: str, body: bytes, message_id: str, now: datetime) -> dict[str, str]:
    """The headers with which the source would send this body.

    Raises:
        SecretError: The secret cannot be used with this scheme.
    """
    check_secret(auth, secret)
    if isinstance(auth, StandardWebhooks):
        at = str(int(now.timestamp()))
        return {_ID: message_id, _TIMESTAMP: at, _SIGNATURE: "v1," + _standard(secret, message_id, at, body)}
    if isinstance(auth, Hmac):
        at = str(int(now.timestamp() * (1000 if auth.timestamp_format == "unix_ms" else 1)))
        headers = {auth.header: auth.prefix + _hmac(auth, secret, body, at, message_id)}
        if auth.timestamp_header is not None:
            headers[auth.timestamp_header] = at
        if auth.id_header is not None:
            headers[auth.id_header] = message_id
        return headers
    name, value = _credentials(auth, secret)
    return {name: value}


def check_secret(auth: Authentication, secret: str) -> str:
    """Give the secret back when it can be used.

    Raises:
        SecretError: It cannot.
    """
    if isinstance(auth, StandardWebhooks):
        key = _key(secret)
        if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
            raise SecretError(f"a secret holds {SHORTEST_KEY} to {LONGEST_KEY} bytes")
    elif not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET or not secret.isascii() or not secret.isprintable():
        raise SecretError(f"a secret has {SHORTEST_SECRET} to {LONGEST_SECRET} printable ASCII characters")
    elif secret != secret.strip():
        raise SecretError("a secret neither begins nor ends with a space")
    elif isinstance(auth, Basic) and not all(secret.partition(":")):
        raise SecretError("a secret for HTTP Basic is user:password")
    return secret


def make_secret(auth: Authentication, random: bytes, user: str = "hotline") -> str:
    """A new secret of 24 to 64 random bytes, which the caller takes from a safe source."""
    if isinstance(auth, StandardWebhooks):
        return SECRET_PREFIX + base64.b64encode(random).decode()
    secret = base64.urlsafe_b64encode(random).decode().rstrip("=")
    return f"{user}:{secret}" if isinstance(auth, Basic) else secret


def _verify_standard(
    auth: StandardWebhooks, secrets: Sequence[str], given: Mapping[str, str], body: bytes, now: datetime
) -> None:
    message_id = _header(given, _ID, "message_id", _MESSAGE_ID)
    at = _header(given, _TIMESTAMP, "timestamp", _DIGITS)
    signatures = _header(given, _SIGNATURE, "signature").split(" ")
    offered = [text[3:] for text in signatures[:MOST_SIGNATURES] if text.startswith("v1,") and _BASE64.fullmatch(text[3:])]
    if not offered:
        raise SignatureError("signature_malformed", malformed=True)
    _check_time(int(at), auth.tolerance_seconds, now)
    expected = [_standard(secret, message_id, at, body) for secret in secrets]
    if not _any_equal(expected, offered):
        raise SignatureError("signature_wrong")


def _verify_hmac(auth: Hmac, secrets: Sequence[str], given: Mapping[str, str], body: bytes, now: datetime) -> None:
    signature = _header(given, auth.header.lower(), "signature")
    form = _HEX if auth.encoding == "hex" else _BASE64
    if not signature.startswith(auth.prefix) or not form.fullmatch(signature.removeprefix(auth.prefix)):
        raise SignatureError("signature_malformed", malformed=True)
    at = message_id = ""
    if auth.timestamp_header is not None:
        at = _header(given, auth.timestamp_header.lower(), "timestamp", _DIGITS)
        _check_time(int(at) / (1000 if auth.timestamp_format == "unix_ms" else 1), auth.tolerance_seconds, now)
    if auth.id_header is not None:
        message_id = _header(given, auth.id_header.lower(), "message_id", _MESSAGE_ID)
    offered = signature.removeprefix(auth.prefix)
    expected = [_hmac(auth, secret, body, at, message_id) for secret in secrets]
    if not _any_equal(expected, [offered.lower() if auth.encoding == "hex" else offered]):
        raise SignatureError("signature_wrong")


def _verify_credentials(auth: Bearer | Basic, secrets: Sequence[str], given: Mapping[str, str]) -> None:
    name = auth.header.lower() if isinstance(auth, Bearer) else "authorization"
    if not given.get(name):
        raise SignatureError("credentials_missing")
    if not _any_equal([_credentials(auth, secret)[1] for secret in secrets], [given[name]]):
        raise SignatureError("credentials_wrong")


def _header(given: Mapping[str, str], name: str, what: str, form: re.Pattern[str] | None = None) -> str:
    value = given.get(name)
    if not value:
        raise SignatureError(f"{what}_missing")
    if form is not None and not form.fullmatch(value):
        raise SignatureError(f"{what}_malformed", malformed=True)
    return value


def _check_time(at: float, tolerance: int, now: datetime) -> None:
    """Refuse what is too old to be new: a replay within the tolerance is known by its event's id."""
    age = now.timestamp() - at
    if age > tolerance:
        raise SignatureError("timestamp_too_old")
    if age < -tolerance:
        raise SignatureError("timestamp_in_future")


def _any_equal(expected: Sequence[str], offered: Iterable[str]) -> bool:
    """Whether one is among the other; all are looked at, however many are right."""
    right = [text.encode("utf-8", "surrogatepass") for text in expected]
    found = False
    for text in offered:
        candidate = text.encode("utf-8", "surrogatepass")
        for other in right:
            found |= hmac.compare_digest(candidate, other)
    return found


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise SecretError(f"a secret is {SECRET_PREFIX} and base64") from None


def _standard(secret: str, message_id: str, at: str, body: bytes) -> str:
    content = b".".join((message_id.encode(), at.encode(), body))
    return base64.b64encode(hmac.digest(_key(secret), content, "sha256")).decode()


def _hmac(auth: Hmac, secret: str, body: bytes, at: str, message_id: str) -> str:
    before, place, after = auth.content.partition("{body}")
    values = {"timestamp": at, "id": message_id, "body_sha256": hashlib.sha256(body).hexdigest()}
    parts = (before.format_map(values).encode(), body if place else b"", after.format_map(values).encode())
    made = hmac.digest(secret.encode(), b"".join(parts), auth.algorithm)
    return made.hex() if auth.encoding == "hex" else base64.b64encode(made).decode()


def _credentials(auth: Bearer | Basic, secret: str) -> tuple[str, str]:
    if isinstance(auth, Bearer):
        return auth.header, auth.prefix + secret
    return "Authorization", "Basic " + base64.b64encode(secret.encode()).decode()
